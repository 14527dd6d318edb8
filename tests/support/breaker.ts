/**
 * A service's circuit breaker with a clock that stands still, and callers that note down what they
 * hear.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createActor } from "xstate";
import type { CallResult } from "../../src/machines/breaker.ts";
import { closedPermit, serviceMachine } from "../../src/machines/service.ts";
import {
  type Admission,
  type CallerRef,
  type Permit,
  type ServiceEvent,
  viewOf,
} from "../../src/machines/service_events.ts";
import type { BreakerRule } from "../../src/workflow/service_rules.ts";
import { FakeClock } from "./clock.ts";

/** semantics.md's defaults, but for `minCalls` and `maxOpenFor`, which make tests short. */
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

/**
 * A closed breaker.
 *
 * @param changes to {@linkcode RULE}
 * @param soon when those who waited hear that they are let in; default: at once
 */
export function breaker(
  changes: Partial<BreakerRule> = {},
  soon: (callback: () => void) => void = (callback) => callback(),
) {
  const clock = new FakeClock();
  const rule = { ...RULE, ...changes };
  const board = {
    wake: (dueAt: number, callback: () => void) => clock.at(dueAt, callback),
    soon,
  };
  const actor = createActor(serviceMachine, { input: { board, rule } }).start();
  return {
    clock,
    tell: (event: ServiceEvent) => actor.send(event),
    view: () => viewOf(actor.getSnapshot(), clock.now()),
    state: () => viewOf(actor.getSnapshot(), clock.now()).state,
    closedPermit: () => closedPermit(actor),
    ask(patient = false) {
      const heard: Admission[] = [];
      const caller: CallerRef = { send: (event) => void heard.push(event) };
      actor.send({ type: "ask", caller, patient });
      const permit = (): Permit => {
        const last = heard.at(-1);
        assert.ok(last?.type === "admitted", `not let in: ${last?.type}`);
        return last.permit;
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
      };
    },
  };
}

/** What {@linkcode breaker} gives. */
export type TestedBreaker = ReturnType<typeof breaker>;

/** Opens a closed breaker by failures. */
export function trip(service: TestedBreaker): void {
  for (let call = 0; call < 4; call++) service.ask().result("UNAVAILABLE");
  assert.equal(service.state(), "open");
}

/** Opens a closed breaker, and waits until it lets trial calls through. */
export function halfOpen(service: TestedBreaker): void {
  trip(service);
  service.clock.advance(15_000);
  assert.equal(service.state(), "half_open");
}
