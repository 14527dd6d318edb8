// Who shares a circuit breaker, what its callers do while it is open, and what operators do to it,
// as the service sees it: semantics.md §1 and §2.

import assert from "node:assert/strict";
import { until } from "../support/heard.ts";
import { workflowOf } from "../support/engines.ts";
import {
  BUY,
  BUY_STEP,
  buyStep,
  gapsOf,
  Gate,
  openShop,
  REFUND,
  shopWorkflow,
  SKEW,
} from "../support/shop_runs.ts";

/** A breaker that opens on the first failure, for as long as the test lasts. */
function breaker(more: string): string {
  return `circuit_breaker: { min_calls: 1, open_for: 1h, ${more} }`;
}

const FAIL = breaker("on_open: fail");
const WAIT = breaker("on_open: wait");
const REFUND_STEP = "  - { id: refund, service: shop, method: Refund }\n";

Deno.test("runs of two workflows share a breaker where endpoint and settings are the same, whatever the names", async () => {
  await using runs = await openShop({ settings: FAIL });
  await runs.buy("UNAVAILABLE");
  const other = shopWorkflow(runs.shop.endpoint, REFUND_STEP, FAIL)
    .replace("name: rules", "name: another").replaceAll("shop:", "store:")
    .replace("service: shop", "service: store");
  const report = await (await runs.engine.start(workflowOf(other))).result();
  assert.equal(report.error?.code, "CIRCUIT_OPEN");
  assert.match(report.error?.message ?? "", /"store"/);
  assert.equal(runs.shop.calls.length, 1);
  assert.equal(runs.engine.breakers().length, 1);
});

Deno.test("services with other settings, or at another endpoint, have a breaker of their own", async () => {
  await using runs = await openShop({ settings: FAIL });
  await using elsewhere = await openShop();
  await runs.buy("UNAVAILABLE");
  const others = [
    { settings: `${FAIL}, attempt_timeout: 29s` },
    { settings: FAIL.replace("1h", "2h") },
    { endpoints: { shop: elsewhere.shop.endpoint } },
  ];
  for (const other of others) {
    const { report } = await runs.buy("o1", other);
    assert.equal(report.status, "completed", JSON.stringify(other));
  }
  assert.equal((await runs.buy("o1")).report.error?.code, "CIRCUIT_OPEN");
  assert.deepEqual(runs.engine.breakers().map(({ state }) => state), [
    "open",
    "closed",
    "closed",
    "closed",
  ]);
});

Deno.test("an engine's breakers are its own", async () => {
  await using runs = await openShop({ settings: FAIL });
  await using others = await openShop({ settings: FAIL, endpoint: () => runs.shop.endpoint });
  await runs.buy("UNAVAILABLE");
  assert.equal((await others.buy("o1")).report.status, "completed");
});

Deno.test("with scope: method the other methods still answer, else they don't", async () => {
  for (const scope of ["method", "service"]) {
    await using runs = await openShop({ settings: breaker(`on_open: fail, scope: ${scope}`) });
    await runs.buy("UNAVAILABLE");
    assert.equal((await runs.buy("o1")).report.error?.code, "CIRCUIT_OPEN");
    const { report } = await runs.run(REFUND_STEP);
    assert.equal(report.status, scope === "method" ? "completed" : "failed");
    assert.deepEqual(
      runs.engine.breakers().map(({ method, state }) => [method, state]),
      scope === "method" ? [[BUY, "open"], [REFUND, "closed"]] : [[null, "open"]],
    );
  }
});

Deno.test("with on_open: wait a call waits until the breaker lets it through", async () => {
  await using runs = await openShop({
    settings: "circuit_breaker: { min_calls: 1, open_for: 300ms }",
  });
  await runs.buy("UNAVAILABLE");
  const { report, calls } = await runs.buy("o1");
  assert.deepEqual([report.status, report.steps[0]?.attempts], ["completed", 1]);
  assert.equal(calls.length, 1);
  const gap = gapsOf(runs.shop.calls)[0] ?? NaN;
  assert.ok(gap >= 300 - SKEW, `${gap} ms`);
});

