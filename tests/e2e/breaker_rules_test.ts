// What opens a circuit breaker, and that nothing reaches the service while it is open, as the
// service sees it: semantics.md §2, the state `closed`.

import assert from "node:assert/strict";
import { GRPC_CODES } from "../../src/workflow/words.ts";
import type { ScriptedCall } from "../support/grpc_server.ts";
import { until } from "../support/heard.ts";
import {
  attemptOf,
  BUY,
  BUY_STEP,
  buyStep,
  bySku,
  failing,
  freeEndpoint,
  Gate,
  type GrpcCode,
  inTurn,
  never,
  openShop,
  type ShopRuns,
} from "../support/shop_runs.ts";

/** A breaker that turns calls away, and stays open for as long as the test lasts. */
function breaker(rule: string): string {
  return `circuit_breaker: { on_open: fail, open_for: 1h, ${rule} }`;
}

/** Runs one after the other. @returns the breaker's state after each */
async function buyAll(runs: ShopRuns, ...skus: readonly string[]): Promise<string[]> {
  const states: string[] = [];
  for (const sku of skus) {
    await runs.buy(sku);
    states.push(runs.breaker().state);
  }
  return states;
}

const [GOOD, BAD] = ["o1", "UNAVAILABLE"] as const;

Deno.test("a breaker opens when enough calls have failed, and then no call arrives", async () => {
  await using runs = await openShop({ settings: breaker("min_calls: 4, failure_rate: 50") });
  assert.deepEqual(await buyAll(runs, BAD, GOOD, BAD), ["closed", "closed", "closed"]);
  assert.deepEqual(await buyAll(runs, GOOD), ["open"]);
  for (const steps of [BUY_STEP, buyStep("buy", "retry: { attempts: 5, initial_delay: 1ms }")]) {
    const { report, calls } = await runs.run(steps);
    assert.deepEqual(calls, []);
    assert.equal(report.status, "failed");
    const { code, message, attempts, outcome } = report.error ?? {};
    assert.deepEqual([code, attempts, outcome], ["CIRCUIT_OPEN", 0, "not_sent"]);
    assert.match(message ?? "", /^The circuit breaker of "shop" is open/);
  }
  assert.equal(runs.shop.calls.length, 4);
});

Deno.test("a breaker stays closed as long as a smaller share of calls fails", async () => {
  await using runs = await openShop({ settings: breaker("min_calls: 2, failure_rate: 50") });
  const states = await buyAll(runs, GOOD, GOOD, BAD, GOOD, BAD, GOOD, GOOD, BAD);
  assert.deepEqual(new Set(states), new Set(["closed"]), "3 of 8");
  assert.deepEqual(await buyAll(runs, BAD, BAD), ["closed", "open"], "5 of 10");
});

Deno.test("with nothing written, ten calls of which half fail open it for 15 seconds", async () => {
  await using runs = await openShop();
  const states = await buyAll(runs, ...Array(4).fill(GOOD), ...Array(5).fill(BAD));
  assert.deepEqual(new Set(states), new Set(["closed"]));
  const before = Date.now();
  assert.deepEqual(await buyAll(runs, BAD), ["open"]);
  const { openUntil } = runs.breaker();
  assert.ok(openUntil !== null && openUntil >= before + 15_000 && openUntil <= Date.now() + 15_000);
});

Deno.test("with `circuit_breaker: false` every call arrives", async () => {
  await using runs = await openShop({ settings: "circuit_breaker: false" });
  for (let call = 0; call < 15; call++) {
    assert.equal((await runs.buy(BAD)).report.error?.code, BAD);
  }
  assert.equal(runs.shop.calls.length, 15);
  assert.deepEqual(runs.engine.breakers(), []);
});

/** What each answer is to the breaker: what it counts, and as what. */
const FAILURES: readonly GrpcCode[] = [
  "UNAVAILABLE",
  "DEADLINE_EXCEEDED",
  "RESOURCE_EXHAUSTED",
  "INTERNAL",
  "UNKNOWN",
  "DATA_LOSS",
];

for (
  const [setting, failures] of [
    ["", FAILURES],
    ["failure_codes: [NOT_FOUND, ABORTED]", ["NOT_FOUND", "ABORTED"]],
    ["failure_codes: [CANCELLED]", []],
  ] as const
) {
  Deno.test(`failures are ${failures.join(", ") || "no answers"}, CANCELLED counts for nothing${setting && `: ${setting}`}`, async () => {
    await using runs = await openShop({ settings: breaker(`min_calls: 1, ${setting}`) });
    for (const code of ["OK", ...GRPC_CODES]) {
      const isFailure = failures.some((failure) => failure === code);
      assert.deepEqual(await buyAll(runs, code), [isFailure ? "open" : "closed"], code);
      assert.deepEqual(runs.breaker().window, {
        calls: code === "CANCELLED" ? 0 : 1,
        failures: isFailure ? 1 : 0,
        slow: 0,
      }, code);
      assert.equal((await runs.buy(GOOD)).calls.length, isFailure ? 0 : 1, code);
      runs.breaker().reset();
    }
  });
}

Deno.test("a call without an answer is a failure where it had its whole attempt_timeout, else it counts for nothing", async () => {
  await using runs = await openShop({
    scripts: { [BUY]: never },
    settings: `attempt_timeout: 400ms, ${breaker("min_calls: 1")}`,
  });
  const cut = await runs.run(buyStep("buy", "timeout: 200ms"));
  assert.equal(cut.report.error?.code, "STEP_TIMEOUT");
  assert.deepEqual(runs.breaker().window, { calls: 0, failures: 0, slow: 0 });
  assert.equal(runs.breaker().state, "closed");
  const full = await runs.run(BUY_STEP);
  assert.equal(full.report.error?.code, "DEADLINE_EXCEEDED");
  assert.equal(runs.breaker().state, "open");
});

