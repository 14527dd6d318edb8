// How a circuit breaker tries whether its service is back, as the service sees it: semantics.md §2,
// the states `open` and `half_open`.

import assert from "node:assert/strict";
import type { ScriptedCall } from "../support/grpc_server.ts";
import { until } from "../support/heard.ts";
import {
  attemptOf,
  BUY,
  BUY_STEP,
  buyStep,
  bySku,
  type EndedShopRun,
  failing,
  gapsOf,
  Gate,
  inTurn,
  openShop,
  type ShopRun,
  type ShopRuns,
  SKEW,
  skuOf,
} from "../support/shop_runs.ts";

const DOWN = failing("UNAVAILABLE");

/** A breaker that opens on the first failure, for a short time; calls wait for it. */
function breaker(more = ""): string {
  return `circuit_breaker: { min_calls: 1, open_for: 200ms${more && `, ${more}`} }`;
}

/** A shop that holds calls of the sku `held`, behind a breaker that has just opened. */
async function openTripped(gate: Gate, settings = breaker()): Promise<ShopRuns> {
  const runs = await openShop({ scripts: { [BUY]: gate.some }, settings });
  await runs.buy("UNAVAILABLE");
  return runs;
}

function startHeld(runs: ShopRuns, count: number, steps = BUY_STEP): Promise<ShopRun[]> {
  const started = Array.from(
    { length: count },
    () => runs.start(steps, { input: { sku: "held" } }),
  );
  return Promise.all(started);
}

/** Enough for whoever would come too early to come. */
const grace = () => new Promise((resolve) => setTimeout(resolve, 100));

async function statuses(started: readonly ShopRun[]): Promise<string[]> {
  return await Promise.all(started.map(async (run) => (await run.ended()).report.status));
}

Deno.test("of 50 concurrent runs one probe leaves, and its success lets the others go", async () => {
  const gate = new Gate();
  await using runs = await openTripped(gate);
  const started = await startHeld(runs, 50);
  await until("a probe is there", () => gate.held.length === 1);
  await until("the others wait", () => runs.breaker().waiting === 49);
  await grace();
  assert.equal(gate.held.length, 1);
  assert.equal(runs.breaker().state, "half_open");
  gate.letGo();
  await until("the others are there", () => gate.held.length === 49);
  assert.equal(runs.breaker().state, "closed");
  gate.letGo();
  assert.deepEqual(new Set(await statuses(started)), new Set(["completed"]));
  assert.equal(runs.shop.calls.length, 1 + 50);
  const gap = gapsOf(runs.shop.calls)[0] ?? NaN;
  assert.ok(gap >= 200 - SKEW, `the probe left after ${gap} ms`);
});

Deno.test("half_open_calls probes leave, and only the last one's success closes the breaker", async () => {
  const gate = new Gate();
  await using runs = await openTripped(gate, breaker("half_open_calls: 3"));
  const started = await startHeld(runs, 8);
  await until("three are there", () => gate.held.length === 3);
  for (const left of [2, 1]) {
    gate.letGo(1);
    await grace();
    assert.equal(gate.held.length, left, "a success gives no permit back");
    assert.equal(runs.breaker().state, "half_open");
  }
  gate.letGo(1);
  await until("the others are there", () => gate.held.length === 5);
  gate.letGo();
  assert.deepEqual(new Set(await statuses(started)), new Set(["completed"]));
});

/** For how long the breaker was open, each time that a run had to wait, in milliseconds. */
function openTimes({ happenings }: EndedShopRun): number[] {
  let failedAt = NaN;
  return happenings.flatMap((event) => {
    if (event.kind === "attempt_ended") failedAt = event.at;
    return event.kind === "breaker_waiting" && event.until !== null ? [event.until - failedAt] : [];
  });
}

Deno.test("each failed probe doubles the wait, up to max_open_for; a success brings it back", async () => {
  await using runs = await openShop({
    scripts: { [BUY]: inTurn(DOWN, DOWN, DOWN, DOWN, { order_id: "o1" }) },
    settings: "circuit_breaker: { min_calls: 1, open_for: 100ms, max_open_for: 250ms }, " +
      "retry: { attempts: 9, initial_delay: 1ms, max_delay: 1ms }",
  });
  for (let run = 0; run < 2; run++) {
    const ended = await runs.run(BUY_STEP);
    assert.equal(ended.report.status, "completed");
    // An open breaker takes no attempt: the numbers have no holes.
    assert.deepEqual(ended.calls.map(attemptOf), [1, 2, 3, 4, 5]);
    const delays = [100, 200, 250, 250];
    assert.deepEqual(openTimes(ended), delays);
    gapsOf(ended.calls).forEach((gap, index) => {
      assert.ok(gap >= (delays[index] ?? NaN) - SKEW, `probe ${index + 1} after ${gap} ms`);
    });
  }
});

