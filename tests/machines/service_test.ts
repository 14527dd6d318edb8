/** The circuit breaker's table (semantics.md §2), row by row. */
import assert from "node:assert/strict";
import { breaker, halfOpen, type TestedBreaker, trip } from "../support/breaker.ts";

Deno.test("closed | result [n ≥ min_calls and failure rate ≥ its threshold] → open, and the timer starts", () => {
  const service = breaker();
  for (const code of ["OK", "UNAVAILABLE", "INTERNAL"]) service.ask().result(code);
  assert.equal(service.state(), "closed", "fewer than min_calls");
  service.ask().result("OK");
  assert.equal(service.state(), "open");
  assert.equal(service.view().openUntil, service.clock.now() + 15_000);
  assert.equal(service.clock.nextDue, service.clock.now() + 15_000);
});

Deno.test("closed | result [n ≥ min_calls and slow rate ≥ its threshold] → open, and the timer starts", () => {
  const service = breaker({ slowCall: 100, slowCallRate: 75 });
  for (const duration of [100, 100, 1]) service.ask().result("OK", { duration });
  service.ask().result("OK", { duration: 500 });
  assert.equal(service.state(), "open");
  assert.equal(service.clock.nextDue, service.clock.now() + 15_000);
});

Deno.test("closed | any other result → closed: it is recorded", () => {
  const service = breaker();
  for (const code of ["OK", "OK", "OK", "UNAVAILABLE", "NOT_FOUND"]) service.ask().result(code);
  assert.equal(service.state(), "closed");
  assert.deepEqual(service.view().window, { calls: 5, failures: 1, slow: 0 });
});

Deno.test("closed | an ignored result → closed: nothing changes", () => {
  const service = breaker();
  for (let call = 0; call < 9; call++) service.ask().result("CANCELLED");
  for (let call = 0; call < 9; call++) service.ask().result("DEADLINE_EXCEEDED", { full: false });
  assert.equal(service.state(), "closed");
  assert.deepEqual(service.view().window, { calls: 0, failures: 0, slow: 0 });
});

Deno.test("closed | call → closed: it is let through, also without asking", () => {
  const service = breaker();
  assert.deepEqual(service.ask().heard(), ["admitted"]);
  assert.deepEqual(service.closedPermit(), service.ask().permit());
  trip(service);
  assert.equal(service.closedPermit(), undefined);
});

Deno.test("open | call → open: it is refused, saying when it may be asked again", () => {
  const service = breaker({ onOpen: "fail" });
  trip(service);
  assert.deepEqual(service.ask().last(), { type: "refused", until: service.clock.now() + 15_000 });
  assert.equal(service.state(), "open");
});

Deno.test("open | call → open: with on_open: wait it waits, told until when", () => {
  const service = breaker();
  trip(service);
  assert.deepEqual(service.ask().last(), { type: "waiting", until: service.clock.now() + 15_000 });
  assert.equal(service.view().waiting, 1);
});

Deno.test("open | call → open: a compensation waits even where on_open is fail", () => {
  const service = breaker({ onOpen: "fail" });
  trip(service);
  const compensation = service.ask(true);
  service.clock.advance(15_000);
  assert.deepEqual(compensation.heard(), ["waiting", "admitted"]);
});

Deno.test("open | timer → half_open: permits = half_open_calls", () => {
  const service = breaker({ halfOpenCalls: 3 });
  trip(service);
  service.clock.advance(14_999);
  assert.equal(service.state(), "open");
  service.clock.advance(1);
  assert.equal(service.state(), "half_open");
  assert.equal(service.view().permitsLeft, 3);
  assert.equal(service.view().openUntil, null);
});

Deno.test("open | timer → half_open: who waits is let in first come, first served, and no more than there are permits", () => {
  const service = breaker({ halfOpenCalls: 2 });
  trip(service);
  const callers = [service.ask(), service.ask(), service.ask()];
  service.clock.advance(15_000);
  assert.deepEqual(callers.map((caller) => caller.last()?.type), [
    "admitted",
    "admitted",
    "waiting",
  ]);
  assert.equal(service.view().permitsLeft, 0);
});

Deno.test("half_open | call [permit left] → half_open: permits − 1, and it is sent", () => {
  const service = breaker({ halfOpenCalls: 2 });
  halfOpen(service);
  assert.deepEqual(service.ask().heard(), ["admitted"]);
  assert.equal(service.view().permitsLeft, 1);
});

Deno.test("half_open | call [none left] → half_open: it waits or is refused, as on_open says", () => {
  for (const [onOpen, answer] of [["wait", "waiting"], ["fail", "refused"]] as const) {
    const service = breaker({ onOpen });
    halfOpen(service);
    service.ask();
    assert.deepEqual(service.ask().last(), { type: answer, until: null });
    assert.equal(service.ask(true).last()?.type, "waiting", "a compensation");
    assert.equal(service.state(), "half_open");
  }
});

