// How many calls are at a service at once, how many begin in a time, and in which order: `pool` and
// `rate_limit` of language.md §3, as the service sees them.

import assert from "node:assert/strict";
import { startProxy } from "../support/raw_server.ts";
import { until } from "../support/heard.ts";
import {
  attemptOf,
  BUY,
  BUY_STEP,
  buyStep,
  failing,
  Gate,
  openShop,
  type ShopRun,
  type ShopRuns,
  SKEW,
  skuOf,
} from "../support/shop_runs.ts";

/** `parallel` with so many branches, each of which buys what it is called. @param more their settings */
function branches(count: number, more = ""): string {
  const names = Array.from({ length: count }, (_, index) => `b${index + 1}`);
  return `  - parallel:\n${names.map((id) => `    ${buyStep(id, more, id)}`).join("")}`;
}

/** Enough for whoever would come too early to come. */
const grace = () => new Promise((resolve) => setTimeout(resolve, 100));

/** A shop that holds every call, and lets in so many at a time. */
async function openGated(gate: Gate, most: number, settings = ""): Promise<ShopRuns> {
  return await openShop({
    scripts: { [BUY]: gate.script },
    settings: `pool: { max_concurrent: ${most} }${settings}`,
  });
}

/** Runs whose calls came to the service, or into its queue, one after the other. */
async function startInLine(runs: ShopRuns, ...skus: readonly string[]): Promise<ShopRun[]> {
  const started: ShopRun[] = [];
  for (const [index, sku] of skus.entries()) {
    started.push(await runs.start(BUY_STEP, { input: { sku } }));
    const queued = () => runs.engine.breakers()[0]?.queued ?? 0;
    await until("it is there or queues", () => arrivals(runs).length + queued() === index + 1);
  }
  return started;
}

/** What came in, in order. */
const arrivals = ({ shop }: ShopRuns) => shop.calls.map(skuOf);

Deno.test("of 20 parallel branches never more than max_concurrent are at the service, first come first served", async () => {
  const gate = new Gate();
  await using runs = await openGated(gate, 3);
  const started = await runs.start(branches(20));
  for (let answered = 0; answered < 20; answered++) {
    const there = Math.min(3, 20 - answered);
    await until("as many are there as may be", () => gate.held.length === there);
    gate.letGo(1);
  }
  assert.equal((await started.ended()).report.status, "completed");
  assert.equal(gate.most, 3);
  assert.deepEqual(arrivals(runs), Array.from({ length: 20 }, (_, index) => `b${index + 1}`));
});

Deno.test("max_concurrent holds over all runs, which are served in the order in which they came", async () => {
  const gate = new Gate();
  await using runs = await openGated(gate, 1);
  const skus = ["a", "b", "c", "d", "e"];
  const started = await startInLine(runs, ...skus);
  assert.deepEqual(arrivals(runs), ["a"]);
  for (const [index, run] of started.entries()) {
    await until("it is there", () => gate.held.length === 1);
    assert.deepEqual(arrivals(runs), skus.slice(0, index + 1));
    gate.letGo();
    assert.equal((await run.ended()).report.status, "completed");
  }
  assert.equal(gate.most, 1);
});

Deno.test("services with other settings have a pool of their own", async () => {
  const gate = new Gate();
  await using runs = await openGated(gate, 1);
  const one = await runs.start(BUY_STEP);
  const other = await runs.start(BUY_STEP, { settings: "pool: { max_concurrent: 2 }" });
  await until("both are there", () => gate.held.length === 2);
  gate.letGo();
  for (const run of [one, other]) assert.equal((await run.ended()).report.status, "completed");
});

Deno.test("a call that backs off holds no place, and comes back behind those who wait", async () => {
  const gate = new Gate();
  await using runs = await openGated(gate, 1, ", retry: { attempts: 2 }");
  const started = await startInLine(runs, "a", "b", "c");
  await until("it is there", () => gate.held.length === 1);
  gate.letGo(1, failing("UNAVAILABLE", { trailers: { "grpc-retry-pushback-ms": "0" } }));
  await until("the next is there", () => arrivals(runs).length === 2);
  await until("the first one queues again", () => runs.breaker().queued === 2);
  for (let left = 3; left > 0; left--) {
    await until("the next is there", () => gate.held.length === 1);
    gate.letGo();
  }
  for (const run of started) assert.equal((await run.ended()).report.status, "completed");
  assert.deepEqual(runs.shop.calls.map((call) => [skuOf(call), attemptOf(call)]), [
    ["a", 1],
    ["b", 1],
    ["c", 1],
    ["a", 2],
  ]);
});

