// Servers that break HTTP/2 or gRPC off at every point there is: what each kind of call comes to.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type Ending, endsSo } from "../support/four_kinds.ts";
import { callOnce, failureOf, openCaller, outputOf } from "../support/grpc_call.ts";
import { targetAt } from "../support/grpc_target.ts";
import {
  answerFrames,
  GRPC_HEADERS,
  H2,
  type RawStream,
  startFrames,
} from "../support/raw_http2.ts";
import { compressedFrame, frame } from "../support/raw_server.ts";
import { SHOP_FILES } from "../support/shop_files.ts";

const MESSAGE = frame(Buffer.from([0x0a, 0x02, 0x6f, 0x31])); // {order_id: "o1"}
const HALF = MESSAGE.subarray(0, 7);

/** Headers, these bytes, and then, when they have arrived, the rest. */
function after(bytes: Uint8Array, rest: (stream: RawStream) => void): (stream: RawStream) => void {
  return (stream) => {
    stream.headers(GRPC_HEADERS);
    if (bytes.length > 0) stream.data(bytes);
    void stream.seen().then(() => rest(stream));
  };
}

const NOTHING = new Uint8Array();

interface Case extends Ending {
  readonly when: string;
  readonly does: (stream: RawStream) => void;
}

const SHUTS = "it is shutting down or overloaded";
const HOW_COMPRESSED =
  '"shop" at @ answered with a message compressed by a method other than gzip and deflate';