Deno.test("a step that times out while it waits for the breaker fails as CIRCUIT_OPEN, and was never sent", async () => {
  await using runs = await openShop({ settings: WAIT });
  await runs.buy("UNAVAILABLE");
  const { report, calls } = await runs.run(buyStep("buy", "timeout: 100ms"));
  const { code, attempts, outcome } = report.error ?? {};
  assert.deepEqual([code, attempts, outcome], ["CIRCUIT_OPEN", 0, "not_sent"]);
  assert.deepEqual(calls, []);
  assert.equal(runs.breaker().waiting, 0);
});

Deno.test("a run that times out while it waits for the breaker has timed out", async () => {
  await using runs = await openShop({ settings: WAIT });
  await runs.buy("UNAVAILABLE");
  const { report, calls } = await runs.run(BUY_STEP, { head: "timeout: 100ms" });
  assert.deepEqual([report.status, report.error?.code], ["timed_out", "RUN_TIMEOUT"]);
  assert.deepEqual(calls, []);
  assert.equal(runs.breaker().waiting, 0);
});

Deno.test("a run that is cancelled while it waits for the breaker leaves at once, and its place with it", async () => {
  const gate = new Gate();
  await using runs = await openShop({
    scripts: { [BUY]: gate.some },
    settings: "circuit_breaker: { min_calls: 1, open_for: 500ms }",
  });
  await runs.buy("UNAVAILABLE");
  runs.breaker().forceOpen(); // until the others wait
  const held = { input: { sku: "held" } };
  const cancelled = await runs.start(BUY_STEP, held);
  const others = [await runs.start(BUY_STEP, held), await runs.start(BUY_STEP, held)];
  await until("all wait", () => runs.breaker().waiting === 3);
  cancelled.run.cancel();
  const { report } = await cancelled.ended();
  assert.deepEqual([report.status, report.steps[0]?.outcome], ["cancelled", "not_sent"]);
  assert.equal(runs.breaker().state, "forced_open", "it did not wait for that");
  assert.equal(runs.breaker().waiting, 2);
  runs.breaker().reset();
  await until("the others are there", () => gate.held.length === 2);
  gate.letGo();
  for (const other of others) assert.equal((await other.ended()).report.status, "completed");
  assert.deepEqual(cancelled.calls(), []);
});

Deno.test("forceOpen() holds every call back until reset(), as on_open says", async () => {
  for (const settings of [FAIL, WAIT]) {
    await using runs = await openShop({ settings });
    await runs.buy("o1");
    runs.breaker().forceOpen();
    const held = await runs.start(BUY_STEP);
    if (settings === FAIL) {
      assert.equal((await held.ended()).report.error?.code, "CIRCUIT_OPEN");
    } else await until("it waits", () => runs.breaker().waiting === 1);
    assert.deepEqual(runs.breaker().openUntil, null);
    assert.equal(runs.shop.calls.length, 1);
    runs.breaker().reset();
    if (settings === WAIT) assert.equal((await held.ended()).report.status, "completed");
    assert.equal((await runs.buy("o1")).report.status, "completed");
  }
});

Deno.test("reset() closes an open breaker, and forgets the failures before", async () => {
  await using runs = await openShop({
    settings: "circuit_breaker: { min_calls: 2, open_for: 1h, on_open: fail }",
  });
  for (let call = 0; call < 2; call++) await runs.buy("UNAVAILABLE");
  assert.equal(runs.breaker().state, "open");
  runs.breaker().reset();
  assert.deepEqual(runs.breaker().window, { calls: 0, failures: 0, slow: 0 });
  await runs.buy("UNAVAILABLE");
  assert.equal(runs.breaker().state, "closed");
  assert.equal(runs.shop.calls.length, 3);
});

Deno.test("a compensation waits for an open breaker, also with on_open: fail", async () => {
  await using runs = await openShop({
    settings: FAIL,
  });
  const started = await runs.start(`  - id: buy
    service: shop
    method: Buy
    compensate: { method: Refund, input: { sku: "{{ .buy.order_id }}" } }
${buyStep("bad", "", "UNAVAILABLE")}`);
  await until("it waits", () => runs.engine.breakers()[0]?.waiting === 1);
  assert.deepEqual(started.calls().map(({ method }) => method), [BUY, BUY]);
  runs.breaker().reset();
  assert.equal((await started.ended()).report.status, "compensated");
  assert.deepEqual(started.calls().map(({ method }) => method), [BUY, BUY, REFUND]);
});
