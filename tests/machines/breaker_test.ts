/** What the breaker counts: windows, slow calls, failure codes, defaults. */
import assert from "node:assert/strict";
import { isTripped, markOf, windowOf } from "../../src/machines/breaker.ts";
import { breakerRule } from "../../src/workflow/defaults.ts";
import type { BreakerRule } from "../../src/workflow/service_rules.ts";
import { breaker } from "../support/breaker.ts";
import { xorshift } from "../support/random.ts";

function rule(changes: Partial<BreakerRule> = {}): BreakerRule {
  const whole = breakerRule(true);
  assert.ok(whole);
  return { ...whole, ...changes };
}

const count = (calls: number) => windowOf(rule({ window: { kind: "count", calls } }));
const time = (milliseconds: number) => windowOf(rule({ window: { kind: "time", milliseconds } }));

Deno.test("the defaults are semantics.md's", () => {
  assert.deepEqual(rule(), {
    failureRate: 50,
    minCalls: 10,
    window: { kind: "time", milliseconds: 60_000 },
    openFor: 15_000,
    maxOpenFor: 120_000,
    halfOpenCalls: 1,
    slowCall: null,
    slowCallRate: 100,
    failureCodes: [],
    onOpen: "wait",
    scope: "service",
  });
});

for (
  const [code, full, mark] of [
    ["UNAVAILABLE", true, "failure"],
    ["DEADLINE_EXCEEDED", true, "failure"],
    ["RESOURCE_EXHAUSTED", true, "failure"],
    ["INTERNAL", true, "failure"],
    ["UNKNOWN", true, "failure"],
    ["DATA_LOSS", true, "failure"],
    ["UNAVAILABLE", false, "failure"],
    ["DEADLINE_EXCEEDED", false, "ignored"],
    ["CANCELLED", true, "ignored"],
    ["CANCELLED", false, "ignored"],
    ["INVALID_REQUEST", true, "ignored"],
    ["EXPRESSION_ERROR", true, "ignored"],
    ["OK", true, "success"],
    ["OK", false, "success"],
    ["INVALID_ARGUMENT", true, "success"],
    ["NOT_FOUND", true, "success"],
    ["ALREADY_EXISTS", true, "success"],
    ["PERMISSION_DENIED", true, "success"],
    ["FAILED_PRECONDITION", true, "success"],
    ["ABORTED", true, "success"],
    ["OUT_OF_RANGE", true, "success"],
    ["UNIMPLEMENTED", true, "success"],
    ["UNAUTHENTICATED", true, "success"],
  ] as const
) {
  Deno.test(`${code}${full ? "" : " of a call that was given less than its attempt_timeout"} is: ${mark}`, () => {
    assert.equal(markOf(rule(), { code, full, duration: 1 }), mark);
  });
}

Deno.test("failure_codes replaces the list", () => {
  const own = rule({ failureCodes: ["NOT_FOUND"] });
  assert.equal(markOf(own, { code: "NOT_FOUND", full: true, duration: 1 }), "failure");
  assert.equal(markOf(own, { code: "UNAVAILABLE", full: true, duration: 1 }), "success");
  const named = rule({ failureCodes: ["CANCELLED", "DEADLINE_EXCEEDED"] });
  assert.equal(markOf(named, { code: "CANCELLED", full: true, duration: 1 }), "ignored");
  assert.equal(markOf(named, { code: "DEADLINE_EXCEEDED", full: false, duration: 1 }), "ignored");
});

Deno.test("a rate opens the breaker when it reaches its threshold, from min_calls on", () => {
  const half = rule({ minCalls: 4, slowCallRate: 75 });
  for (
    const [calls, failures, slow, opens] of [
      [3, 3, 3, false],
      [4, 1, 0, false],
      [4, 2, 0, true],
      [4, 0, 2, false],
      [4, 0, 3, true],
      [1_000, 499, 749, false],
      [1_000, 500, 0, true],
    ] as const
  ) {
    const figures = { calls, failures, slow };
    assert.equal(isTripped(half, figures), opens, JSON.stringify(figures));
  }
});

Deno.test("nothing opens a breaker without a failure or a slow call", () => {
  const eager = rule({ minCalls: 1, failureRate: 0, slowCallRate: 0 });
  assert.equal(isTripped(eager, { calls: 9, failures: 0, slow: 0 }), false);
});

Deno.test("a call is slow from slow_call on, whether it failed or not", () => {
  const service = breaker({ slowCall: 100, slowCallRate: 100, minCalls: 9 });
  for (const duration of [99, 100, 101]) service.ask().result("OK", { duration });
  service.ask().result("UNAVAILABLE", { duration: 100 });
  assert.deepEqual(service.view().window, { calls: 4, failures: 1, slow: 3 });
});

