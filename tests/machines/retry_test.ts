import assert from "node:assert/strict";
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

Deno.test("backoffDelay() grows by the multiplier up to max_delay, its jitter taken off the top", () => {
  const delays = [1, 2, 3, 4, 5, 6, 7].map((retry) => backoffDelay(RULE, retry, 0));
  assert.deepEqual(delays, [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  assert.equal(backoffDelay(RULE, 1, 0.5), 375);
  assert.equal(backoffDelay(RULE, 1, 1), 250);
  assert.equal(backoffDelay({ ...RULE, jitter: 0 }, 3, 0.9), 2_000);
  assert.equal(backoffDelay({ ...RULE, backoff: "constant" }, 7, 0), 500);
});

const TABLE: readonly {
  readonly name: string;
  readonly failure: Partial<AttemptFailure>;
  readonly codes?: readonly string[];
  readonly ownCodes?: readonly string[];
  /** Whether it is retried: where idempotent, and where not. */
  readonly retried: readonly [boolean, boolean];
}[] = [
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
    name: "RESOURCE_EXHAUSTED with RetryInfo",
    failure: { code: "RESOURCE_EXHAUSTED", retryDelay: 5 },
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
    name: "UNAVAILABLE that the step's own retry names",
    failure: {},
    ownCodes: ["UNAVAILABLE"],
    retried: [true, true],
  },
  { name: "any other code", failure: { code: "INTERNAL" }, retried: [false, false] },
  {
    name: "any other code with pushback: it revives nothing",
    failure: { code: "INTERNAL", pushback: 5 },
    retried: [false, false],
  },
  {
    name: "a call that provably never left",
    failure: { code: "UNAVAILABLE", outcome: "not_sent" },
    retried: [true, true],
  },
  {
    name: "a request that could not be made: it never left, and never will",
    failure: { code: "INVALID_REQUEST", outcome: "not_sent" },
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
];

for (const row of TABLE) {
  Deno.test(`retryAction() on ${row.name}`, () => {
    const kinds = [true, false].map((idempotent) =>
      retryAction({
        retry: { ...RULE, codes: row.codes ?? [] },
        idempotent,
        ownCodes: row.ownCodes ?? [],
      }, failed(row.failure)).kind === "retry"
    );
    assert.deepEqual(kinds, row.retried);
  });
}

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

Deno.test("retryAction() stops at once where the delay would outlast what is left", () => {
  assert.equal(retryAction(ACTION, failed({}, { deadline: 1_500 })).kind, "stop");
  assert.equal(retryAction(ACTION, failed({}, { deadline: 1_501 })).kind, "retry");
  assert.equal(retryAction(ACTION, failed({ pushback: 600 }, { deadline: 1_501 })).kind, "stop");
});

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
