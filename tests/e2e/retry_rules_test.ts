// Which calls are made again, as the service sees it: semantics.md §1's table, row by row.

import assert from "node:assert/strict";
import { RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { GRPC_CODES } from "../../src/workflow/words.ts";
import type { Script } from "../support/grpc_server.ts";
import {
  attemptOf,
  BUY,
  BUY_STEP,
  buyStep,
  failing,
  inTurn,
  never,
  openShop,
  REFUND,
  TALK,
  type Turn,
  WATCH,
} from "../support/shop_runs.ts";

/** No breaker in the way, and retries that come soon. */
const SOON = "circuit_breaker: false, retry: { attempts: 3, initial_delay: 5ms }";

const PUSHBACK = { trailers: { "grpc-retry-pushback-ms": "5" } };
const RETRY_INFO = { details: [[RetryInfoSchema, { retryDelay: "0.005s" }]] } as const;

interface Row {
  readonly when: string;
  /** What the first attempt meets; a second one would succeed. */
  readonly first: Turn;
  readonly code: string;
  /** Whether there is a second attempt. */
  readonly idempotent: boolean;
  readonly notIdempotent: boolean;
  /** The service's `retry.codes`, and the step's own. */
  readonly codes?: string;
  readonly ownCodes?: string;
  readonly attemptTimeout?: string;
}

const ONLY_IDEMPOTENT = { idempotent: true, notIdempotent: false };
const EITHER_WAY = { idempotent: true, notIdempotent: true };
const NEVER = { idempotent: false, notIdempotent: false };

function answers(code: typeof GRPC_CODES[number], more?: Parameters<typeof failing>[1]) {
  return { code, first: failing(code, more) };
}

const TABLE: readonly Row[] = [
  { when: "is answered UNAVAILABLE", ...answers("UNAVAILABLE"), ...ONLY_IDEMPOTENT },
  {
    when: "runs into its attempt_timeout",
    first: never,
    code: "DEADLINE_EXCEEDED",
    attemptTimeout: "500ms",
    ...ONLY_IDEMPOTENT,
  },
  { when: "is answered DEADLINE_EXCEEDED", ...answers("DEADLINE_EXCEEDED"), ...ONLY_IDEMPOTENT },
  {
    when: "is answered RESOURCE_EXHAUSTED with pushback",
    ...answers("RESOURCE_EXHAUSTED", PUSHBACK),
    ...ONLY_IDEMPOTENT,
  },
  {
    when: "is answered RESOURCE_EXHAUSTED with RetryInfo",
    ...answers("RESOURCE_EXHAUSTED", RETRY_INFO),
    ...ONLY_IDEMPOTENT,
  },
  {
    when: "is answered RESOURCE_EXHAUSTED, without a delay, that retry.codes names",
    ...answers("RESOURCE_EXHAUSTED"),
    codes: "RESOURCE_EXHAUSTED",
    ...ONLY_IDEMPOTENT,
  },
  {
    when: "is answered with a code of its service's retry.codes",
    ...answers("ABORTED"),
    codes: "NOT_FOUND, ABORTED",
    ...ONLY_IDEMPOTENT,
  },
  {
    when: "is answered with a code of its step's own retry.codes",
    ...answers("ABORTED"),
    ownCodes: "ABORTED",
    ...EITHER_WAY,
  },
  {
    when: "is answered UNAVAILABLE, which its step's own retry.codes names",
    ...answers("UNAVAILABLE"),
    ownCodes: "UNAVAILABLE",
    ...EITHER_WAY,
  },
  {
    when: "is answered with a code of the service's retry.codes that the step's own leave out",
    ...answers("ABORTED"),
    codes: "ABORTED",
    ownCodes: "NOT_FOUND",
    ...NEVER,
  },
  ...GRPC_CODES.filter((code) => code !== "UNAVAILABLE" && code !== "DEADLINE_EXCEEDED")
    .map((code) => ({ when: `is answered ${code} and nothing else`, ...answers(code), ...NEVER })),
];

for (const row of TABLE) {
  Deno.test(`a call that ${row.when} is made again: ${inWords(row)}`, async () => {
    const { codes = "", ownCodes, attemptTimeout = "30s" } = row;
    await using runs = await openShop({
      scripts: { [BUY]: inTurn(row.first, { order_id: "o1" }) },
      settings: "circuit_breaker: false, " +
        `attempt_timeout: ${attemptTimeout}, ` +
        `retry: { attempts: 3, initial_delay: 5ms, codes: [${codes}] }`,
    });
    for (const idempotent of [true, false]) {
      const own = ownCodes === undefined ? "" : `, retry: { codes: [${ownCodes}] }`;
      const { report, calls } = await runs.run(buyStep("buy", `idempotent: ${idempotent}${own}`));
      const again = idempotent ? row.idempotent : row.notIdempotent;
      assert.deepEqual(calls.map(attemptOf), again ? [1, 2] : [1], `idempotent: ${idempotent}`);
      assert.equal(report.status, again ? "completed" : "failed");
      assert.equal(report.steps[0]?.attempts, calls.length);
      assert.equal(report.error?.code, again ? undefined : row.code);
    }
  });
}

function inWords({ idempotent, notIdempotent }: Row): string {
  return notIdempotent ? "always" : idempotent ? "if it is idempotent" : "never";
}

Deno.test("all attempts of a call carry one key, and what they are for; each has its number", async () => {
  await using runs = await openShop({
    scripts: {
      [BUY]: inTurn(failing("UNAVAILABLE"), failing("UNAVAILABLE"), { order_id: "o1" }),
      [REFUND]: inTurn(failing("INTERNAL"), {}),
    },
    settings: SOON,
  });
  const { report, calls } = await runs.run(
    `  - id: order
    steps:
      - id: buy
        service: shop
        method: Buy
        compensate: { method: Refund }
  - fail: { code: FAILED_PRECONDITION, message: "No more" }
`,
    {
      runId: "r7",
      correlationId: "c8",
      head: "saga: { retry: { initial_delay: 5ms } }",
    },
  );
  assert.equal(report.status, "compensated");
  const action = {
    "idempotency-key": "r7/order.buy/action",
    "maestro-action-key": undefined,
    "maestro-op": "action",
  };
  const compensation = {
    "idempotency-key": "r7/order.buy/compensate",
    "maestro-action-key": "r7/order.buy/action",
    "maestro-op": "compensate",
  };
  const expected = [
    { ...action, "maestro-attempt": "1" },
    { ...action, "maestro-attempt": "2" },
    { ...action, "maestro-attempt": "3" },
    { ...compensation, "maestro-attempt": "1" },
    { ...compensation, "maestro-attempt": "2" },
  ].map((own) => ({
    "maestro-run-id": "r7",
    "maestro-step": "order.buy",
    "x-correlation-id": "c8",
    ...own,
  }));
  assert.deepEqual(
    calls.map(({ metadata }, index) =>
      Object.fromEntries(Object.keys(expected[index] ?? {}).map((name) => [name, metadata[name]]))
    ),
    expected,
  );
  const traces = calls.map(({ metadata }) => metadata["traceparent"]?.split("-")[1]);
  assert.match(traces[0] ?? "", /^[0-9a-f]{32}$/);
  assert.equal(new Set(traces).size, 1);
});

Deno.test("attempts counts every call, the first included, and no call is made twice beneath it", async () => {
  await using runs = await openShop({
    scripts: { [BUY]: () => Promise.reject(failing("UNAVAILABLE")) },
    settings: "circuit_breaker: false",
  });
  for (const attempts of [1, 2, 4]) {
    const { report, calls } = await runs.run(
      buyStep("buy", `retry: { attempts: ${attempts}, initial_delay: 1ms }`),
    );
    assert.deepEqual(calls.map(attemptOf), Array.from({ length: attempts }, (_, nth) => nth + 1));
    const { code, message, attempts: reported, outcome } = report.error ?? {};
    assert.deepEqual([code, message, reported, outcome], [
      "UNAVAILABLE",
      "UNAVAILABLE it is",
      attempts,
      "unknown",
    ]);
  }
  const { calls } = await runs.run(BUY_STEP);
  assert.equal(calls.length, 1, "without `retry` there is one attempt");
});

/** A stream that gives so many messages on each attempt, and then fails, until the third one. */
function failingAfter(messages: number): Script {
  return async function* (call) {
    for (let index = 0; index < messages; index++) yield await { order_id: "o1" };
    if (attemptOf(call) < 3) throw failing("UNAVAILABLE");
  };
}

for (const [path, input] of [[WATCH, "{}"], [TALK, "[{}, {}]"]] as const) {
  const method = path.replace(/.*\//, "");
  const step = (more = "") =>
    `  - { id: stream, service: shop, method: ${method}, input: ${input}${more} }\n`;

  Deno.test(`a stream (${method}) that fails before a message is made again`, async () => {
    await using runs = await openShop({ scripts: { [path]: failingAfter(0) }, settings: SOON });
    const { report, calls } = await runs.run(step());
    assert.deepEqual(calls.map(attemptOf), [1, 2, 3]);
    assert.equal(report.status, "completed");
  });

  Deno.test(`a stream (${method}) that fails after a message is not, whatever its own retry.codes`, async () => {
    await using runs = await openShop({ scripts: { [path]: failingAfter(1) }, settings: SOON });
    for (const more of ["", ", retry: { codes: [UNAVAILABLE] }"]) {
      const { report, calls } = await runs.run(step(more));
      assert.deepEqual(calls.map(attemptOf), [1]);
      const { code, attempts, outcome } = report.error ?? {};
      assert.deepEqual([code, attempts, outcome], ["UNAVAILABLE", 1, "unknown"]);
    }
  });
}
