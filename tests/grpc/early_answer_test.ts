// Servers that end a call before they have read what is sent to them.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Answer } from "../../src/engine/doors.ts";
import { toJson } from "../../src/workflow/value.ts";
import { callOnce, openCaller } from "../support/grpc_call.ts";
import { targetAt } from "../support/grpc_target.ts";
import {
  answerFrames,
  GRPC_HEADERS,
  H2,
  type RawStream,
  startFrames,
} from "../support/raw_http2.ts";
import { frame } from "../support/raw_server.ts";
import { SHOP_FILES } from "../support/shop_files.ts";

const MESSAGE = frame(Buffer.from([0x0a, 0x02, 0x6f, 0x31])); // {order_id: "o1"}
const MANY = Buffer.concat(Array.from({ length: 200 }, () => MESSAGE));

const SMALL = [{}, {}, {}];
/** Far more than a server takes that reads nothing. */
const LARGE = Array.from({ length: 20 }, () => ({ sku: "x".repeat(100_000) }));

/** What it came to, in one word or two. */
function said(answer: Answer): string {
  if (!answer.ok) return `${answer.failure.code} ${answer.failure.outcome}`;
  const output = toJson(answer.output);
  return Array.isArray(output) ? `${output.length} answers` : "an answer";
}

const CASES: readonly {
  readonly when: string;
  readonly does: (stream: RawStream) => void;
  readonly upload: string;
  readonly talk: string;
}[] = [
  {
    when: "answers",
    does: (stream) => answerFrames(stream, MESSAGE),
    upload: "an answer",
    talk: "1 answers",
  },
  {
    when: "answers, and resets the stream as RFC 9113 has it",
    does: (stream) => {
      answerFrames(stream, MESSAGE);
      stream.reset(H2.NO_ERROR);
    },
    upload: "an answer",
    talk: "1 answers",
  },
  {
    when: "answers at length, and resets the stream",
    does: (stream) => {
      answerFrames(stream, MANY);
      stream.reset(H2.NO_ERROR);
    },
    upload: "INTERNAL unknown",
    talk: "200 answers",
  },
  {
    when: "refuses it with trailers only, and resets the stream",
    does: (stream) => {
      stream.headers({ ...GRPC_HEADERS, "grpc-status": "7", "grpc-message": "no" }, true);
      stream.reset(H2.NO_ERROR);
    },
    upload: "PERMISSION_DENIED rejected",
    talk: "PERMISSION_DENIED rejected",
  },
  {
    when: "refuses the stream",
    does: (stream) => stream.reset(H2.REFUSED_STREAM),
    upload: "UNAVAILABLE not_sent",
    talk: "UNAVAILABLE not_sent",
  },
  {
    when: "resets the stream",
    does: (stream) => stream.reset(H2.INTERNAL_ERROR),
    upload: "INTERNAL unknown",
    talk: "INTERNAL unknown",
  },
  {
    when: "closes the connection",
    does: (stream) => void stream.socket.destroy(),
    upload: "UNAVAILABLE unknown",
    talk: "UNAVAILABLE unknown",
  },
];

for (const { when, does, ...expected } of CASES) {
  Deno.test(`call() of a stream that its server does not read to the end: it ${when}`, async () => {
    // The server goes first: what it has not read keeps a connection open on the client's side.
    await using caller = openCaller({ lingers: 400 });
    await using server = await startFrames(does, "headers");
    const target = targetAt(server.endpoint, SHOP_FILES);
    for (const input of [SMALL, LARGE]) {
      for (let round = 0; round < 3; round++) {
        const options = { timeout: 10_000 };
        const upload = await callOnce(caller, target, "Shop/Upload", input, options);
        const talk = await callOnce(caller, target, "Shop/Talk", input, options);
        assert.deepEqual({ upload: said(upload), talk: said(talk) }, expected);
      }
    }
  });
}

Deno.test("call() knows a lost connection from a cancelled call, also among several servers", async () => {
  const [cut, cancel] = [
    (stream: RawStream) => void stream.socket.destroy(),
    (stream: RawStream) => stream.reset(H2.CANCEL),
  ];
  for (const [does, expected] of [[cut, "UNAVAILABLE"], [cancel, "CANCELLED"]] as const) {
    await using one = await startFrames(does);
    await using two = await startFrames(does);
    await using caller = openCaller({ lingers: 400 });
    const target = targetAt(`ipv4:127.0.0.1:${one.port},127.0.0.1:${two.port}`, {
      ...SHOP_FILES,
      loadBalancing: "round_robin",
    });
    const answer = await callOnce(caller, target, "Shop/Buy");
    assert.equal(said(answer), `${expected} unknown`);
  }
});
