import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Answer } from "../../src/engine/doors.ts";
import { type Ending, endsSo } from "../support/four_kinds.ts";
import { callOnce, failureOf, openCaller, outputOf } from "../support/grpc_call.ts";
import { startServer, status } from "../support/grpc_server.ts";
import { targetAt } from "../support/grpc_target.ts";
import { SHOP_FILES } from "../support/shop_files.ts";
import {
  answerGrpc,
  frame,
  type RawServer,
  startHttp2,
  startProxy,
  startTcp,
} from "../support/raw_server.ts";

const PAGE = `<!DOCTYPE html><html>${"x".repeat(300)}</html>`;
const OK_FRAME = frame(Buffer.from([0x0a, 0x02, 0x6f, 0x31])); // {order_id: "o1"}

/** A server, and what a call of each kind to it comes to. */
interface Case extends Ending {
  readonly when: string;
  readonly server: () => Promise<RawServer>;
  readonly timeout?: number;
}

const CASES: readonly Case[] = [
  {
    when: "the connection is accepted and closed",
    server: () => startTcp((socket) => socket.destroy()),
    code: "UNAVAILABLE",
    message:
      'Cannot reach "shop" at @: it closed the connection at once: check that it is a gRPC server; if it uses TLS, set "tls: true" for it',
    outcome: "not_sent",
  },
  {
    when: "the connection is accepted, and nothing follows",
    server: () => startTcp(() => {}),
    timeout: 200,
    code: "DEADLINE_EXCEEDED",
    message: 'Cannot reach "shop" at @: no connection within 200ms',
    outcome: "not_sent",
  },
  {
    when: "it is a web server of old",
    server: () => startTcp((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
    code: "UNAVAILABLE",
    message:
      'Cannot reach "shop" at @: it closed the connection at once: check that it is a gRPC server; if it uses TLS, set "tls: true" for it',
    outcome: "not_sent",
  },
  {
    when: "it never answers",
    server: () => startHttp2(() => {}),
    timeout: 200,
    code: "DEADLINE_EXCEEDED",
    message: '"shop" at @ gave no answer within 200ms',
    outcome: "unknown",
  },
  {
    when: "it closes the connection in the middle",
    server: async () => {
      const server: RawServer = await startHttp2(() => server.cut());
      return server;
    },
    code: "UNAVAILABLE",
    message: '"shop" at @ closed the connection before it answered',
    outcome: "unknown",
  },
  {
    when: "it ends the session in the middle",
    server: () => startHttp2((stream) => stream.session?.destroy()),
    code: "UNAVAILABLE",
    message: '"shop" at @ closed the connection before it answered',
    outcome: "unknown",
  },
  {
    when: "there is a page of HTML on the port, as 503",
    server: () =>
      startHttp2((stream) => {
        stream.respond({ ":status": 503, "content-type": "text/html" });
        stream.end(PAGE);
      }),
    code: "UNAVAILABLE",
    message:
      '"shop" at @ answered with text and no gRPC: is there a proxy in between, or another server on that port?',
    outcome: "unknown",
  },
  {
    when: "there is a page of HTML on the port, as 200",
    server: () =>
      startHttp2((stream) => {
        stream.respond({ ":status": 200, "content-type": "text/html" });
        stream.end(PAGE);
      }),
    code: "UNAVAILABLE",
    message:
      '"shop" at @ answered with text and no gRPC: is there a proxy in between, or another server on that port?',
    outcome: "unknown",
  },
  {
    when: "it answers with an HTTP status alone",
    server: () => startHttp2((stream) => stream.respond({ ":status": 503 }, { endStream: true })),
    code: "UNAVAILABLE",
    message:
      '"shop" at @ answered with HTTP status 503 and no gRPC: is there a proxy in between, or another server on that port?',
    outcome: "unknown",
  },
  {
    when: "its message is garbage",
    server: () => startHttp2((stream) => answerGrpc(stream, frame(new Uint8Array([0x0a, 0xff])))),
    code: "INTERNAL",
    message:
      '"shop" at @ answered with data that is no acme.shop.v1.BuyReply: premature EOF; does its schema differ from the one in use?',
    outcome: "unknown",
    begun: true,
  },
  {
    when: "its message is too large",
    server: () =>
      startHttp2((stream) => answerGrpc(stream, frame(new Uint8Array(9), 5 * 1024 * 1024))),
    code: "RESOURCE_EXHAUSTED",
    local: true,
    message: '"shop" at @ answered with 5242880 bytes, more than its "max_message_size" of 4MiB',
    outcome: "unknown",
  },
  {
    when: "it gives a message and no status",
    server: () =>
      startHttp2((stream) => {
        stream.respond({ ":status": 200, "content-type": "application/grpc" });
        stream.end(OK_FRAME);
      }),
    code: "INTERNAL",
    message: '"shop" at @ ended the call without a gRPC status',
    outcome: "unknown",
    begun: true,
  },
  {
    when: "it quotes another service's failure",
    server: () =>
      startHttp2((stream) =>
        stream.respond({
          ":status": 200,
          "content-type": "application/grpc+proto",
          "grpc-status": "14",
          "grpc-message": "Connection dropped",
        }, { endStream: true })
      ),
    code: "UNAVAILABLE",
    message: "Connection dropped",
    outcome: "unknown",
  },
];

for (const { when, server, timeout = 2_000, ...expected } of CASES) {
  Deno.test(`call() of every kind fails as ${expected.code} when ${when}`, async () => {
    await using running = await server();
    await using caller = openCaller({
      // A connection that could not be made, or was lost, is tried again.
      lingers: expected.code === "UNAVAILABLE" || expected.code === "CANCELLED" ||
          expected.message.startsWith("Cannot reach")
        ? 400
        : 0,
    });
    await endsSo(caller, targetAt(running.endpoint, SHOP_FILES), expected, { timeout });
  });
}

Deno.test("call() fails as UNAVAILABLE and not_sent when nobody is there", async () => {
  await using caller = openCaller({ lingers: 400 });
  const cases = [
    ["127.0.0.1:1", "connection refused"],
    ["ipv4:127.0.0.1:1,127.0.0.1:2", "connection refused"],
    ["no-such-host.invalid:50051", "its name cannot be resolved"],
    ["dns:///no-such-host.invalid:50051", "its name cannot be resolved"],
    ["unix:/no/such.sock", "there is no such socket"],
  ];
  for (const [endpoint = "", reason = ""] of cases) {
    const target = targetAt(endpoint, SHOP_FILES);
    assert.deepEqual(failureOf(await callOnce(caller, target, "Shop/Buy")), {
      code: "UNAVAILABLE",
      message: `Cannot reach "shop" at ${endpoint}: ${reason}`,
      outcome: "not_sent",
    });
  }
});

Deno.test("call() fails as UNAVAILABLE when the server is stopped in the middle", async () => {
  const started = Promise.withResolvers<void>();
  await using server = await startServer({
    scripts: {
      "acme.shop.v1.Shop/Buy": () => {
        started.resolve();
        return new Promise(() => {});
      },
    },
  });
  await using caller = openCaller();
  const answer = callOnce(caller, targetAt(server.endpoint), "Shop/Buy");
  await started.promise;
  server.stop();
  const { code, outcome } = failureOf(await answer);
  assert.deepEqual({ code, outcome }, { code: "UNAVAILABLE", outcome: "unknown" });
});

Deno.test("call() connects again soon after a connection was lost", async () => {
  await using server = await startServer({
    scripts: { "acme.shop.v1.Shop/Buy": () => ({ order_id: "o1" }) },
  });
  await using proxy = await startProxy(server.port);
  await using caller = openCaller({ lingers: 400 });
  const target = targetAt(proxy.endpoint);
  outputOf(await callOnce(caller, target, "Shop/Buy"));
  proxy.cut();
  await new Promise((resolve) => setTimeout(resolve, 20));
  outputOf(await callOnce(caller, target, "Shop/Buy"));
});

Deno.test("call() ends an aborted call at the server too", async () => {
  const started = Promise.withResolvers<AbortSignal>();
  await using server = await startServer({
    scripts: {
      "acme.shop.v1.Shop/Buy": ({ signal }) => {
        started.resolve(signal);
        return new Promise(() => {});
      },
    },
  });
  await using caller = openCaller();
  const abort = new AbortController();
  const target = targetAt(server.endpoint);
  const answer = callOnce(caller, target, "Shop/Buy", {}, { signal: abort.signal });
  const atServer = await started.promise;
  const reached = new Promise((resolve) => atServer.addEventListener("abort", resolve));
  abort.abort();
  assert.deepEqual(failureOf(await answer), {
    code: "CANCELLED",
    message: `The call to "shop" at ${server.endpoint} was cancelled`,
    outcome: "unknown",
  });
  await reached;
  assert.equal(server.cancelled, 1);
});

Deno.test("call() does not send what was aborted before, and knows when it never left", async () => {
  await using silent = await startTcp(() => {});
  await using caller = openCaller({ lingers: 400 });
  const target = targetAt(silent.endpoint, SHOP_FILES);
  const before = callOnce(caller, target, "Shop/Buy", {}, { signal: AbortSignal.abort() });
  const during = callOnce(caller, target, "Shop/Buy", {}, { signal: AbortSignal.timeout(50) });
  for (const answer of [before, during]) {
    const { code, outcome } = failureOf(await answer);
    assert.deepEqual({ code, outcome }, { code: "CANCELLED", outcome: "not_sent" });
  }
});

Deno.test("call() gives a service's refusals their outcome", async () => {
  const codes = [
    [3, "INVALID_ARGUMENT", "rejected"],
    [5, "NOT_FOUND", "rejected"],
    [12, "UNIMPLEMENTED", "rejected"],
    [2, "UNKNOWN", "unknown"],
    [8, "RESOURCE_EXHAUSTED", "unknown"],
    [14, "UNAVAILABLE", "unknown"],
  ] as const;
  let code = 0;
  await using server = await startServer({
    scripts: {
      "acme.shop.v1.Shop/Buy": () => {
        throw status(code, `says ${code}`);
      },
    },
  });
  await using caller = openCaller();
  for (const [number, name, outcome] of codes) {
    code = number;
    const answer: Answer = await callOnce(caller, targetAt(server.endpoint), "Shop/Buy");
    assert.deepEqual(failureOf(answer), { code: name, message: `says ${number}`, outcome });
  }
});