Deno.test("half_open | ignored result → half_open: the permit is given back, to who waits first", () => {
  const service = breaker();
  halfOpen(service);
  const [first, second, third] = [service.ask(), service.ask(), service.ask()];
  first.result("CANCELLED");
  assert.equal(second.last()?.type, "admitted");
  second.result("DEADLINE_EXCEEDED", { full: false });
  assert.equal(third.last()?.type, "admitted");
  third.result("CANCELLED");
  assert.equal(service.state(), "half_open");
  assert.equal(service.view().permitsLeft, 1);
});

Deno.test("half_open | the caller stopped before a result → half_open: the permit is given back", () => {
  const service = breaker();
  halfOpen(service);
  const [first, second] = [service.ask(), service.ask()];
  first.withdraw(first.permit());
  assert.equal(second.last()?.type, "admitted");
  second.withdraw(null); // it was let in, and has not heard of it yet
  assert.equal(service.view().permitsLeft, 1);
  second.withdraw(second.permit());
  assert.equal(service.view().permitsLeft, 1, "one permit is given back once");
});

Deno.test("half_open | success [fewer than all] → half_open: it is recorded", () => {
  const service = breaker({ halfOpenCalls: 2 });
  halfOpen(service);
  const [first, second, third] = [service.ask(), service.ask(), service.ask()];
  first.result("OK");
  first.result("OK"); // one call is one result
  assert.equal(service.state(), "half_open");
  assert.equal(third.last()?.type, "waiting", "its permit is used up");
  second.result("NOT_FOUND"); // the service answered
  assert.equal(service.state(), "closed");
});

Deno.test("half_open | success [the last] → closed: the window is empty, the wait is back to open_for, all who wait are let in", () => {
  const service = breaker();
  halfOpen(service);
  service.ask().result("UNAVAILABLE");
  service.clock.advance(30_000);
  const [probe, ...others] = [service.ask(), service.ask(), service.ask()];
  probe?.result("OK");
  assert.equal(service.state(), "closed");
  assert.deepEqual(service.view().window, { calls: 0, failures: 0, slow: 0 });
  assert.deepEqual(others.map((caller) => caller.last()?.type), ["admitted", "admitted"]);
  trip(service);
  assert.equal(service.view().openUntil, service.clock.now() + 15_000);
});

Deno.test("half_open | failure → open: the wait doubles, up to max_open_for", () => {
  const service = breaker();
  halfOpen(service);
  for (const openFor of [30_000, 40_000, 40_000]) {
    const probe = service.ask();
    const waiter = service.ask();
    probe.result("UNAVAILABLE");
    assert.equal(service.state(), "open");
    const until = service.clock.now() + openFor;
    assert.deepEqual(waiter.last(), { type: "waiting", until }, "who waits is told");
    waiter.withdraw(null);
    service.clock.advance(openFor - 1);
    assert.equal(service.state(), "open");
    service.clock.advance(1);
    assert.equal(service.state(), "half_open");
  }
});

Deno.test("half_open | slow → open: the wait doubles", () => {
  const service = breaker({ slowCall: 100 });
  halfOpen(service);
  service.ask().result("OK", { duration: 100 });
  assert.equal(service.state(), "open");
  assert.equal(service.view().openUntil, service.clock.now() + 30_000);
});

Deno.test("any | result of a call begun in an earlier state → same: it is dropped", () => {
  for (const code of ["OK", "UNAVAILABLE"]) {
    const service = breaker();
    const early = service.ask();
    trip(service);
    early.result(code);
    assert.equal(service.state(), "open");
    service.clock.advance(15_000);
    early.result(code);
    early.withdraw(early.permit());
    assert.equal(service.state(), "half_open");
    assert.equal(service.view().permitsLeft, 1);
    service.ask().result("OK");
    early.result(code);
    assert.deepEqual(service.view().window, { calls: 0, failures: 0, slow: 0 });
  }
});

/** A breaker in each of its states. */
const STATES: readonly (readonly [string, (service: TestedBreaker) => void])[] = [
  ["closed", () => {}],
  ["open", trip],
  ["half_open", halfOpen],
  ["forced_open", (service) => service.tell({ type: "force_open" })],
];

