import assert from "node:assert/strict";
import { createActor, fromCallback } from "xstate";
import type { CallResult } from "../../src/machines/breaker.ts";
import { serviceMachine } from "../../src/machines/service.ts";
import type { Admission, CallerRef, Permit } from "../../src/machines/service_events.ts";
import type { BreakerRule } from "../../src/workflow/model.ts";
import { FakeClock } from "../support/clock.ts";

const RULE: BreakerRule = {
  failureRate: 50,
  minCalls: 4,
  window: { kind: "time", milliseconds: 60_000 },
  openFor: 15_000,
  maxOpenFor: 40_000,
  halfOpenCalls: 1,
  slowCall: null,
  slowCallRate: 100,
  failureCodes: [],
  onOpen: "wait",
  scope: "service",
};

/** A breaker under test, and callers that note down what they hear. */
function breaker(changes: Partial<BreakerRule> = {}) {
  const clock = new FakeClock();
  const rule = { ...RULE, ...changes };
  const board = { wake: (dueAt: number, callback: () => void) => clock.at(dueAt, callback) };
  const actor = createActor(serviceMachine, { input: { board, rule } }).start();
  return {
    clock,
    state: () => String(actor.getSnapshot().value),
    left: () => actor.send({ type: "left" }),
    ask(patient = false) {
      const heard: Admission[] = [];
      const listener = createActor(fromCallback<Admission>(({ receive }) => {
        receive((event) => heard.push(event));
      })).start();
      const caller = listener as unknown as CallerRef; // it takes admissions, which is all the machine sends
      actor.send({ type: "ask", caller, patient });
      const permit = (): Permit => {
        const last = heard.at(-1);
        assert.equal(last?.type, "admitted");
        return last?.type === "admitted" ? last.permit : { epoch: -1 };
      };
      return {
        heard: () => heard.map((event) => event.type),
        last: () => heard.at(-1),
        permit,
        result: (code: string, more: Partial<CallResult> = {}) =>
          actor.send({
            type: "result",
            caller,
            permit: permit(),
            at: clock.now(),
            result: { code, duration: 1, full: true, ...more },
          }),
        withdraw: (permit: Permit | null) => actor.send({ type: "withdraw", caller, permit }),
        stop: () => listener.stop(),
      };
    },
  };
}

type Breaker = ReturnType<typeof breaker>;

function trip(service: Breaker): void {
  for (let call = 0; call < 4; call++) service.ask().result("UNAVAILABLE");
  assert.equal(service.state(), "open");
}

function halfOpen(service: Breaker): void {
  trip(service);
  service.clock.advance(15_000);
  assert.equal(service.state(), "half_open");
}

Deno.test("a closed breaker opens when enough calls have failed, and not before", () => {
  const service = breaker();
  for (const code of ["OK", "UNAVAILABLE", "INTERNAL"]) service.ask().result(code);
  assert.equal(service.state(), "closed");
  service.ask().result("OK");
  assert.equal(service.state(), "open");
});

Deno.test("a closed breaker forgets what is older than its window", () => {
  const service = breaker();
  for (let call = 0; call < 3; call++) service.ask().result("UNAVAILABLE");
  service.clock.advance(61_000);
  service.ask().result("UNAVAILABLE");
  assert.equal(service.state(), "closed");
});

Deno.test("a count window looks at the last calls only", () => {
  const service = breaker({ window: { kind: "count", calls: 4 } });
  for (const code of ["UNAVAILABLE", "OK", "OK", "OK", "OK", "UNAVAILABLE"]) {
    service.ask().result(code);
  }
  assert.equal(service.state(), "closed");
  service.ask().result("UNAVAILABLE");
  assert.equal(service.state(), "open");
});

for (
  const [code, full, opens] of [
    ["RESOURCE_EXHAUSTED", true, true],
    ["INTERNAL", true, true],
    ["UNKNOWN", true, true],
    ["DATA_LOSS", true, true],
    ["DEADLINE_EXCEEDED", true, true],
    ["DEADLINE_EXCEEDED", false, false],
    ["CANCELLED", true, false],
    ["NOT_FOUND", true, false],
    ["INVALID_REQUEST", true, false],
  ] as const
) {
  Deno.test(`${code}${full ? "" : " of a call that was cut short"} ${opens ? "is" : "is not"} a failure`, () => {
    const service = breaker();
    for (let call = 0; call < 4; call++) service.ask().result(code, { full });
    assert.equal(service.state(), opens ? "open" : "closed");
  });
}

