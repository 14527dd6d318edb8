/** When a call is made again (semantics.md §1), row by row, with fixed random numbers. */
import assert from "node:assert/strict";
import { Metadata } from "@grpc/grpc-js";
import { readPushback } from "../../src/grpc/pushback.ts";
import { backoffDelay } from "../../src/machines/backoff.ts";
import type { AttemptFailure } from "../../src/machines/failure.ts";
import { outcomeOfAttempts, outcomeOfCode } from "../../src/machines/outcome.ts";
import { type Failed, retryAction, retryCompensation } from "../../src/machines/retry.ts";
import type { RetryRule } from "../../src/workflow/model.ts";

const RULE: RetryRule = {
  attempts: 5,
  backoff: "exponential",
  initialDelay: 500,
  multiplier: 2,
  maxDelay: 10_000,
  jitter: 0.5,
  codes: [],
};

function failed(failure: Partial<AttemptFailure>, more: Partial<Failed> = {}): Failed {
  return {
    failure: { code: "UNAVAILABLE", message: "", outcome: "unknown", ...failure },
    attempts: 1,
    retry: 1,
    at: 1_000,
    random: 0,
    deadline: null,
    ...more,
  };
}

const NO_JITTER: RetryRule = { ...RULE, jitter: 0 };

for (
  const [name, rule, random, delays] of [
    ["exponential", NO_JITTER, 0.9, [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]],
    ["exponential, jitter 0.5, random 0", RULE, 0, [500, 1_000, 2_000, 4_000, 8_000, 10_000]],
    ["exponential, jitter 0.5, random 0.5", RULE, 0.5, [375, 750, 1_500, 3_000, 6_000, 7_500]],
    ["exponential, jitter 0.5, random → 1", RULE, 1, [250, 500, 1_000, 2_000, 4_000, 5_000]],
    ["exponential, jitter 1, random → 1", { ...RULE, jitter: 1 }, 1, [0, 0, 0]],
    ["exponential, ×1", { ...NO_JITTER, multiplier: 1 }, 0, [500, 500, 500]],
    ["exponential, ×1.5", { ...NO_JITTER, multiplier: 1.5 }, 0, [500, 750, 1_125]],
    ["exponential, max_delay below initial_delay", { ...NO_JITTER, maxDelay: 100 }, 0, [100, 100]],
    ["constant", { ...NO_JITTER, backoff: "constant" }, 0.9, [500, 500, 500, 500]],
    ["constant, jitter 0.5, random 0.5", { ...RULE, backoff: "constant" }, 0.5, [375, 375, 375]],
  ] as const
) {
  Deno.test(`backoff: ${name}: ${delays.join(", ")} ms`, () => {
    assert.deepEqual(delays.map((_, index) => backoffDelay(rule, index + 1, random)), delays);
  });
}

Deno.test("backoff: the delay is never above max_delay, however many retries and whatever the random number", () => {
  for (const random of [0, 0.3, 0.999]) {
    for (const retry of [50, 1_000, 5_000]) {
      const delay = backoffDelay(RULE, retry, random);
      assert.ok(delay <= RULE.maxDelay && delay >= RULE.maxDelay / 2, `${retry}: ${delay}`);
    }
  }
});

interface Row {
  readonly name: string;
  readonly failure: Partial<AttemptFailure>;
  readonly codes?: readonly string[];
  readonly ownCodes?: readonly string[];
  /** Whether it is retried: where idempotent, and where not. */
  readonly retried: readonly [idempotent: boolean, not: boolean];
}

const NOT_SENT = { outcome: "not_sent" } as const;

