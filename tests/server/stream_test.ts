import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { MaestroError } from "../../src/errors.ts";
import { tempFiles } from "../support/temp_files.ts";
import { eventStream } from "../../src/server/http/stream.ts";
import type { StreamEvent } from "../../src/server/http/route.ts";
import { type SentEvent, serve } from "./serving.ts";
import { APPROVAL } from "./workflows.ts";

async function* endless(made: { count: number; isOver: boolean }): AsyncGenerator<StreamEvent> {
  try {
    for (;;) {
      yield { id: String(++made.count), data: "x".repeat(1_000) };
      await Promise.resolve();
    }
  } finally {
    made.isOver = true;
  }
}

Deno.test("a stream is read no faster than its reader reads, and who takes nothing is cut off", async () => {
  const made = { count: 0, isOver: false };
  const abort = new AbortController();
  const stream = eventStream(endless(made), abort, { patience: 100 });
  const reader = stream.getReader();
  await reader.read();
  await new Promise((resolve) => abort.signal.addEventListener("abort", resolve));
  await assert.rejects(async () => {
    for (;;) if ((await reader.read()).done) return;
  }, /takes nothing/);
  assert.ok(made.isOver);
  assert.ok(made.count < 200, `${made.count} events were made for a reader who took none`);
});

Deno.test("a reader who leaves ends what was made for it", async () => {
  const made = { count: 0, isOver: false };
  const abort = new AbortController();
  const reader = eventStream(endless(made), abort).getReader();
  await reader.read();
  await reader.cancel();
  assert.ok(abort.signal.aborted);
  while (!made.isOver) await new Promise((resolve) => setTimeout(resolve, 1));
});

Deno.test("a stream whose events fail says why, and ends", async () => {
  // deno-lint-ignore require-yield -- it fails before the first
  async function* failing(): AsyncGenerator<StreamEvent> {
    await Promise.resolve();
    throw new Error("a secret path");
  }
  const defects: unknown[] = [];
  const stream = eventStream(failing(), new AbortController(), {
    onDefect: (thrown) => defects.push(thrown),
  });
  const text = await new Response(stream).text();
  assert.match(text, /event: error\ndata: \{"code":13,/);
  assert.doesNotMatch(text, /secret/);
  assert.match(String(defects), /^Error: a secret path$/);
});

Deno.test("as many streams are open as may be, and one that is left makes room", async () => {
  await using files = await tempFiles({ "approval.yaml": APPROVAL });
  await using server = await serve({ workflows: files.directory, args: ["--max-streams", "2"] });
  await server.ask("POST", "/runs", { workflow: "approval", run_id: "r1" });
  const open = [1, 2].map(() => server.events("/runs/r1/events")[Symbol.asyncIterator]());
  for (const reader of open) await reader.next();
  const { status, body } = await server.ask("GET", "/events");
  assert.equal(status, 429);
  assert.equal(body.code, 8);
  await open[0]?.return?.();
  for (let status = 429; status !== 200;) {
    const reader = server.events("/runs/r1/events");
    status = await reader.status;
    if (status === 200) { for await (const _ of reader) break; }
    else await (reader[Symbol.asyncIterator]().next()).catch(() => {});
  }
  await open[1]?.return?.();
});

Deno.test("a stream ends when its reader may have it no longer, also where nothing happens", async () => {
  const silent: AsyncIterable<StreamEvent> = {
    [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
  };
  let isKnown = true;
  const abort = new AbortController();
  const stream = eventStream(silent, abort, {
    signOfLifeEvery: 10,
    checkReader() {
      if (!isKnown) throw new MaestroError("UNAUTHENTICATED", "This token is not known here");
    },
  });
  const said: string[] = [];
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    said.push(part);
    isKnown = said.length < 5;
  }
  assert.deepEqual(said.slice(1, 5), Array(4).fill(":\n\n"));
  assert.match(said[5] ?? "", /^event: error\ndata: \{"code":16,/);
  assert.equal(said.length, 6);
  assert.ok(abort.signal.aborted);
});

Deno.test("a token that is taken from the file ends the streams that it has opened", async () => {
  const line = (who: string) =>
    `${who} viewer ${createHash("sha256").update(`${who}-token`).digest("hex")}\n`;
  await using files = await tempFiles({ "w/a.yaml": APPROVAL, t: line("zoe") + line("vera") });
  await using server = await serve({
    workflows: files.path("w"),
    args: ["--tokens", files.path("t")],
  });
  const reader = server.events("/events", { authorization: "Bearer zoe-token" });
  assert.equal(await reader.status, 200);
  await Deno.writeTextFile(files.path("t"), line("vera"));
  const heard: SentEvent[] = [];
  for await (const event of reader) heard.push(event);
  assert.deepEqual(heard.map(({ event, data }) => [event, data.code]), [["error", 16]]);
});