Deno.test("failure_codes replaces the list", () => {
  const service = breaker({ failureCodes: ["NOT_FOUND"] });
  for (let call = 0; call < 4; call++) service.ask().result("UNAVAILABLE");
  assert.equal(service.state(), "closed");
  for (let call = 0; call < 4; call++) service.ask().result("NOT_FOUND");
  assert.equal(service.state(), "open");
});

Deno.test("slow calls open the breaker like failures", () => {
  const service = breaker({ slowCall: 100, slowCallRate: 100 });
  for (let call = 0; call < 4; call++) service.ask().result("OK", { duration: 100 });
  assert.equal(service.state(), "open");
});

Deno.test("an open breaker refuses, saying when it may be asked again", () => {
  const service = breaker({ onOpen: "fail" });
  trip(service);
  assert.deepEqual(service.ask().last(), {
    type: "refused",
    until: service.clock.now() + 15_000,
  });
});

Deno.test("an open breaker lets a patient caller wait even where on_open is fail", () => {
  const service = breaker({ onOpen: "fail" });
  trip(service);
  const compensation = service.ask(true);
  service.clock.advance(15_000);
  assert.deepEqual(compensation.heard(), ["waiting", "admitted"]);
});

Deno.test("a half-open breaker lets one probe through; its success closes and lets the others in", () => {
  const service = breaker();
  trip(service);
  const callers = [service.ask(), service.ask(), service.ask()] as const;
  service.clock.advance(15_000);
  assert.deepEqual(callers.map((caller) => caller.last()?.type), [
    "admitted",
    "waiting",
    "waiting",
  ]);
  callers[0].result("OK");
  assert.equal(service.state(), "closed");
  assert.deepEqual(callers.map((caller) => caller.last()?.type), [
    "admitted",
    "admitted",
    "admitted",
  ]);
});

Deno.test("a half-open breaker closes only after the last of several probes", () => {
  const service = breaker({ halfOpenCalls: 2 });
  halfOpen(service);
  const [first, second, third] = [service.ask(), service.ask(), service.ask()];
  assert.equal(third.last()?.type, "waiting");
  first.result("OK");
  assert.equal(service.state(), "half_open");
  second.result("OK");
  assert.equal(service.state(), "closed");
});

Deno.test("a failed probe opens again for twice as long, up to max_open_for", () => {
  const service = breaker();
  halfOpen(service);
  for (const openFor of [30_000, 40_000, 40_000]) {
    service.ask().result("UNAVAILABLE");
    assert.equal(service.state(), "open");
    service.clock.advance(openFor - 1);
    assert.equal(service.state(), "open");
    service.clock.advance(1);
    assert.equal(service.state(), "half_open");
  }
  service.ask().result("OK");
  trip(service);
  service.clock.advance(15_000);
  assert.equal(service.state(), "half_open", "the wait is back to open_for");
});

Deno.test("a slow probe opens again", () => {
  const service = breaker({ slowCall: 100 });
  halfOpen(service);
  service.ask().result("OK", { duration: 100 });
  assert.equal(service.state(), "open");
});

Deno.test("an ignored probe, or one whose caller has gone, gives its permit back", () => {
  const service = breaker();
  halfOpen(service);
  const first = service.ask();
  const second = service.ask();
  first.result("CANCELLED");
  assert.equal(second.last()?.type, "admitted");
  const third = service.ask();
  assert.equal(third.last()?.type, "waiting");
  second.withdraw(second.permit());
  assert.equal(third.last()?.type, "admitted");
});

Deno.test("who was stopped without a word keeps neither its permit nor its place", () => {
  const service = breaker();
  halfOpen(service);
  const [holder, waiter, last] = [service.ask(), service.ask(), service.ask()];
  holder.stop();
  waiter.stop();
  service.left();
  assert.deepEqual(last.heard(), ["waiting", "admitted"]);
  last.result("OK");
  assert.equal(service.state(), "closed");
});

Deno.test("who stops waiting loses its place", () => {
  const service = breaker();
  trip(service);
  const first = service.ask();
  const second = service.ask();
  first.withdraw(null);
  service.clock.advance(15_000);
  assert.deepEqual(first.heard(), ["waiting"]);
  assert.equal(second.last()?.type, "admitted");
});

Deno.test("a result of a call that began in an earlier state is dropped", () => {
  const service = breaker();
  const early = service.ask();
  halfOpen(service);
  early.result("OK");
  assert.equal(service.state(), "half_open");
  early.result("UNAVAILABLE");
  assert.equal(service.state(), "half_open");
});