const TABLE: readonly Row[] = [
  { name: "UNAVAILABLE", failure: {}, retried: [true, false] },
  {
    name: "DEADLINE_EXCEEDED of the attempt",
    failure: { code: "DEADLINE_EXCEEDED" },
    retried: [true, false],
  },
  {
    name: "RESOURCE_EXHAUSTED without a server delay",
    failure: { code: "RESOURCE_EXHAUSTED" },
    retried: [false, false],
  },
  {
    name: "RESOURCE_EXHAUSTED with pushback",
    failure: { code: "RESOURCE_EXHAUSTED", pushback: 5 },
    retried: [true, false],
  },
  {
    name: "RESOURCE_EXHAUSTED with pushback 0",
    failure: { code: "RESOURCE_EXHAUSTED", pushback: 0 },
    retried: [true, false],
  },
  {
    name: "RESOURCE_EXHAUSTED with pushback that says stop",
    failure: { code: "RESOURCE_EXHAUSTED", pushback: "stop", retryDelay: 5 },
    retried: [false, false],
  },
  {
    name: "RESOURCE_EXHAUSTED with RetryInfo",
    failure: { code: "RESOURCE_EXHAUSTED", retryDelay: 5 },
    retried: [true, false],
  },
  {
    name: "RESOURCE_EXHAUSTED that the service's retry names, without a server delay",
    failure: { code: "RESOURCE_EXHAUSTED" },
    codes: ["RESOURCE_EXHAUSTED"],
    retried: [true, false],
  },
  {
    name: "a code that the service's retry names",
    failure: { code: "ABORTED" },
    codes: ["ABORTED"],
    retried: [true, false],
  },
  {
    name: "a code that the step's own retry names",
    failure: { code: "ABORTED" },
    codes: ["ABORTED"],
    ownCodes: ["ABORTED"],
    retried: [true, true],
  },
  {
    name: "UNAVAILABLE that the service's retry names: that says nothing of a call not idempotent",
    failure: {},
    codes: ["UNAVAILABLE"],
    retried: [true, false],
  },
  {
    name: "UNAVAILABLE that the step's own retry names",
    failure: {},
    ownCodes: ["UNAVAILABLE"],
    retried: [true, true],
  },
  {
    name: "UNAVAILABLE of a call that provably never left",
    failure: NOT_SENT,
    retried: [true, true],
  },
  {
    name: "DEADLINE_EXCEEDED of a call that provably never left",
    failure: { code: "DEADLINE_EXCEEDED", ...NOT_SENT },
    retried: [true, true],
  },
  {
    name: "a code that the service's retry names, of a call that provably never left",
    failure: { code: "INTERNAL", ...NOT_SENT },
    codes: ["INTERNAL"],
    retried: [true, true],
  },
  {
    name: "RESOURCE_EXHAUSTED of a server that could not say its schema: the call never left",
    failure: { code: "RESOURCE_EXHAUSTED", ...NOT_SENT },
    retried: [true, true],
  },
  {
    name: "a request that could not be made: it never left, and never will",
    failure: { code: "INVALID_REQUEST", ...NOT_SENT },
    retried: [false, false],
  },
  {
    name: "metadata that could not be made",
    failure: { code: "EXPRESSION_ERROR", ...NOT_SENT },
    retried: [false, false],
  },
  {
    name: "UNAVAILABLE after messages of a stream had come back, whoever names the code",
    failure: { begun: true, pushback: 5 },
    codes: ["UNAVAILABLE"],
    ownCodes: ["UNAVAILABLE"],
    retried: [false, false],
  },
  { name: "pushback that says stop", failure: { pushback: "stop" }, retried: [false, false] },
  {
    name: "pushback that says stop, of a call that provably never left",
    failure: { pushback: "stop", ...NOT_SENT },
    retried: [false, false],
  },
  {
    name: "a stream of which a message has come back",
    failure: { begun: true },
    ownCodes: ["UNAVAILABLE"],
    retried: [false, false],
  },
  {
    name: "a stream that failed before its first message",
    failure: { begun: false },
    retried: [true, false],
  },
  ...[
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "DATA_LOSS",
    "UNAUTHENTICATED",
  ].flatMap((code): Row[] => [
    { name: `any other: ${code}`, failure: { code }, retried: [false, false] },
    {
      name: `any other: ${code} with pushback and RetryInfo, which revive nothing`,
      failure: { code, pushback: 5, retryDelay: 5 },
      retried: [false, false],
    },
  ]),
];

for (const { name, failure, codes = [], ownCodes = [], retried } of TABLE) {
  const [idempotent, not] = retried.map((is) => is ? "retry" : "no");
  Deno.test(`${name} | idempotent: ${idempotent} | not idempotent: ${not}`, () => {
    const kinds = [true, false].map((idempotent) =>
      retryAction({ retry: { ...RULE, codes }, idempotent, ownCodes }, failed(failure)).kind ===
        "retry"
    );
    assert.deepEqual(kinds, retried);
  });
}

Deno.test("a call that provably never left counts as an attempt", () => {
  const last = failed(NOT_SENT, { attempts: RULE.attempts });
  assert.equal(retryAction({ retry: RULE, idempotent: false, ownCodes: [] }, last).kind, "stop");
});

const ACTION = { retry: RULE, idempotent: true, ownCodes: [] };

Deno.test("retryAction() stops when the attempts are spent, the first included", () => {
  assert.equal(retryAction(ACTION, failed({}, { attempts: 4 })).kind, "retry");
  assert.equal(retryAction(ACTION, failed({}, { attempts: 5 })).kind, "stop");
});