Deno.test("slow calls are off by default", () => {
  const service = breaker();
  for (let call = 0; call < 9; call++) service.ask().result("OK", { duration: 1e9 });
  assert.equal(service.state(), "closed");
});

Deno.test("a count window holds the last calls, whatever their age", () => {
  const window = count(3);
  const add = (failure: boolean, slow: boolean) => window.add(0, failure, slow);
  add(true, false);
  add(true, true);
  assert.deepEqual(window.figures(1e12), { calls: 2, failures: 2, slow: 1 });
  add(false, true);
  add(false, false); // the first is forgotten
  assert.deepEqual(window.figures(1e12), { calls: 3, failures: 1, slow: 2 });
  add(false, false);
  add(false, false);
  assert.deepEqual(window.figures(1e12), { calls: 3, failures: 0, slow: 0 });
  window.clear();
  assert.deepEqual(window.figures(1e12), { calls: 0, failures: 0, slow: 0 });
  add(true, false);
  assert.deepEqual(window.figures(1e12), { calls: 1, failures: 1, slow: 0 });
});

Deno.test("a time window forgets what is as old as it is long", () => {
  const window = time(60_000);
  window.add(1_000, true, false);
  window.add(31_000, false, true);
  assert.deepEqual(window.figures(60_999), { calls: 2, failures: 1, slow: 1 });
  assert.deepEqual(window.figures(61_000), { calls: 1, failures: 0, slow: 1 });
  assert.deepEqual(window.figures(99_000), { calls: 0, failures: 0, slow: 0 });
  window.add(61_000, false, false);
  assert.deepEqual(
    { calls: window.calls, failures: window.failures, slow: window.slow },
    { calls: 2, failures: 0, slow: 1 },
  );
  window.clear();
  assert.deepEqual(window.figures(61_000), { calls: 0, failures: 0, slow: 0 });
});

Deno.test("windows agree with a list of all results, at any rate and over gaps", () => {
  const random = xorshift(7);
  for (let round = 0; round < 40; round++) {
    const calls = 1 + Math.floor(random() * 50);
    const milliseconds = 1 + Math.floor(random() * 5_000);
    const counted = count(calls);
    const timed = time(milliseconds);
    const part = milliseconds / 60;
    const all: { at: number; failure: boolean; slow: boolean }[] = [];
    let now = 0;
    for (let step = 0; step < 400; step++) {
      now += random() < 0.02 ? milliseconds * random() * 2 : Math.floor(random() * part * 3);
      const [failure, slow] = [random() < 0.5, random() < 0.3];
      all.push({ at: now, failure, slow });
      counted.add(now, failure, slow);
      timed.add(now, failure, slow);
      assert.deepEqual(counted.figures(now), figuresOf(all.slice(-calls)));
      // Those of one part are forgotten together: at most a part's length too early.
      const most = figuresOf(all.filter(({ at }) => at > now - milliseconds));
      const least = figuresOf(all.filter(({ at }) => at > now - milliseconds + part));
      for (const figure of ["calls", "failures", "slow"] as const) {
        const value = timed.figures(now)[figure];
        assert.equal(value, timed[figure]);
        assert.ok(least[figure] <= value && value <= most[figure], `${figure} at step ${step}`);
      }
    }
  }
});

Deno.test("a time window survives a clock that jumps back", () => {
  const window = time(60_000);
  window.add(3_600_000, true, false);
  window.add(3_630_000, true, false);
  window.add(30_000, false, false); // an hour back
  assert.deepEqual(window.figures(30_000), { calls: 3, failures: 2, slow: 0 });
  window.add(60_000, false, false);
  assert.deepEqual(window.figures(60_000), { calls: 3, failures: 1, slow: 0 });
  assert.deepEqual(window.figures(90_000), { calls: 1, failures: 0, slow: 0 });
});

Deno.test("answers that come a little out of order make no window forget", () => {
  const window = time(60_000);
  for (let step = 0; step < 500; step++) window.add(10_000 + (step % 2) * 900, true, false);
  assert.equal(window.figures(10_900).calls, 500);
});

function figuresOf(results: readonly { failure: boolean; slow: boolean }[]) {
  return {
    calls: results.length,
    failures: results.filter(({ failure }) => failure).length,
    slow: results.filter(({ slow }) => slow).length,
  };
}

Deno.test("a failure by this side's own doing says nothing about the service", () => {
  const result = { code: "RESOURCE_EXHAUSTED", duration: 1, full: true };
  assert.equal(markOf(rule(), result), "failure");
  assert.equal(markOf(rule(), { ...result, local: true }), "ignored");
});