const CASES: readonly Case[] = [
  {
    when: "it refuses the stream",
    does: (stream) => stream.reset(H2.REFUSED_STREAM),
    code: "UNAVAILABLE",
    message: `"shop" at @ refused the call: ${SHUTS}`,
    outcome: "not_sent",
  },
  {
    when: "it refuses the stream that it has begun to answer",
    does: after(NOTHING, (stream) => stream.reset(H2.REFUSED_STREAM)),
    code: "UNAVAILABLE",
    message: `"shop" at @ broke off the call that it had begun to answer: ${SHUTS}`,
    outcome: "unknown",
  },
  {
    when: "it resets the stream before its headers, with no error",
    does: (stream) => stream.reset(H2.NO_ERROR),
    code: "INTERNAL",
    message: '"shop" at @ ended the call without a gRPC status',
    outcome: "unknown",
  },
  {
    when: "it resets the stream before its headers, with PROTOCOL_ERROR",
    does: (stream) => stream.reset(H2.PROTOCOL_ERROR),
    code: "INTERNAL",
    message: '"shop" at @ broke the call off: HTTP/2 error 1',
    outcome: "unknown",
  },
  {
    when: "it resets the stream before its headers, with INTERNAL_ERROR",
    does: (stream) => stream.reset(H2.INTERNAL_ERROR),
    code: "INTERNAL",
    message: '"shop" at @ broke the call off: Internal server error',
    outcome: "unknown",
  },
  {
    when: "it resets the stream before its headers, with CANCEL",
    does: (stream) => stream.reset(H2.CANCEL),
    code: "CANCELLED",
    message: '"shop" at @ cancelled the call',
    outcome: "unknown",
  },
  {
    when: "it resets the stream before its headers, with ENHANCE_YOUR_CALM",
    does: (stream) => stream.reset(H2.ENHANCE_YOUR_CALM),
    code: "RESOURCE_EXHAUSTED",
    message: '"shop" at @ broke the call off: it is asked for too much (ENHANCE_YOUR_CALM)',
    outcome: "unknown",
  },
  {
    when: "it resets the stream before its headers, with INADEQUATE_SECURITY",
    does: (stream) => stream.reset(H2.INADEQUATE_SECURITY),
    code: "PERMISSION_DENIED",
    message: '"shop" at @ broke the call off: its connection is not secure enough',
    outcome: "unknown", // the transport said so, and not the service
  },
  {
    when: "it resets the stream after its headers",
    does: after(NOTHING, (stream) => stream.reset(H2.INTERNAL_ERROR)),
    code: "INTERNAL",
    message: '"shop" at @ broke the call off: Internal server error',
    outcome: "unknown",
  },
  {
    when: "it resets the stream after a message",
    does: after(MESSAGE, (stream) => stream.reset(H2.INTERNAL_ERROR)),
    code: "INTERNAL",
    message: '"shop" at @ broke the call off: Internal server error',
    outcome: "unknown",
    begun: true,
  },
  {
    when: "it gives half a message and ends the stream",
    does: after(NOTHING, (stream) => stream.data(HALF, true)),
    code: "INTERNAL",
    message: '"shop" at @ ended the call without a gRPC status',
    outcome: "unknown",
  },
  {
    when: "it gives half a message and ends the connection",
    does: after(HALF, (stream) => stream.socket.end()),
    code: "UNAVAILABLE",
    message: '"shop" at @ closed the connection before it answered',
    outcome: "unknown",
  },
  {
    when: "it gives half a message and resets the stream",
    does: after(HALF, (stream) => stream.reset(H2.INTERNAL_ERROR)),
    code: "INTERNAL",
    message: '"shop" at @ broke the call off: Internal server error',
    outcome: "unknown",
  },
  {
    when: "it gives half a message and resets the connection",
    does: after(HALF, (stream) => stream.socket.resetAndDestroy()),
    code: "UNAVAILABLE",
    message: '"shop" at @ closed the connection before it answered',
    outcome: "unknown",
  },
  {
    when: "it gives a message and a half and ends the connection",
    does: after(Buffer.concat([MESSAGE, HALF]), (stream) => stream.socket.end()),
    code: "UNAVAILABLE",
    message: '"shop" at @ closed the connection after 1 message',
    outcome: "unknown",
    begun: true,
  },
  {
    when: "it says GOAWAY before it took the stream, on every connection",
    does: (stream) => stream.goaway(0, H2.NO_ERROR),
    code: "UNAVAILABLE",
    message: `"shop" at @ refused the call: ${SHUTS}`,
    outcome: "not_sent",
  },
  {
    when: "it says GOAWAY with an error before it took the stream",
    does: (stream) => stream.goaway(0, H2.ENHANCE_YOUR_CALM),
    code: "UNAVAILABLE",
    message:
      '"shop" at @ closed the connection before it answered (HTTP/2 error 11, ENHANCE_YOUR_CALM)',
    outcome: "unknown", // grpc-js does not tell which streams the server took
  },
  {
    when: "it says GOAWAY with an error after it took the stream",
    does: (stream) => stream.goaway(stream.id, H2.INTERNAL_ERROR),
    code: "UNAVAILABLE",
    message: '"shop" at @ closed the connection before it answered (HTTP/2 error 2)',
    outcome: "unknown",
  },
  {
    when: "it says GOAWAY with an error after a message",
    does: after(MESSAGE, (stream) => stream.goaway(stream.id, H2.PROTOCOL_ERROR)),
    code: "UNAVAILABLE",
    message: '"shop" at @ closed the connection after 1 message (HTTP/2 error 1)',
    outcome: "unknown",
    begun: true,
  },
  {
    when: "it says GOAWAY, and the connection ends before the answer that it owes",
    does: (stream) => {
      stream.goaway(stream.id, H2.NO_ERROR);
      void stream.seen().then(() => stream.socket.end());
    },
    code: "UNAVAILABLE",
    message: '"shop" at @ closed the connection before it answered',
    outcome: "unknown",
  },
  {
    when: "it answers with trailers only",
    does: (stream) => {
      const trailers = { "grpc-status": "9", "grpc-message": "Out of stock" };
      stream.headers({ ...GRPC_HEADERS, ...trailers }, true);
    },
    code: "FAILED_PRECONDITION",
    message: "Out of stock",
    outcome: "rejected",
  },
  {
    when: "it fails after a message",
    does: (stream) =>
      answerFrames(stream, MESSAGE, { "grpc-status": "10", "grpc-message": "Sold meanwhile" }),
    code: "ABORTED",
    message: "Sold meanwhile",
    outcome: "rejected",
    begun: true,
  },
  {
    when: "it says that another service refused it",
    does: (stream) => {
      const trailers = { "grpc-status": "14", "grpc-message": "Stream refused by server" };
      stream.headers({ ...GRPC_HEADERS, ...trailers }, true);
    },
    code: "UNAVAILABLE",
    message: "Stream refused by server",
    outcome: "unknown", // it had the call
  },
  {
    when: "its trailers have no status",
    does: (stream) => answerFrames(stream, MESSAGE, { "x-status": "0" }),
    code: "UNKNOWN",
    message: '"shop" at @ ended the call without a gRPC status',
    outcome: "unknown",
    begun: true,
  },
  {
    when: "its status is no code of gRPC",
    does: (stream) => answerFrames(stream, NOTHING, { "grpc-status": "99", "grpc-message": "Huh" }),
    code: "UNKNOWN",
    message: "Huh",
    outcome: "unknown",
  },
  {
    when: "it says OK and gives no message",
    does: (stream) => answerFrames(stream, NOTHING),
    code: "INTERNAL",
    message: '"shop" at @ answered OK without a message',
    outcome: "unknown",
    many: { output: [] },
  },
  {
    when: "it answers twice",
    does: (stream) => answerFrames(stream, Buffer.concat([MESSAGE, MESSAGE])),
    code: "INTERNAL",
    message: '"shop" at @ answered with more than the one message that is due',
    outcome: "unknown",
    begun: true,
    many: { output: ["o1", "o1"] },
  },
  {
    when: "its message is compressed in an unknown way",
    does: (stream) => {
      stream.headers({ ...GRPC_HEADERS, "grpc-encoding": "zstd" });
      stream.data(compressedFrame(new Uint8Array(3)));
      stream.headers({ "grpc-status": "0" }, true);
    },
    code: "INTERNAL",
    message: HOW_COMPRESSED,
    outcome: "unknown",
  },
  {
    when: "its message is compressed, and it does not say how",
    does: (stream) => answerFrames(stream, compressedFrame(new Uint8Array(3))),
    code: "INTERNAL",
    message: HOW_COMPRESSED,
    outcome: "unknown",
  },
  {
    when: "its message is not the gzip that it says it is",
    does: (stream) => {
      stream.headers({ ...GRPC_HEADERS, "grpc-encoding": "gzip" });
      stream.data(compressedFrame(new Uint8Array(3)));
      stream.headers({ "grpc-status": "0" }, true);
    },
    code: "INTERNAL",
    message: '"shop" at @ answered with a message that is not the gzip it is said to be',
    outcome: "unknown",
  },
];

