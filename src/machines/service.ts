import type { ServiceRef } from "./board.ts";
import { isSlow } from "./breaker.ts";
import { type Machine, machine } from "./machine.ts";
import type { Permit } from "./service_events.ts";
import {
  admit,
  bad,
  beginning,
  close,
  giveBack,
  grantPermits,
  holdsPermit,
  ignored,
  lastProbe,
  leaveQueue,
  notServing,
  openUntimed,
  openUp,
  patient,
  permitLeft,
  record,
  recordSuccess,
  refuse,
  serveAll,
  serveSome,
  type ServiceContext,
  type ServiceInput,
  type ServiceTurn,
  serving,
  spend,
  spent,
  stale,
  startTimer,
  tellQueue,
  trips,
  wait,
  waitLonger,
} from "./service_moves.ts";

/** The circuit breaker of one service as a machine: exactly the table of semantics.md §2. */
export const serviceMachine: Machine<ServiceContext, ServiceTurn, ServiceInput> = machine({
  id: "service",
  context: beginning,
  initial: "closed",
  states: {
    closed: {
      entry: [serveAll],
      always: [{ guard: trips, actions: [openUp], target: "open" }],
      on: {
        ask: [{ actions: [admit] }],
        result: [{ guard: stale }, { guard: ignored }, { actions: [record] }],
        health: [{ guard: notServing, actions: [openUntimed], target: "open" }],
        force_open: [{ actions: [openUntimed], target: "forced_open" }],
        reset: [{ actions: [close], target: "closed" }],
      },
    },
    /** Until its timer ends; without one, since the service says that it is down, until it says otherwise. */
    open: {
      entry: [startTimer, tellQueue],
      on: {
        ask: [{ guard: patient, actions: [wait] }, { actions: [refuse] }],
        withdraw: [{ actions: [leaveQueue] }],
        time: [{ actions: [grantPermits], target: "half_open" }],
        health: [
          { guard: serving, actions: [grantPermits], target: "half_open" },
          { actions: [openUntimed], target: "open" },
        ],
        force_open: [{ actions: [openUntimed], target: "forced_open" }],
        reset: [{ actions: [close], target: "closed" }],
      },
    },
    half_open: {
      entry: [serveSome],
      on: {
        ask: [
          { guard: permitLeft, actions: [spend, admit] },
          { guard: patient, actions: [wait] },
          { actions: [refuse] },
        ],
        withdraw: [
          { guard: stale },
          { guard: holdsPermit, actions: [giveBack, serveSome] },
          { actions: [leaveQueue] },
        ],
        result: [
          { guard: stale },
          { guard: spent },
          { guard: ignored, actions: [giveBack, serveSome] },
          { guard: bad, actions: [waitLonger, openUp], target: "open" },
          { guard: lastProbe, actions: [close], target: "closed" },
          { actions: [recordSuccess] },
        ],
        health: [{ guard: notServing, actions: [openUntimed], target: "open" }],
        force_open: [{ actions: [openUntimed], target: "forced_open" }],
        reset: [{ actions: [close], target: "closed" }],
      },
    },
    /** Until an operator resets it. */
    forced_open: {
      entry: [tellQueue],
      on: {
        ask: [{ guard: patient, actions: [wait] }, { actions: [refuse] }],
        withdraw: [{ actions: [leaveQueue] }],
        reset: [{ actions: [close], target: "closed" }],
      },
    },
  },
});

/** A permit of a closed breaker, without asking; `undefined`: it is not closed, and has to be asked. */
export function closedPermit(service: ServiceRef): Permit | undefined {
  const { value, context } = service.getSnapshot();
  return value === "closed" ? context.permit : undefined;
}

/**
 * Counts a success at a closed breaker that has seen nothing else, which no number of successes can
 * open, without an event; `false`: the breaker has to hear of it.
 */
export function countSuccess(
  service: ServiceRef,
  permit: Permit,
  at: number,
  duration: number,
): boolean {
  const { value, context: { permit: { epoch }, rule, window } } = service.getSnapshot();
  const trouble = window.failures + window.slow > 0 || isSlow(rule, duration);
  if (value !== "closed" || permit.epoch !== epoch || trouble) return false;
  window.add(at, false, false);
  return true;
}
