// Services that are away, broken, or no gRPC services at all: what the program says, and undoes.

import assert from "node:assert/strict";
import { maestro, steady } from "../cli/program.ts";
import { PROTOS, type ScriptedServer, startServer } from "../support/grpc_server.ts";
import {
  answerGrpc,
  frame,
  type RawServer,
  startHttp2,
  startProxy,
  startTcp,
} from "../support/raw_server.ts";
import { tempFiles } from "../support/temp_files.ts";

const PAGE = `<!DOCTYPE html><html>${"x".repeat(300)}</html>`;

/** Where the schema comes from: files, where the service can't be asked; or reflection. */
const FILES = `    proto: [${PROTOS}/acme/shop.proto]\n    import_paths: [${PROTOS}]\n`;

type Endpoint = AsyncDisposable & Pick<RawServer, "endpoint">;

interface Case {
  readonly when: string;
  readonly server: () => Promise<Endpoint>;
  /** How its schema is known. Default: from files. */
  readonly schema?: "reflection";
  /** The failed step's. */
  readonly code: string;
  readonly outcome: "not_sent" | "rejected" | "unknown";
  /** What standard error must say; `@` is the endpoint. */
  readonly says: readonly string[];
}

const CASES: readonly Case[] = [
  {
    when: "nobody is there",
    server: async () => {
      const gone = await startTcp(() => {});
      await gone[Symbol.asyncDispose]();
      return { endpoint: gone.endpoint, [Symbol.asyncDispose]: () => Promise.resolve() };
    },
    code: "UNAVAILABLE",
    outcome: "not_sent",
    says: [
      'Cannot reach "bad" at @: connection refused; is it running? --endpoint bad=host:port names another place\n',
    ],
  },
  {
    when: "it hangs up on being asked for its schema",
    server: () => startTcp((socket) => socket.destroy()),
    schema: "reflection",
    code: "UNAVAILABLE",
    outcome: "not_sent",
    says: ['Cannot reach "bad" at @', "check that it is a gRPC server"],
  },
  {
    when: "the connection closes in the middle of the call",
    server: async () => {
      const server: RawServer = await startHttp2(() => server.cut());
      return server;
    },
    code: "UNAVAILABLE",
    outcome: "unknown",
    says: ['"bad" at @ closed the connection', "It may have taken effect all the same"],
  },
  {
    when: "it answers garbage on the wire",
    server: () =>
      startTcp((socket) => void socket.write("\x00\x01garbage garbage garbage garbage")),
    code: "UNAVAILABLE",
    outcome: "not_sent",
    says: ['Cannot reach "bad" at @', "check that it is a gRPC server"],
  },
  {
    when: "its answer is no message of the schema",
    server: () => startHttp2((stream) => answerGrpc(stream, frame(new Uint8Array([0x0a, 0xff])))),
    code: "INTERNAL",
    outcome: "unknown",
    says: [
      '"bad" at @ answered with data that is no acme.shop.v1.BuyReply',
      "does its schema differ",
    ],
  },
  {
    when: "it never answers",
    server: () => startHttp2(() => {}),
    code: "DEADLINE_EXCEEDED",
    outcome: "unknown",
    says: [
      '"bad" at @ gave no answer within 500ms (its "attempt_timeout")\n',
      "It may have taken effect all the same",
    ],
  },
  {
    when: "it takes the connection and says nothing",
    server: () => startTcp(() => {}),
    code: "DEADLINE_EXCEEDED",
    outcome: "not_sent",
    says: ['Cannot reach "bad" at @: no connection within 500ms (its "attempt_timeout")\n'],
  },
  {
    when: "a web server is on the port",
    server: () =>
      startTcp((socket) => {
        socket.end(`HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n${PAGE}`);
      }),
    code: "UNAVAILABLE",
    outcome: "not_sent",
    says: ['Cannot reach "bad" at @', "check that it is a gRPC server"],
  },
  {
    when: "a web server that speaks HTTP/2 is on the port",
    server: () =>
      startHttp2((stream) => {
        stream.respond({ ":status": 200, "content-type": "text/html" });
        stream.end(PAGE);
      }),
    code: "UNAVAILABLE",
    outcome: "unknown",
    says: ['"bad" at @ answered with text and no gRPC', "another server on that port"],
  },
  {
    when: "it does not implement the method",
    server: () => startServer({ scripts: {} }),
    code: "UNIMPLEMENTED",
    outcome: "rejected",
    says: [
      "does not implement the method /acme.shop.v1.Shop/Buy\n",
      "The schema has this method: if the service is of an older version than its schema, update it\n",
    ],
  },
];