for (const { when, does, ...ending } of CASES) {
  Deno.test(`call() of every kind fails as ${ending.code}, ${ending.outcome}, when ${when}`, async () => {
    await using server = await startFrames(does);
    // A connection that was lost is made again.
    await using caller = openCaller({ lingers: ending.code === "UNAVAILABLE" ? 400 : 0 });
    await endsSo(caller, targetAt(server.endpoint, SHOP_FILES), ending);
  });
}

Deno.test("call() of every kind is answered by a server that says GOAWAY after it took the stream", async () => {
  await using server = await startFrames((stream) => {
    stream.goaway(stream.id, H2.NO_ERROR);
    void stream.seen().then(() => answerFrames(stream, MESSAGE));
  });
  await using caller = openCaller({ lingers: 400 });
  const target = targetAt(server.endpoint, SHOP_FILES);
  for (const [method, input] of [["Buy", {}], ["Upload", [{}, {}]]] as const) {
    assert.deepEqual(outputOf(await callOnce(caller, target, `Shop/${method}`, input)), {
      order_id: "o1",
    });
  }
  for (const [method, input] of [["Watch", {}], ["Talk", [{}, {}]]] as const) {
    assert.deepEqual(outputOf(await callOnce(caller, target, `Shop/${method}`, input)), [
      { order_id: "o1" },
    ]);
  }
});

Deno.test("call() goes by a new connection where GOAWAY came before the stream was taken", async () => {
  for (const [method, input] of [["Buy", {}], ["Talk", [{}, {}]]] as const) {
    const connections: number[] = [];
    await using server = await startFrames((stream) => {
      connections.push(stream.connection);
      if (stream.connection === 1) stream.goaway(0, H2.NO_ERROR);
      else answerFrames(stream, MESSAGE);
    });
    await using caller = openCaller({ lingers: 400 });
    const target = targetAt(server.endpoint, SHOP_FILES);
    outputOf(await callOnce(caller, target, `Shop/${method}`, input));
    assert.deepEqual(connections, [1, 2]);
  }
});

Deno.test("call() of every kind does not wait for an answer that comes after its deadline", async () => {
  await using server = await startFrames((stream) => {
    void stream.wasReset.then(() => answerFrames(stream, MESSAGE));
  });
  await using caller = openCaller();
  await endsSo(caller, targetAt(server.endpoint, SHOP_FILES), {
    code: "DEADLINE_EXCEEDED",
    message: '"shop" at @ gave no answer within 200ms',
    outcome: "unknown",
  }, { timeout: 200 });
});

Deno.test("call() of every kind says how far an answer came by its deadline", async () => {
  await using server = await startFrames(after(MESSAGE, () => {}));
  await using caller = openCaller();
  await endsSo(caller, targetAt(server.endpoint, SHOP_FILES), {
    code: "DEADLINE_EXCEEDED",
    message: '"shop" at @ sent 1 message, but did not end the call within 300ms',
    outcome: "unknown",
    begun: true,
  }, { timeout: 300 });
});

Deno.test("call() of every kind says that nobody is there", async () => {
  await using caller = openCaller({ lingers: 400 });
  await endsSo(caller, targetAt("127.0.0.1:1", SHOP_FILES), {
    code: "UNAVAILABLE",
    message: 'Cannot reach "shop" at @: connection refused',
    outcome: "not_sent",
  });
});

Deno.test("call() cancels what answers with too much, so that its server stops", async () => {
  const reset = Promise.withResolvers<void>();
  await using server = await startFrames((stream) => {
    stream.headers(GRPC_HEADERS);
    stream.data(Buffer.concat([MESSAGE, MESSAGE]));
    void stream.wasReset.then(reset.resolve);
  });
  await using caller = openCaller();
  const answer = await callOnce(caller, targetAt(server.endpoint, SHOP_FILES), "Shop/Buy");
  assert.equal(failureOf(answer).code, "INTERNAL");
  await reset.promise;
});