Deno.test("a run's next call waits behind those who came before it", async () => {
  const gate = new Gate();
  await using runs = await openGated(gate, 1);
  const two = await runs.start(buyStep("one", "", "a1") + buyStep("two", "", "a2"));
  await until("it is there", () => gate.held.length === 1);
  const other = await runs.start(BUY_STEP, { input: { sku: "b" } });
  await until("it queues", () => runs.breaker().queued === 1);
  for (let left = 3; left > 0; left--) {
    await until("the next is there", () => gate.held.length === 1);
    gate.letGo();
  }
  for (const run of [two, other]) assert.equal((await run.ended()).report.status, "completed");
  assert.deepEqual(arrivals(runs), ["a1", "b", "a2"]);
});

Deno.test("time in the queue counts for the step's timeout, and not for the attempt's", async () => {
  const gate = new Gate();
  await using runs = await openGated(gate, 1, ", attempt_timeout: 20s");
  const [first] = await startInLine(runs, "a");
  const begun = performance.now();
  const plain = await runs.start(BUY_STEP);
  await until("it queues", () => runs.breaker().queued === 1);
  const timed = await runs.start(buyStep("buy", "timeout: 10s"));
  await until("both queue", () => runs.breaker().queued === 2);
  await until("some time is over", () => performance.now() - begun > 600);
  for (let left = 3; left > 0; left--) {
    await until("the next is there", () => gate.held.length === 1);
    gate.letGo();
  }
  for (const run of [first, plain, timed]) {
    assert.equal((await run?.ended())?.report.status, "completed");
  }
  const told = [plain, timed].map((run) => run.calls()[0]?.timeout ?? NaN);
  assert.ok(told[0]! > 10_000, `${told[0]} ms of 20 s`); // whatever a slow machine takes
  assert.ok(told[1]! <= 10_000 - 500, `${told[1]} ms of 10 s`);
});

Deno.test("a step that times out in the queue fails as STEP_TIMEOUT and was never sent; its place is the next one's", async () => {
  const gate = new Gate();
  await using runs = await openGated(gate, 1);
  const [first] = await startInLine(runs, "a");
  const { report, calls } = await runs.run(buyStep("buy", "timeout: 100ms"));
  const { code, attempts, outcome } = report.error ?? {};
  assert.deepEqual([code, attempts, outcome], ["STEP_TIMEOUT", 0, "not_sent"]);
  assert.deepEqual(calls, []);
  const last = await runs.start(BUY_STEP, { input: { sku: "c" } });
  await until("it queues", () => runs.breaker().queued === 1);
  gate.letGo();
  await until("the next is there", () => gate.held.length === 1);
  gate.letGo();
  for (const run of [first, last]) {
    assert.equal((await run?.ended())?.report.status, "completed");
  }
  assert.deepEqual(arrivals(runs), ["a", "c"]);
});

Deno.test("a run that is cancelled in the queue leaves at once, and the next one moves up", async () => {
  const gate = new Gate();
  await using runs = await openGated(gate, 1);
  const [first, second, third] = await startInLine(runs, "a", "b", "c");
  await second?.run.cancel();
  const { report } = await second!.ended();
  assert.deepEqual([report.status, report.steps[0]?.outcome], ["cancelled", "not_sent"]);
  assert.equal(gate.held.length, 1, "it did not wait for the first one");
  assert.equal(runs.breaker().queued, 1);
  gate.letGo();
  await until("the last one is there", () => gate.held.length === 1);
  gate.letGo();
  for (const run of [first, third]) {
    assert.equal((await run?.ended())?.report.status, "completed");
  }
  assert.deepEqual(arrivals(runs), ["a", "c"]);
});

