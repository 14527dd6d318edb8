// What the budget of a service's retries allows, as the service sees it: semantics.md §1, after
// gRPC proposal A6.

import assert from "node:assert/strict";
import { until } from "../support/heard.ts";
import {
  attemptOf,
  BUY,
  BUY_STEP,
  buyStep,
  bySku,
  failing,
  Gate,
  inTurn,
  openShop,
  REFUND,
} from "../support/shop_runs.ts";

/** So many tokens, and calls that would be made again for long. */
function budget(tokens: number, ratio: number): string {
  return "circuit_breaker: false, retry: { attempts: 20, initial_delay: 1ms, " +
    `budget: { max_tokens: ${tokens}, token_ratio: ${ratio} } }`;
}

Deno.test("a retry that would need more than half of the tokens is not made, and says so", async () => {
  await using runs = await openShop({ settings: budget(10, 0.1) });
  const { report, calls } = await runs.buy("UNAVAILABLE");
  // The fifth failure leaves 5 of 10 tokens.
  assert.deepEqual(calls.map(attemptOf), [1, 2, 3, 4, 5]);
  const { code, message, attempts, outcome } = report.error ?? {};
  assert.deepEqual([code, attempts, outcome], ["RETRY_BUDGET_EXHAUSTED", 5, "unknown"]);
  assert.match(message ?? "", /"shop" is used up.* failed with UNAVAILABLE: UNAVAILABLE it is$/);
});

Deno.test("runs of two workflows share the budget of their service", async () => {
  await using runs = await openShop({ settings: budget(10, 0.1) });
  const three = buyStep("buy", "retry: { attempts: 3 }");
  const first = await runs.run(three, { input: { sku: "UNAVAILABLE" } });
  assert.deepEqual(first.calls.map(attemptOf), [1, 2, 3]);
  assert.equal(
    first.report.error?.code,
    "UNAVAILABLE",
    "its attempts were used up, not the budget",
  );
  const second = await runs.buy("UNAVAILABLE");
  assert.deepEqual(second.calls.map(attemptOf), [1, 2]);
  assert.equal(second.report.error?.code, "RETRY_BUDGET_EXHAUSTED");
  const third = await runs.buy("UNAVAILABLE");
  assert.deepEqual(third.calls.map(attemptOf), [1], "a first attempt is always made");
});

Deno.test("runs side by side take from one budget", async () => {
  const gate = new Gate();
  await using runs = await openShop({
    scripts: { [BUY]: gate.script },
    settings: budget(10, 0.1),
  });
  const started = await Promise.all(Array.from({ length: 5 }, () => runs.start(BUY_STEP)));
  await until("all five are there", () => gate.held.length === 5);
  gate.letGo(5, failing("UNAVAILABLE"));
  // Four of them were answered before the tokens were down to a half.
  await until("four are there again", () => gate.held.length === 4);
  assert.deepEqual(gate.held.map(attemptOf), [2, 2, 2, 2]);
  gate.letGo(5, failing("UNAVAILABLE"));
  const ended = await Promise.all(started.map((run) => run.ended()));
  assert.deepEqual(
    ended.map(({ report }) => `${report.error?.code} ${report.error?.attempts}`).sort(),
    ["RETRY_BUDGET_EXHAUSTED 1", ...Array(4).fill("RETRY_BUDGET_EXHAUSTED 2")],
  );
});

Deno.test("services with other settings have a budget of their own", async () => {
  await using runs = await openShop();
  const first = await runs.buy("UNAVAILABLE", { settings: budget(4, 0.1) });
  assert.equal(first.calls.length, 2);
  const second = await runs.buy("UNAVAILABLE", { settings: budget(4, 0.2) });
  assert.equal(second.calls.length, 2);
});

Deno.test("a success gives token_ratio back, up to max_tokens", async () => {
  await using runs = await openShop({ settings: budget(4, 0.5) });
  assert.equal((await runs.buy("UNAVAILABLE")).calls.length, 2, "4 tokens are 2 now");
  await runs.buy("o1");
  assert.equal((await runs.buy("UNAVAILABLE")).calls.length, 1, "2.5 tokens are 1.5 now");
  for (let success = 0; success < 3; success++) await runs.buy("o1");
  assert.equal((await runs.buy("UNAVAILABLE")).calls.length, 1, "3 tokens are 2 now");
  for (let success = 0; success < 20; success++) await runs.buy("o1");
  assert.equal((await runs.buy("UNAVAILABLE")).calls.length, 2, "4 tokens are 2 now, and no more");
});

Deno.test("failures that are not retryable take no token", async () => {
  await using runs = await openShop({ settings: budget(4, 0.1) });
  for (let failure = 0; failure < 5; failure++) await runs.buy("NOT_FOUND");
  const fixed = buyStep("buy", "idempotent: false");
  for (let failure = 0; failure < 5; failure++) {
    await runs.run(fixed, { input: { sku: "UNAVAILABLE" } });
  }
  assert.equal((await runs.buy("UNAVAILABLE")).calls.length, 2);
});

Deno.test("compensations are exempt: they ask for no token, take none and give none back", async () => {
  const down = failing("UNAVAILABLE");
  await using runs = await openShop({
    scripts: { [BUY]: bySku, [REFUND]: inTurn(down, down, down, down, {}) },
    settings: budget(4, 1),
  });
  await runs.buy("UNAVAILABLE"); // 2 tokens are left: no action is made again
  const { report, calls } = await runs.run(
    `  - id: buy
    service: shop
    method: Buy
    input: { sku: UNKNOWN }
    compensate: { method: Refund }
`,
    { head: "saga: { retry: { initial_delay: 1ms } }" },
  );
  assert.equal(report.status, "compensated");
  const refunds = calls.filter(({ method }) => method === REFUND);
  assert.deepEqual(refunds.map(attemptOf), [1, 2, 3, 4, 5]);
  const sells = async (...skus: string[]) => {
    for (const sku of skus) await runs.buy(sku);
  };
  await sells("o1");
  assert.equal((await runs.buy("UNAVAILABLE")).calls.length, 1, "3 tokens are 2: none was given");
  await sells("o1", "o1");
  assert.equal((await runs.buy("UNAVAILABLE")).calls.length, 2, "4 tokens are 2: none was taken");
});

Deno.test("without `budget` retries are not counted", async () => {
  await using runs = await openShop({
    settings:
      "circuit_breaker: false, retry: { attempts: 60, backoff: constant, initial_delay: 1ms }",
  });
  for (let run = 0; run < 2; run++) {
    const { report, calls } = await runs.buy("UNAVAILABLE");
    assert.equal(calls.length, 60);
    assert.equal(report.error?.code, "UNAVAILABLE");
  }
});