Deno.test("a slow probe opens the breaker again, though it succeeds", async () => {
  let pause = 0;
  await using runs = await openShop({
    scripts: {
      [BUY]: async (call: ScriptedCall) => {
        await new Promise((resolve) => setTimeout(resolve, pause));
        return bySku(call) as { order_id: string }; // it sells
      },
    },
    settings: "circuit_breaker: { min_calls: 1, open_for: 500ms, slow_call: 300ms }",
  });
  await runs.buy("UNAVAILABLE");
  await until("it may be tried", () => runs.breaker().state === "half_open");
  pause = 350;
  const before = Date.now();
  assert.equal((await runs.buy("o1")).report.status, "completed");
  const { state, openUntil } = runs.breaker();
  assert.equal(state, "open");
  assert.ok(openUntil !== null && openUntil >= before + 350 + 1_000 - SKEW, "twice as long");
});

/** What becomes of a probe that says nothing about its service, and what its run's status is then. */
const IGNORED = [
  {
    when: "is answered CANCELLED",
    end: (_probe: ShopRun, gate: Gate) => gate.letGo(1, failing("CANCELLED")),
    status: "failed",
  },
  {
    when: "is cancelled with its run",
    end: ({ run }: ShopRun) => run.cancel(),
    status: "cancelled",
  },
  { when: "had less than its attempt_timeout left", timeout: "timeout: 1s", status: "failed" },
];

for (const { when, end, status, timeout } of IGNORED) {
  Deno.test(`a probe that ${when} gives its permit to the next`, async () => {
    const gate = new Gate();
    await using runs = await openTripped(gate);
    const probe = await runs.start(buyStep("buy", timeout), { input: { sku: "held" } });
    await until("the probe is there", () => gate.held.length === 1);
    const others = await startHeld(runs, 3);
    const arrived = () => others.flatMap((run) => run.calls()).length;
    end?.(probe, gate);
    assert.equal((await probe.ended()).report.status, status);
    await until("the next one is there", () => arrived() === 1);
    await grace();
    assert.equal(arrived(), 1);
    assert.equal(runs.breaker().state, "half_open");
    gate.letGo();
    await until("the others are there", () => gate.held.length === 2);
    gate.letGo();
    assert.deepEqual(await statuses(others), ["completed", "completed", "completed"]);
  });
}

Deno.test("with on_open: fail a half-open breaker turns away all but its probes", async () => {
  const gate = new Gate();
  await using runs = await openTripped(gate, breaker("on_open: fail"));
  await until("it may be tried", () => runs.breaker().state === "half_open");
  const [probe] = await startHeld(runs, 1);
  await until("the probe is there", () => gate.held.length === 1);
  const { report, calls } = await runs.buy("o1");
  assert.deepEqual([report.error?.code, report.error?.attempts], ["CIRCUIT_OPEN", 0]);
  assert.deepEqual(calls, []);
  gate.letGo();
  assert.equal((await probe?.ended())?.report.status, "completed");
  assert.equal((await runs.buy("o1")).report.status, "completed");
});

Deno.test("the result of a call that began before is no probe's, and counts for nothing later", async () => {
  for (const failure of [undefined, DOWN]) {
    const gate = new Gate();
    await using runs = await openShop({ scripts: { [BUY]: gate.some }, settings: breaker() });
    const [early, late] = [await startHeld(runs, 1), await startHeld(runs, 1)];
    await until("both are there", () => gate.held.length === 2);
    await runs.buy("UNAVAILABLE");
    await until("it may be tried", () => runs.breaker().state === "half_open");
    gate.letGo(1, failure);
    assert.deepEqual(await statuses(early), [failure === undefined ? "completed" : "failed"]);
    assert.equal(runs.breaker().state, "half_open");
    assert.equal((await runs.buy("o1")).report.status, "completed");
    assert.equal(runs.breaker().state, "closed");
    gate.letGo(1, DOWN);
    assert.deepEqual(await statuses(late), ["failed"]);
    assert.equal(runs.breaker().state, "closed");
    assert.equal(runs.breaker().window.calls, 0);
  }
});

for (const more of ["", "compensate: { method: Refund }"]) {
  Deno.test(`branches that wait for the breaker are never sent once one has failed${more && `; ${more}`}`, async () => {
    for (const code of ["FAILED_PRECONDITION", "CANCELLED"] as const) { // the probe's: it counts, or not
      const gate = new Gate();
      await using runs = await openTripped(gate);
      const names = ["held1", "held2", "held3"];
      const started = await runs.start(
        `  - parallel:\n${names.map((id) => `    ${buyStep(id, more, id)}`).join("")}`,
      );
      await until("the probe is there", () => gate.held.length === 1);
      await until("the others wait", () => runs.breaker().waiting === 2);
      gate.letGo(1, failing(code));
      const { report, calls } = await started.ended();
      assert.deepEqual(
        calls.map(skuOf).slice(0, 2),
        code === "CANCELLED" && more !== "" ? ["held1", ""] : ["held1"],
      );
      for (const { id, status, outcome, attempts } of report.steps.slice(1)) {
        assert.deepEqual(
          [status, outcome, attempts],
          ["cancelled", "not_sent", 0],
          `${id} after ${code}`,
        );
      }
      assert.equal(runs.breaker().waiting, 0);
    }
  });
}