Deno.test("a run that is cancelled in the middle of its call gives its place to the next", async () => {
  const gate = new Gate();
  await using runs = await openGated(gate, 1);
  const [first, second] = await startInLine(runs, "a", "b");
  await first?.run.cancel();
  assert.equal((await first!.ended()).report.status, "cancelled");
  await until("the next is there", () => arrivals(runs).length === 2);
  gate.letGo();
  assert.equal((await second!.ended()).report.status, "completed");
});

for (const more of ["", "compensate: { method: Refund }"]) {
  Deno.test(`branches in the queue are never sent once one has failed${more && `; ${more}`}`, async () => {
    const gate = new Gate();
    await using runs = await openGated(gate, 2);
    const started = await runs.start(branches(5, more));
    await until("two are there", () => gate.held.length === 2);
    gate.letGo(1, failing("FAILED_PRECONDITION"));
    await grace();
    assert.deepEqual(arrivals(runs), ["b1", "b2"]);
    gate.letGo(); // who can be undone may end its call
    const { report } = await started.ended();
    assert.equal(report.status, more === "" ? "failed" : "compensated");
    assert.deepEqual(arrivals(runs).slice(2), more === "" ? [] : [""], "b2 is undone");
    for (const { id, status, outcome, attempts } of report.steps.slice(2)) {
      assert.deepEqual([status, outcome, attempts], ["cancelled", "not_sent", 0], id);
    }
    const { inFlight, queued } = runs.breaker();
    assert.deepEqual([inFlight, queued], [0, 0]);
  });
}

Deno.test("rate_limit: 5/s lets no more than five calls arrive in any second, first come first served", async () => {
  await using runs = await openShop({ settings: "rate_limit: 5/s" });
  const { report, calls, happenings } = await runs.run(branches(12));
  assert.equal(report.status, "completed");
  assert.deepEqual(calls.map(skuOf), Array.from({ length: 12 }, (_, index) => `b${index + 1}`));
  // What a call may take on its way, a later one may come closer to it.
  const sent = new Map(
    happenings.flatMap((event) =>
      event.kind === "attempt_started" ? [[event.path.replace(/^.*\./, ""), event.at]] : []
    ),
  );
  const ways = calls.map((call) =>
    performance.timeOrigin + call.arrived - (sent.get(skuOf(call)) ?? NaN)
  );
  const least = 1_000 - Math.max(...ways) - SKEW;
  calls.slice(5).forEach(({ arrived }, index) => {
    const window = arrived - (calls[index]?.arrived ?? NaN);
    assert.ok(window >= least, `six calls came within ${window} ms`);
  });
});

Deno.test("a step that its service's rate_limit holds back for too long was never sent", async () => {
  await using runs = await openShop({ settings: "rate_limit: 2/m" });
  for (let run = 0; run < 2; run++) await runs.buy("o1");
  const { report, calls } = await runs.run(buyStep("buy", "timeout: 100ms"));
  const { code, attempts, outcome } = report.error ?? {};
  assert.deepEqual([code, attempts, outcome], ["STEP_TIMEOUT", 0, "not_sent"]);
  assert.deepEqual(calls, []);
});

for (const [channels, most] of [[1, 2], [3, 6]] as const) {
  Deno.test(`channels: ${channels} makes ${channels} connection(s), each with as many calls as its server takes`, async () => {
    const gate = new Gate();
    await using runs = await openShop({
      scripts: { [BUY]: gate.script },
      options: { "grpc.max_concurrent_streams": 2 },
      settings: `pool: { channels: ${channels} }`,
    });
    await using proxy = await startProxy(runs.shop.port);
    const started = await runs.start(branches(6), { endpoints: { shop: proxy.endpoint } });
    await until("as many are there as may be", () => gate.held.length === most);
    await grace();
    assert.equal(gate.most, most);
    for (let answered = 0; answered < 6; answered += most) {
      await until("as many are there as may be", () => gate.held.length === most);
      gate.letGo();
    }
    assert.equal((await started.ended()).report.status, "completed");
    assert.equal(proxy.accepted, channels);
  });
}

Deno.test("runs share the connections of their service", async () => {
  await using runs = await openShop();
  await using proxy = await startProxy(runs.shop.port);
  for (let run = 0; run < 3; run++) await runs.buy("o1", { endpoints: { shop: proxy.endpoint } });
  assert.equal(runs.shop.calls.length, 3);
  assert.equal(proxy.accepted, 1);
});