Deno.test("retryAction() takes pushback as exactly the delay, over RetryInfo, and backoff starts over", () => {
  assert.deepEqual(
    retryAction(ACTION, failed({ pushback: 7, retryDelay: 9_999 }, { retry: 3 })),
    { kind: "retry", at: 1_007, freshBackoff: true },
  );
  assert.deepEqual(retryAction(ACTION, failed({ pushback: 0 })), {
    kind: "retry",
    at: 1_000,
    freshBackoff: true,
  });
});

Deno.test("retryAction() waits at least as long as RetryInfo asks", () => {
  assert.deepEqual(retryAction(ACTION, failed({ retryDelay: 3_000 })), {
    kind: "retry",
    at: 4_000,
    freshBackoff: false,
  });
  assert.deepEqual(retryAction(ACTION, failed({ retryDelay: 3 })), {
    kind: "retry",
    at: 1_500,
    freshBackoff: false,
  });
});

Deno.test("the jittered delay counts from the moment the attempt ended", () => {
  for (const [retry, random, at] of [[1, 0, 1_500], [1, 0.5, 1_375], [3, 0.5, 2_500]] as const) {
    assert.deepEqual(retryAction(ACTION, failed({}, { retry, random })), {
      kind: "retry",
      at,
      freshBackoff: false,
    });
  }
});

Deno.test("a delay that would outlast what is left stops at once, whoever asked for it", () => {
  const kind = (failure: Partial<AttemptFailure>, deadline: number) =>
    retryAction(ACTION, failed(failure, { deadline })).kind;
  assert.equal(kind({}, 1_500), "stop");
  assert.equal(kind({}, 1_501), "retry");
  assert.equal(kind({ pushback: 600 }, 1_600), "stop");
  assert.equal(kind({ pushback: 600 }, 1_601), "retry");
  assert.equal(kind({ pushback: 0 }, 1_000), "stop");
  assert.equal(kind({ retryDelay: 5_000 }, 6_000), "stop");
  assert.equal(kind({ retryDelay: 5_000 }, 6_001), "retry");
  assert.equal(kind({ pushback: 1, retryDelay: 5_000 }, 1_002), "retry");
});

for (
  const [written, read] of [
    [["0"], 0],
    [["250"], 250],
    [["86400000"], 86_400_000],
    [["-1"], "stop"],
    [["-0"], "stop"],
    [[""], "stop"],
    [["soon"], "stop"],
    [["1.5"], "stop"],
    [["+5"], "stop"],
    [["5ms"], "stop"],
    [["1e3"], "stop"],
    [["0x10"], "stop"],
    [["1 000"], "stop"],
    [["NaN"], "stop"],
    [["99999999999999999999"], "stop"],
    [["5", "6"], "stop"],
    [[], undefined],
  ] as const
) {
  Deno.test(`pushback ${JSON.stringify(written)} is read as ${read}`, () => {
    const trailers = new Metadata();
    for (const value of written) trailers.add("grpc-retry-pushback-ms", value);
    assert.equal(readPushback(trailers), read);
  });
}

Deno.test("retryCompensation() tries again on every code but the hopeless", () => {
  const again = (code: string) => retryCompensation(RULE, failed({ code })).kind;
  for (const code of ["UNAVAILABLE", "INTERNAL", "ABORTED", "FAILED_PRECONDITION", "UNKNOWN"]) {
    assert.equal(again(code), "retry", code);
  }
  // It has to be done, however much of a stream had come back.
  assert.equal(retryCompensation(RULE, failed({ begun: true })).kind, "retry");
  for (
    const code of [
      "INVALID_ARGUMENT",
      "UNIMPLEMENTED",
      "UNAUTHENTICATED",
      "PERMISSION_DENIED",
      "INVALID_REQUEST",
      "EXPRESSION_ERROR",
    ]
  ) {
    assert.equal(again(code), "stop", code);
  }
});

Deno.test("outcomeOfCode() knows the answers by which a service says that it did nothing", () => {
  assert.equal(outcomeOfCode("OK"), "completed");
  assert.equal(outcomeOfCode("ABORTED"), "rejected");
  for (const code of ["UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "CANCELLED", "UNKNOWN"]) {
    assert.equal(outcomeOfCode(code), "unknown", code);
  }
});

Deno.test("outcomeOfAttempts() is unknown once one attempt is in doubt", () => {
  assert.equal(outcomeOfAttempts([]), "not_sent");
  assert.equal(outcomeOfAttempts(["not_sent", "not_sent"]), "not_sent");
  assert.equal(outcomeOfAttempts(["not_sent", "rejected"]), "rejected");
  assert.equal(outcomeOfAttempts(["unknown", "rejected"]), "unknown");
});