Deno.test("a call that its run cancels counts for nothing", async () => {
  const gate = new Gate();
  await using runs = await openShop({
    scripts: { [BUY]: gate.script },
    settings: breaker("min_calls: 1"),
  });
  const started = await runs.start(BUY_STEP);
  await until("it is there", () => gate.held.length === 1);
  await started.run.cancel();
  assert.equal((await started.ended()).report.status, "cancelled");
  assert.deepEqual(runs.breaker().window, { calls: 0, failures: 0, slow: 0 });
});

Deno.test("calls that find nobody open the breaker too", async () => {
  const endpoint = await freeEndpoint();
  await using runs = await openShop({
    endpoint: () => endpoint,
    settings: `${breaker("min_calls: 3")}, retry: { attempts: 9, initial_delay: 1ms }`,
    lingers: 1_300,
  });
  const { report } = await runs.run(BUY_STEP);
  const { code, attempts, outcome } = report.error ?? {};
  assert.deepEqual([code, attempts, outcome], ["CIRCUIT_OPEN", 3, "not_sent"]);
});

Deno.test("a step whose own attempts open the breaker ends there, in doubt, and takes no more tokens", async () => {
  await using runs = await openShop({
    scripts: { [BUY]: inTurn(failing(BAD), failing(BAD), failing(BAD), { order_id: "o1" }) },
    settings: `${breaker("min_calls: 2")}, retry: ` +
      "{ attempts: 9, initial_delay: 1ms, budget: { max_tokens: 8, token_ratio: 0.1 } }",
  });
  const { report, calls } = await runs.run(BUY_STEP);
  assert.deepEqual(calls.map(attemptOf), [1, 2]);
  const { code, attempts, outcome } = report.error ?? {};
  assert.deepEqual([code, attempts, outcome], ["CIRCUIT_OPEN", 2, "unknown"]);
  for (let refused = 0; refused < 5; refused++) await runs.run(BUY_STEP);
  runs.breaker().reset();
  // 6 of 8 tokens are left: one more failure may be followed by a retry.
  const once = await runs.run(buyStep("buy", "retry: { attempts: 2 }"));
  assert.deepEqual(once.calls.map(attemptOf), [1, 2]);
});

Deno.test("slow calls open the breaker, also those that succeed", async () => {
  await using runs = await openShop({
    scripts: {
      [BUY]: async (call: ScriptedCall) => {
        await new Promise((resolve) => setTimeout(resolve, 120));
        return bySku(call) as { order_id: string }; // it sells
      },
    },
    settings: breaker("min_calls: 3, slow_call: 100ms, slow_call_rate: 100"),
  });
  assert.deepEqual(await buyAll(runs, GOOD, GOOD, GOOD), ["closed", "closed", "open"]);
  assert.deepEqual(runs.breaker().window, { calls: 3, failures: 0, slow: 3 });
  assert.equal((await runs.buy(GOOD)).report.error?.code, "CIRCUIT_OPEN");
  assert.equal(runs.shop.calls.length, 3);
});

Deno.test("calls count as slow from slow_call on only, and not at all without it", async () => {
  await using runs = await openShop();
  for (const slow of ["slow_call: 1m, slow_call_rate: 1", "slow_call_rate: 1"]) {
    const { report } = await runs.buy(GOOD, { settings: breaker(`min_calls: 1, ${slow}`) });
    assert.equal(report.status, "completed");
  }
  assert.deepEqual(runs.engine.breakers().map(({ state, window }) => [state, window.slow]), [
    ["closed", 0],
    ["closed", 0],
  ]);
});

Deno.test("a window of calls holds the last ones and forgets those before", async () => {
  await using runs = await openShop({
    settings: breaker("window: 4, min_calls: 4, failure_rate: 50"),
  });
  await buyAll(runs, BAD, GOOD, GOOD, GOOD, GOOD, GOOD, GOOD, GOOD, BAD);
  assert.deepEqual(runs.breaker().window, { calls: 4, failures: 1, slow: 0 });
  // 2 of the last 4, and 3 of all 10.
  assert.deepEqual(await buyAll(runs, BAD), ["open"]);
});

Deno.test("a window of time forgets what is older", async () => {
  await using runs = await openShop({
    settings: breaker("window: 500ms, min_calls: 2, failure_rate: 100"),
  });
  await runs.buy(BAD);
  await until("it is forgotten", () => runs.breaker().window.calls === 0);
  assert.deepEqual(await buyAll(runs, BAD), ["closed"]);
});

Deno.test("the result of a call that began before the breaker opened is dropped", async () => {
  const gate = new Gate();
  await using runs = await openShop({
    scripts: { [BUY]: gate.some },
    settings: breaker("min_calls: 1"),
  });
  const early = await runs.start(BUY_STEP, { input: { sku: "held" } });
  await until("it is there", () => gate.held.length === 1);
  assert.deepEqual(await buyAll(runs, BAD), ["open"]);
  const opened = runs.breaker();
  gate.letGo();
  assert.equal((await early.ended()).report.status, "completed");
  const { state, window, openUntil } = runs.breaker();
  assert.deepEqual({ state, window, openUntil }, {
    state: "open",
    window: { calls: 1, failures: 1, slow: 0 },
    openUntil: opened.openUntil,
  });
});
