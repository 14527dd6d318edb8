// What a step came to when its call ended one way or another, seen through what is undone:
// semantics.md §3. What was not sent, or is rejected, is not undone; what is in doubt is.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { GRPC_CODES } from "../../src/workflow/words.ts";
import {
  cameTo,
  type FailedOutcome,
  inWords,
  playDoubtful,
  undone,
} from "../support/doubtful_step.ts";
import { startServer } from "../support/grpc_server.ts";
import {
  answerFrames,
  GRPC_HEADERS,
  H2,
  type RawStream,
  startFrames,
} from "../support/raw_http2.ts";
import { frame } from "../support/raw_server.ts";
import { BUY, failing, type GrpcCode, inTurn, openShop, type Turn } from "../support/shop_runs.ts";

const MESSAGE = frame(Buffer.from([0x0a, 0x02, 0x6f, 0x31])); // {order_id: "o1"}
const HALF = MESSAGE.subarray(0, 7);

/** Headers and these bytes, and when they have arrived, the rest. */
function after(bytes: Uint8Array, rest: (stream: RawStream) => void): (stream: RawStream) => void {
  return (stream) => {
    stream.headers(GRPC_HEADERS);
    if (bytes.length > 0) stream.data(bytes);
    void stream.seen().then(() => rest(stream));
  };
}

/** What a server does with a call, frame by frame. */
const BREACHES: readonly (readonly [when: string, FailedOutcome, (stream: RawStream) => void])[] = [
  ["refuses the stream", "not_sent", (stream) => stream.reset(H2.REFUSED_STREAM)],
  ["says GOAWAY before it took the stream", "not_sent", (stream) => stream.goaway(0, H2.NO_ERROR)],
  ["resets the stream before its headers", "unknown", (stream) => stream.reset(H2.INTERNAL_ERROR)],
  [
    "resets the stream after its headers",
    "unknown",
    after(new Uint8Array(), (stream) => stream.reset(H2.INTERNAL_ERROR)),
  ],
  [
    "refuses the stream after its headers",
    "unknown",
    after(new Uint8Array(), (stream) => stream.reset(H2.REFUSED_STREAM)),
  ],
  [
    "gives half a message and ends the stream",
    "unknown",
    after(new Uint8Array(), (stream) => stream.data(HALF, true)),
  ],
  [
    "gives half a message and ends the connection",
    "unknown",
    after(HALF, (stream) => stream.socket.end()),
  ],
  [
    "gives a message and no status",
    "unknown",
    after(MESSAGE, (stream) => stream.reset(H2.NO_ERROR)),
  ],
  ["ends the connection", "unknown", (stream) => void stream.socket.destroy()],
  [
    "says GOAWAY and ends the connection before the answer that it owes",
    "unknown",
    (stream) => {
      stream.goaway(stream.id, H2.NO_ERROR);
      void stream.seen().then(() => stream.socket.end());
    },
  ],
  [
    "answers OK without a message",
    "unknown",
    (stream) => answerFrames(stream, new Uint8Array()),
  ],
];

for (const [when, outcome, does] of BREACHES) {
  Deno.test(`a step whose server ${when} is ${outcome}: ${inWords(outcome)}`, async () => {
    await using bad = await startFrames(does);
    await using runs = await openShop();
    const report = await playDoubtful(runs, bad.endpoint);
    assert.equal(report.status, "compensated");
    cameTo(runs, report, outcome);
  });
}

const REJECTED: readonly GrpcCode[] = [
  "INVALID_ARGUMENT",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "UNAUTHENTICATED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
];

for (const code of GRPC_CODES) {
  const outcome = REJECTED.includes(code) ? "rejected" : "unknown";
  Deno.test(`a step that is answered ${code} is ${outcome}: ${inWords(outcome)}`, async () => {
    await using bad = await startServer({ scripts: { [BUY]: inTurn(failing(code)) } });
    await using runs = await openShop();
    cameTo(runs, await playDoubtful(runs, bad.endpoint), outcome);
  });
}

/** Several attempts: what each meets, and what they come to together. */
const SEQUENCES: readonly (readonly [FailedOutcome | "completed", readonly [Turn, ...Turn[]]])[] = [
  ["unknown", [failing("UNAVAILABLE"), failing("FAILED_PRECONDITION")]],
  ["unknown", [failing("ABORTED"), failing("UNAVAILABLE"), failing("ABORTED")]],
  ["unknown", [failing("ABORTED"), failing("ABORTED"), failing("UNAVAILABLE")]],
  ["rejected", [failing("ABORTED"), failing("ABORTED"), failing("NOT_FOUND")]],
  ["completed", [failing("UNAVAILABLE"), failing("ABORTED"), { order_id: "o1" }]],
];

const RETRIES = "retry: { attempts: 3, initial_delay: 5ms, codes: [ABORTED] }";

for (const [outcome, turns] of SEQUENCES) {
  const said = turns.map((turn) => turn instanceof Error ? turn.message.split(" ")[0] : "OK");
  Deno.test(`attempts that are answered ${said.join(", ")} make the step ${outcome}`, async () => {
    await using bad = await startServer({ scripts: { [BUY]: inTurn(...turns) } });
    await using runs = await openShop();
    const report = await playDoubtful(runs, bad.endpoint, { settings: RETRIES });
    assert.equal(bad.calls.length, turns.length);
    if (outcome !== "completed") return cameTo(runs, report, outcome);
    assert.equal(report.status, "completed");
    assert.deepEqual(undone(runs, report), []);
  });
}
