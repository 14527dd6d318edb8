// When a call is made again, and how long it may take, as the service sees it: semantics.md §1's
// backoff, pushback, RetryInfo and deadlines.

import assert from "node:assert/strict";
import { RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import {
  attemptOf,
  BUY,
  BUY_STEP,
  buyStep,
  delaysOf,
  type EndedShopRun,
  failing,
  gapsOf,
  inTurn,
  openShop,
  SKEW,
  type Turn,
} from "../support/shop_runs.ts";

/** UNAVAILABLE, with what the server says about the next attempt. */
function unavailable(said: { pushback?: string; retryInfo?: string } = {}): Error {
  const { pushback, retryInfo } = said;
  return failing("UNAVAILABLE", {
    ...(pushback !== undefined && { trailers: { "grpc-retry-pushback-ms": pushback } }),
    ...(retryInfo !== undefined && { details: [[RetryInfoSchema, { retryDelay: retryInfo }]] }),
  });
}

/** Retries without jitter. */
const retry = (rule: string) => `circuit_breaker: false, retry: { jitter: 0, ${rule} }`;

/** The shop saw no call sooner after the one before than its delay. */
function keepsDelays({ calls }: EndedShopRun, delays: readonly number[]): void {
  const gaps = gapsOf(calls);
  assert.equal(gaps.length, delays.length);
  delays.forEach((delay, index) => {
    const gap = gaps[index] ?? NaN;
    assert.ok(gap >= delay - SKEW, `${gap} ms instead of ${delay} ms before retry ${index + 1}`);
  });
}

/** What the shop does on each attempt before it sells, by which delays, and under which rule. */
const DELAYS: readonly {
  readonly what: string;
  readonly rule: string;
  readonly turns: readonly Turn[];
  readonly delays: readonly number[];
}[] = [
  {
    what: "exponential backoff multiplies its delay, up to max_delay",
    rule: "attempts: 5, initial_delay: 20ms, multiplier: 3, max_delay: 100ms",
    turns: Array.from({ length: 4 }, () => unavailable()),
    delays: [20, 60, 100, 100],
  },
  {
    what: "constant backoff keeps to initial_delay",
    rule: "attempts: 4, backoff: constant, initial_delay: 40ms, multiplier: 3, max_delay: 5ms",
    turns: Array.from({ length: 3 }, () => unavailable()),
    delays: [40, 40, 40],
  },
  {
    what: "pushback is exactly the next delay, also where backoff would be longer",
    rule: "attempts: 4, initial_delay: 10m, max_delay: 10m",
    turns: [
      unavailable({ pushback: "120" }),
      unavailable({ pushback: "0" }),
      failing("RESOURCE_EXHAUSTED", { trailers: { "grpc-retry-pushback-ms": "30" } }),
    ],
    delays: [120, 0, 30],
  },
  {
    what: "pushback may be longer than max_delay",
    rule: "attempts: 2, initial_delay: 1ms, max_delay: 2ms",
    turns: [unavailable({ pushback: "150" })],
    delays: [150],
  },
  {
    what: "backoff starts over after pushback",
    rule: "attempts: 6, initial_delay: 20ms, multiplier: 3",
    turns: [
      unavailable(),
      unavailable(),
      unavailable({ pushback: "5" }),
      unavailable(),
      unavailable(),
    ],
    delays: [20, 60, 5, 20, 60],
  },
  {
    what: "RetryInfo lengthens a shorter backoff, and does not shorten a longer one",
    rule: "attempts: 3, initial_delay: 20ms, multiplier: 5",
    turns: [unavailable({ retryInfo: "0.120s" }), unavailable({ retryInfo: "0.001s" })],
    delays: [120, 100],
  },
  {
    what: "backoff does not start over after RetryInfo",
    rule: "attempts: 3, initial_delay: 20ms, multiplier: 4",
    turns: [unavailable({ retryInfo: "0.030s" }), unavailable()],
    delays: [30, 80],
  },
  {
    what: "pushback beats RetryInfo, longer or shorter",
    rule: "attempts: 3, initial_delay: 1ms",
    turns: [
      unavailable({ pushback: "30", retryInfo: "600s" }),
      unavailable({ pushback: "100", retryInfo: "0.001s" }),
    ],
    delays: [30, 100],
  },
];

for (const { what, rule, turns, delays } of DELAYS) {
  Deno.test(`${what}: ${delays.join(", ")} ms`, async () => {
    await using runs = await openShop({
      scripts: { [BUY]: inTurn(...turns as [Turn], { order_id: "o1" }) },
      settings: retry(rule),
    });
    const ended = await runs.run(BUY_STEP);
    assert.equal(ended.report.status, "completed", JSON.stringify(ended.report.error));
    assert.deepEqual(delaysOf(ended), delays);
    keepsDelays(ended, delays);
  });
}

Deno.test("jitter takes at most its share off a delay", async () => {
  await using runs = await openShop({
    scripts: { [BUY]: inTurn(unavailable(), { order_id: "o1" }) },
    settings: "circuit_breaker: false, retry: { initial_delay: 60ms, jitter: 0.5 }",
    engine: { random: () => 0.75 },
  });
  const ended = await runs.run(BUY_STEP);
  keepsDelays(ended, [30]);
  assert.deepEqual(delaysOf(ended), [37.5]);
});

/** What the server says, and no attempt follows. */
const STOPS: readonly (readonly [what: string, answer: Error, code: string])[] = [
  ["negative pushback", unavailable({ pushback: "-1" }), "UNAVAILABLE"],
  ["pushback that is no number", unavailable({ pushback: "soon" }), "UNAVAILABLE"],
  ["pushback of several words", unavailable({ pushback: "10 20" }), "UNAVAILABLE"],
  [
    "negative pushback beside RetryInfo",
    unavailable({ pushback: "-1", retryInfo: "0.001s" }),
    "UNAVAILABLE",
  ],
  [
    "negative pushback of RESOURCE_EXHAUSTED",
    failing("RESOURCE_EXHAUSTED", {
      trailers: { "grpc-retry-pushback-ms": "-5" },
      details: [[RetryInfoSchema, { retryDelay: "0.001s" }]],
    }),
    "RESOURCE_EXHAUSTED",
  ],
  [
    "pushback with a code that is not retryable",
    failing("FAILED_PRECONDITION", { trailers: { "grpc-retry-pushback-ms": "1" } }),
    "FAILED_PRECONDITION",
  ],
  [
    "RetryInfo with a code that is not retryable",
    failing("INTERNAL", { details: [[RetryInfoSchema, { retryDelay: "0.001s" }]] }),
    "INTERNAL",
  ],
];

for (const [what, answer, code] of STOPS) {
  Deno.test(`there is no retry after ${what}`, async () => {
    await using runs = await openShop({
      scripts: { [BUY]: inTurn(answer) },
      settings: retry("attempts: 5, initial_delay: 1ms"),
    });
    const { report, calls } = await runs.run(BUY_STEP);
    assert.deepEqual(calls.map(attemptOf), [1]);
    assert.deepEqual([report.error?.code, report.error?.attempts], [code, 1]);
  });
}

Deno.test("pushback makes no call again that is not idempotent", async () => {
  await using runs = await openShop({
    scripts: { [BUY]: inTurn(unavailable({ pushback: "1" })) },
    settings: retry("attempts: 5, initial_delay: 1ms"),
  });
  const { calls } = await runs.run(buyStep("buy", "idempotent: false"));
  assert.deepEqual(calls.map(attemptOf), [1]);
});

/** What would be outlasted, and what makes the delay. */
const OUTLASTED: readonly (readonly [what: string, steps: string, head: string, answer: Error])[] =
  [
    ["its step's timeout", buyStep("buy", "timeout: 20s"), "", unavailable()],
    ["its run's timeout", BUY_STEP, "timeout: 20s", unavailable()],
    [
      "the timeout of the block around it",
      `  - { timeout: 20s, steps: [ { id: buy, service: shop, method: Buy } ] }\n`,
      "",
      unavailable(),
    ],
    [
      "its step's timeout, by pushback",
      buyStep("buy", "timeout: 20s"),
      "",
      unavailable({ pushback: "30000" }),
    ],
    [
      "its run's timeout, by RetryInfo",
      BUY_STEP,
      "timeout: 20s",
      unavailable({ retryInfo: "30s" }),
    ],
  ];

for (const [what, steps, head, answer] of OUTLASTED) {
  Deno.test(`a delay that would outlast ${what} fails at once with the last error`, async () => {
    await using runs = await openShop({
      scripts: { [BUY]: inTurn(answer) },
      settings: retry("attempts: 5, initial_delay: 30s, max_delay: 30s"),
    });
    const { report, calls } = await runs.run(steps, { head });
    assert.deepEqual(calls.map(attemptOf), [1]);
    assert.equal(report.status, "failed");
    const { code, message, attempts } = report.error ?? {};
    assert.deepEqual([code, message, attempts], ["UNAVAILABLE", "UNAVAILABLE it is", 1]);
  });
}

/** The settings that bound a call, and what the shop is told at most on its first attempt. */
const BOUNDS: readonly {
  readonly by: string;
  readonly head?: string;
  readonly step?: string;
  readonly first: number;
  readonly shrinks: boolean;
}[] = [
  { by: "its attempt_timeout, each time", first: 20_000, shrinks: false },
  { by: "its step's timeout", step: "timeout: 15s", first: 15_000, shrinks: true },
  { by: "its run's timeout", head: "timeout: 10s", first: 10_000, shrinks: true },
  {
    by: "its run's timeout where its step's is longer",
    head: "timeout: 10s",
    step: "timeout: 15s",
    first: 10_000,
    shrinks: true,
  },
  {
    by: "its step's timeout where its run's is longer",
    head: "timeout: 15s",
    step: "timeout: 10s",
    first: 10_000,
    shrinks: true,
  },
];

for (const { by, head = "", step = "", first, shrinks } of BOUNDS) {
  Deno.test(`what is left to an attempt is bounded by ${by}`, async () => {
    await using runs = await openShop({
      scripts: {
        [BUY]: inTurn(unavailable({ pushback: "100" }), unavailable({ pushback: "100" }), {
          order_id: "o1",
        }),
      },
      settings: "circuit_breaker: false, attempt_timeout: 20s, retry: {}",
    });
    const { report, calls } = await runs.run(buyStep("buy", step), { head });
    assert.equal(report.status, "completed", JSON.stringify(report.error));
    assert.deepEqual(calls.map(attemptOf), [1, 2, 3]);
    calls.forEach(({ timeout }, index) => {
      const most = shrinks ? first - 100 * index : first;
      // 4 seconds for a slow machine: the next longer bound is further away than that.
      assert.ok(
        timeout <= most + SKEW && timeout > first - 4_000,
        `attempt ${index + 1}: ${timeout} ms`,
      );
    });
  });
}
