// Calls that provably never left are made again either way, and count (semantics.md §1): nobody is
// there, the name is unknown, the handshake fails.

import assert from "node:assert/strict";
import { startServer } from "../support/grpc_server.ts";
import { until } from "../support/heard.ts";
import { attemptOf, BUY, buyStep, freeEndpoint, openShop } from "../support/shop_runs.ts";

/** No breaker in the way, and retries that come soon. */
const SOON = "circuit_breaker: false, retry: { attempts: 3, initial_delay: 5ms }";

for (const idempotent of [true, false]) {
  const step = buyStep("buy", `idempotent: ${idempotent}`, "o1");
  const said = `idempotent: ${idempotent}`;

  Deno.test(`a call that found nobody is made again, and counts as an attempt; ${said}`, async () => {
    const endpoint = await freeEndpoint();
    await using runs = await openShop({
      endpoint: () => endpoint,
      settings: "circuit_breaker: false, " +
        "retry: { attempts: 1000, initial_delay: 20ms, backoff: constant }",
      lingers: 1_300,
    });
    const started = await runs.start(step);
    const ends = () => started.happenings.filter(({ kind }) => kind === "attempt_ended");
    await until("two attempts found nobody", () => ends().length >= 2);
    await using late = await startServer({
      scripts: { [BUY]: () => ({ order_id: "late" }) },
      address: endpoint,
      reflection: "none",
    });
    const { report } = await started.ended();
    assert.equal(report.status, "completed", JSON.stringify(report.error));
    const [call, another] = late.calls;
    assert.ok(call);
    assert.equal(another, undefined, "nobody saw the attempts before");
    assert.equal(attemptOf(call), report.steps[0]?.attempts);
    assert.ok(attemptOf(call) > 2);
  });

  Deno.test(`as many calls as there are attempts may find nobody; ${said}`, async () => {
    const endpoint = await freeEndpoint();
    await using runs = await openShop({ endpoint: () => endpoint, settings: SOON, lingers: 400 });
    const { report } = await runs.run(step);
    const { code, attempts, outcome } = report.error ?? {};
    assert.deepEqual([code, attempts, outcome], ["UNAVAILABLE", 3, "not_sent"]);
  });
}

/** What provably never left: where to, and with which settings. */
const UNREACHABLE = [
  ["whose service's name can't be resolved", () => "no-such-host.invalid:50051", ""],
  ["that speaks TLS to a service that doesn't", (endpoint: string) => endpoint, ", tls: true"],
] as const;

for (const [which, place, more] of UNREACHABLE) {
  Deno.test(`a call ${which} never left, and is made again even if it is not idempotent`, async () => {
    await using runs = await openShop({
      endpoint: (shop) => place(shop.endpoint),
      settings: SOON + more,
      lingers: 1_300,
    });
    const { report } = await runs.run(buyStep("buy", "idempotent: false", "o1"));
    const { code, attempts, outcome } = report.error ?? {};
    assert.deepEqual([code, attempts, outcome], ["UNAVAILABLE", 3, "not_sent"]);
    assert.deepEqual(runs.shop.calls, []);
  });
}
