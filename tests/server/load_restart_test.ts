/** `kill -9` while many start runs and as many watch them: how fast is measured by `bench/serve.ts`. */
import assert from "node:assert/strict";
import { type Script, type ScriptedCall, startServer } from "../support/grpc_server.ts";
import { tempFiles } from "../support/temp_files.ts";
import { faithfully } from "./faithfully.ts";
import { type SentEvent, serve, type Serving } from "./serving.ts";
import { shop } from "./workflows.ts";

const RUNS = 200;
/** How many starts are under way at a time. */
const STARTERS = 20;
/** After so many answered starts the server is killed. */
const KILLED_AFTER = 80;
/** What later runs buy is sold only after that: they are under way then. */
const SOLD_BEFORE = 60;

/** Every fifth has to be rolled back. */
const skuOf = (id: string) => Number(id) % 5 === 0 ? "bad" : "good";

/** Starts a run, and asks again until the server has said that it is there. */
async function start(server: () => Serving, id: string): Promise<void> {
  const request = { workflow: "shop", run_id: id, input: { sku: skuOf(id) } };
  for (;;) {
    const answer = await server().ask("POST", "/runs", request).catch(() => null);
    if (answer?.status === 200) return;
    assert.ok(answer === null || answer.status === 503, JSON.stringify(answer?.body));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The idempotency keys that came with the calls of a method, by run. */
function keysByRun(calls: readonly ScriptedCall[], method: string): Map<string, Set<string>> {
  const keys = new Map<string, Set<string>>();
  for (const { metadata } of calls.filter((call) => call.method.endsWith(`/${method}`))) {
    const run = metadata["maestro-run-id"] ?? "";
    keys.set(
      run,
      (keys.get(run) ?? new Set()).add(metadata["idempotency-key"] ?? crypto.randomUUID()),
    );
  }
  return keys;
}

Deno.test("kill -9 under load loses no run, no effect, and no event of those who watch", async () => {
  const isBack = Promise.withResolvers<void>();
  const sell: Script = async ({ metadata }) => {
    if (Number(metadata["maestro-run-id"]) > SOLD_BEFORE) await isBack.promise;
    return {};
  };
  await using services = await startServer({
    scripts: { "acme.shop.v1.Shop/Buy": sell, "acme.shop.v1.Shop/Refund": () => ({}) },
  });
  await using files = await tempFiles({ "w/shop.yaml": shop(services.endpoint) });
  const options = { workflows: files.path("w"), store: `sqlite:${files.path("runs.db")}` };
  let server = await serve(options);
  const now = () => server;
  try {
    const heard = new Map<string, SentEvent[]>();
    const watching: Promise<void>[] = [];
    const watch = async (id: string) => {
      const events: SentEvent[] = [];
      heard.set(id, events);
      for await (const event of faithfully(now, `/runs/${id}/events`)) events.push(event);
    };
    const ids = Array.from({ length: RUNS }, (_, index) => String(index + 1));
    const isDue = Promise.withResolvers<void>();
    const rest = [...ids];
    let answered = 0;
    const starting = Array.from({ length: STARTERS }, async () => {
      for (let id = rest.shift(); id !== undefined; id = rest.shift()) {
        await start(now, id);
        watching.push(watch(id));
        if (++answered === KILLED_AFTER) isDue.resolve();
      }
    });
    await isDue.promise;
    await server[Symbol.asyncDispose](); // kill -9
    server = await serve({ ...options, args: ["--http", new URL(server.url).host] });
    isBack.resolve();
    await Promise.all(starting);
    await Promise.all(watching);

    const { body } = await server.ask("GET", "/runs:counts");
    assert.equal(body.completed, RUNS * 4 / 5);
    assert.equal(body.compensated, RUNS / 5);
    for (const id of ids) {
      const seqs = heard.get(id)?.map(({ data }) => data.seq) ?? [];
      assert.deepEqual(seqs, seqs.map((_, index) => index + 1), `every event of run ${id}, once`);
      assert.equal(heard.get(id)?.at(-1)?.data.kind, "run_ended");
    }
    const bought = keysByRun(services.calls, "Buy");
    const refunded = keysByRun(services.calls, "Refund");
    for (const id of ids) {
      assert.equal(bought.get(id)?.size, 1, `run ${id} buys once, however often it is sent`);
      assert.equal(refunded.get(id)?.size, skuOf(id) === "bad" ? 1 : undefined);
    }
  } finally {
    await server[Symbol.asyncDispose]();
  }
});