function workflow(good: ScriptedServer, schema: string): string {
  return `name: bad
services:
  good: { endpoint: "${good.endpoint}", proto_service: Shop }
  bad:
    endpoint: "127.0.0.1:1"
    proto_service: Shop
    attempt_timeout: 500ms
${schema}steps:
  - id: first
    service: good
    method: Buy
    compensate: { method: Refund, input: { sku: "{{ .first.order_id }}" } }
  - { id: second, service: bad, method: Buy }
  - { id: third, service: bad, method: Refund }
`;
}

/** Runs three steps: one at a good service, two at the bad one. */
async function run(endpoint: string, schema: string) {
  await using good = await startServer({
    scripts: {
      "acme.shop.v1.Shop/Buy": () => ({ order_id: "o1" }),
      "acme.shop.v1.Shop/Refund": () => ({}),
    },
  });
  await using files = await tempFiles({ "bad.yaml": workflow(good, schema) });
  const ended = await maestro(
    ["run", "bad.yaml", "--endpoint", `bad=${endpoint}`, "--run-id", "r", "--output", "json"],
    { cwd: files.directory },
  );
  assert.doesNotMatch(ended.stderr, /^ {4}at /m, "a stack trace");
  return { ...ended, calls: good.calls };
}

for (const { when, server, schema, code: expected, outcome, says } of CASES) {
  Deno.test(`when ${when}, a run says so, undoes what was done and ends with 1`, async () => {
    await using bad = await server();
    const { code, stdout, stderr, calls } = await run(
      bad.endpoint,
      schema === "reflection" ? "" : FILES,
    );
    assert.equal(code, 1, stderr);
    const { status, error } = JSON.parse(stdout);
    assert.equal(status, "compensated");
    assert.deepEqual([error.step, error.code, error.outcome], ["second", expected, outcome]);
    const head =
      `✗ Step "second" failed: ${expected} after 1 attempt (bad.Buy at ${bad.endpoint})\n`;
    assert.ok(stderr.includes(head), stderr);
    for (const text of says) {
      assert.ok(stderr.includes(text.replace("@", bad.endpoint)), `${text}\nis not in\n${stderr}`);
    }
    assert.match(stderr, /\n {2}Undone: first\n$/);
    assert.deepEqual(
      calls.map(({ method, request, metadata }) => [
        method,
        request,
        metadata["idempotency-key"],
        metadata["maestro-action-key"],
      ]),
      [
        ["acme.shop.v1.Shop/Buy", {}, "r/first/action", undefined],
        ["acme.shop.v1.Shop/Refund", { sku: "o1" }, "r/first/compensate", "r/first/action"],
      ],
    );
  });
}

Deno.test("a service that can't say its schema is found before anything runs, with the remedy", async () => {
  await using bad = await startServer({ scripts: {}, reflection: "none" });
  const { code, stdout, stderr, calls } = await run(bad.endpoint, "");
  assert.equal(code, 2);
  assert.deepEqual(calls, []);
  assert.match(
    steady(stderr),
    /^bad\.yaml:4:3: Cannot ask "bad" at <endpoint> for its schema: it has no server reflection; give "proto" or "descriptor_set" for it/,
  );
  // One problem of the service, however many steps call it.
  assert.equal(JSON.parse(stdout).problems.length, 1);
});

Deno.test("a connection that is lost is made again, and the call is made again under its key", async () => {
  const cut = { now: () => {} };
  await using shop = await startServer({
    scripts: {
      "acme.shop.v1.Shop/Refund": () => ({}),
      "acme.shop.v1.Shop/Buy": async ({ count }) => {
        if (count > 1) return { order_id: "again" };
        cut.now();
        return await new Promise(() => {});
      },
    },
  });
  await using proxy = await startProxy(shop.port);
  cut.now = proxy.cut;
  const { code, stdout } = await run(
    proxy.endpoint,
    `${FILES}    retry: { attempts: 2, initial_delay: 100ms }\n`,
  );
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout).steps[1].output, { order_id: "again" });
  assert.deepEqual(
    shop.calls.map(({ metadata }) => [metadata["idempotency-key"], metadata["maestro-attempt"]]),
    [["r/second/action", "1"], ["r/second/action", "2"], ["r/third/action", "1"]],
  );
});