for (const [state, bring] of STATES) {
  Deno.test(`any (${state}) | operator: force_open → forced_open: calls wait without a timer until a reset`, () => {
    const service = breaker();
    bring(service);
    service.tell({ type: "force_open" });
    const waiter = service.ask();
    assert.deepEqual(waiter.last(), { type: "waiting", until: null });
    assert.equal(service.clock.nextDue, undefined, "no timer");
    service.tell({ type: "health", serving: true });
    service.tell({ type: "health", serving: false });
    service.clock.advance(10 * 60_000);
    assert.equal(service.state(), "forced_open");
    service.tell({ type: "reset" });
    assert.equal(service.state(), "closed");
    assert.deepEqual(waiter.heard(), ["waiting", "admitted"]);
  });

  Deno.test(`any (${state}) | operator: force_open → forced_open: with on_open: fail calls are refused`, () => {
    const service = breaker({ onOpen: "fail" });
    bring(service);
    service.tell({ type: "force_open" });
    assert.deepEqual(service.ask().last(), { type: "refused", until: null });
    assert.equal(service.ask(true).last()?.type, "waiting", "a compensation");
  });

  Deno.test(`any (${state}) | operator: reset → closed: the window is empty, the wait is back to open_for`, () => {
    const service = breaker();
    halfOpen(service);
    service.ask().result("UNAVAILABLE"); // the wait has doubled
    service.tell({ type: "reset" });
    for (let call = 0; call < 3; call++) service.ask().result("UNAVAILABLE");
    service.tell({ type: "reset" }); // three failures are forgotten
    bring(service);
    const early = service.closedPermit() === undefined ? null : service.ask();
    service.tell({ type: "reset" });
    assert.equal(service.state(), "closed");
    early?.result("UNAVAILABLE"); // begun before: dropped
    assert.deepEqual(service.view().window, { calls: 0, failures: 0, slow: 0 });
    trip(service);
    assert.equal(service.view().openUntil, service.clock.now() + 15_000);
  });
}

Deno.test("operator: force_open tells who waits that no timer runs any more", () => {
  const service = breaker();
  trip(service);
  const waiter = service.ask();
  service.tell({ type: "force_open" });
  assert.deepEqual(waiter.last(), { type: "waiting", until: null });
  waiter.withdraw(null);
  service.tell({ type: "reset" });
  assert.deepEqual(waiter.heard(), ["waiting", "waiting"], "it had left the queue");
});

for (const [state, bring] of STATES.filter(([state]) => state !== "forced_open")) {
  Deno.test(`health: not SERVING opens a breaker that is ${state}, without a timer`, () => {
    const service = breaker();
    bring(service);
    service.tell({ type: "health", serving: false });
    assert.equal(service.state(), "open");
    assert.deepEqual(service.ask().last(), { type: "waiting", until: null });
    assert.equal(service.clock.nextDue, undefined);
    service.clock.advance(10 * 60_000);
    assert.equal(service.state(), "open");
  });
}

Deno.test("health: SERVING moves an open breaker to half_open, not to closed", () => {
  for (
    const open of [trip, (service: TestedBreaker) => {
      service.tell({ type: "health", serving: false });
    }]
  ) {
    const service = breaker();
    open(service);
    const [first, second] = [service.ask(), service.ask()];
    service.tell({ type: "health", serving: true });
    assert.equal(service.state(), "half_open");
    assert.deepEqual([first.last()?.type, second.last()?.type], ["admitted", "waiting"]);
    assert.equal(service.clock.nextDue, undefined, "the timer is gone");
    first.result("OK");
    assert.equal(service.state(), "closed");
  }
});

Deno.test("health: SERVING changes nothing in closed and half_open", () => {
  const service = breaker();
  service.ask().result("UNAVAILABLE");
  service.tell({ type: "health", serving: true });
  assert.equal(service.state(), "closed");
  assert.equal(service.view().window.failures, 1, "health calls never enter the window");
  service.tell({ type: "reset" });
  halfOpen(service);
  const probe = service.ask();
  service.tell({ type: "health", serving: true });
  assert.equal(service.view().permitsLeft, 0);
  probe.result("OK");
  assert.equal(service.state(), "closed");
});

Deno.test("who stops waiting loses its place", () => {
  const service = breaker();
  trip(service);
  const [first, second] = [service.ask(), service.ask()];
  first.withdraw(null);
  service.clock.advance(15_000);
  assert.deepEqual(first.heard(), ["waiting"]);
  assert.equal(second.last()?.type, "admitted");
});

Deno.test("who waits hears of its permit once it is clear what follows, and may have gone by then", () => {
  const later: (() => void)[] = [];
  const service = breaker({}, (callback) => later.push(callback));
  trip(service);
  const [gone, next] = [service.ask(), service.ask()];
  service.clock.advance(15_000);
  assert.deepEqual(gone.heard(), ["waiting"]);
  gone.withdraw(null);
  assert.equal(service.view().waiting, 0, "the next one has its permit");
  for (const callback of later.splice(1)) callback();
  next.result("OK");
  assert.equal(service.state(), "closed");
});
