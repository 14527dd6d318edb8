/**
 * One call of a service, with its retries: asking to be let through → calling → backing off →
 * done. A compensation is the same machine under the saga's rule, and may also be parked.
 *
 * @module
 */
import { assign, enqueueActions, sendParent, setup } from "xstate";
import type { Answered } from "./board.ts";
import {
  abandonAttempt,
  begin,
  type CallContext,
  type CallInput,
  cancelStep,
  conclude,
  doubt,
  giveUp,
  isBackingOff,
  isOverdue,
  nextAttempt,
  prepare,
  recordFor,
  refuse,
  settle,
  startAttempt,
  stepDeadline,
} from "./call_moves.ts";
import { attemptEffect, type Time, timerEffect } from "./effects.ts";
import { recorded } from "./recorded.ts";
import { closedPermit } from "./service.ts";
import type { Admission, Permit } from "./service_events.ts";

/** Asks a step or block to come to its end without starting anything new. */
export interface Cancel {
  readonly type: "cancel";
}

/** Tells the parent that a step has come to its end; the fold says to which. */
export interface ChildEnded {
  readonly type: "child.ended";
  readonly path: string;
}

/** An operator's word on a parked step; the fold has it already. */
export interface Resolved {
  readonly type: "resolved";
}

type CallEvent = Answered | Time | Cancel | Admission | Resolved;

/** The call machine. It decides by the fold alone, so it goes on after a restart from wherever the facts end. */
export const callMachine = setup({
  types: {
    context: {} as CallContext,
    events: {} as CallEvent,
    input: {} as CallInput,
  },
  actors: { attempt: attemptEffect, timer: timerEffect },
  guards: {
    ended: ({ context }) => recordFor(context).status !== "running",
    isParked: ({ context }) => recordFor(context).attention !== null,
    isReleased: ({ context }) => recordFor(context).attention === null,
    isUnsettled: ({ context }) => recordFor(context).unsettled,
    isOverdue: ({ context }) => isOverdue(context),
    isBackingOff: ({ context }) => isBackingOff(context),
    isCancelled: ({ context }) => context.cancelled,
    mayNotRepeat: ({ context }) =>
      recordFor(context).inFlight && (context.cancelled || !context.rule.idempotent),
    mayFinish: ({ context }) => context.mayFinish,
    isLetThrough: ({ context }) => openPermit(context) !== undefined,
    isCompensation: ({ context }) => context.op === "compensate",
  },
  actions: {
    begin: assign(({ context }) => begin(context)),
    prepare: assign(({ context }) => prepare(context)),
    ask: enqueueActions(({ context, enqueue, self }) => {
      const service = serviceOf(context);
      if (service === null) return;
      enqueue.sendTo(service, { type: "ask", caller: self, patient: context.op === "compensate" });
    }),
    keepPermit: assign({
      permit: ({ event }) => event.type === "admitted" ? event.permit : null,
    }),
    withdraw: enqueueActions(({ context, enqueue, self }) => {
      const service = serviceOf(context);
      if (service === null) return;
      enqueue.sendTo(service, { type: "withdraw", caller: self, permit: context.permit });
    }),
    reportResult: enqueueActions(({ context, event, enqueue, self }) => {
      const service = serviceOf(context);
      if (service === null || context.permit === null || event.type !== "answered") return;
      const { result, duration, at, cut } = event;
      const code = result.ok ? "OK" : result.failure.code;
      enqueue.sendTo(service, {
        type: "result",
        caller: self,
        permit: context.permit,
        at,
        result: { code, duration, full: !cut },
      });
    }),
    tellWaiting: ({ context, event }) => {
      if (event.type !== "waiting") return;
      const { board, path, op, target } = context;
      board.notice({
        kind: "breaker_waiting",
        path,
        op,
        service: target.service,
        until: event.until,
      });
    },
    startAttempt: assign(({ context }) => {
      startAttempt(context);
      return { permit: context.permit ?? openPermit(context) ?? null };
    }),
    conclude: assign(({ context, event }) => {
      if (event.type === "answered") conclude(context, event);
      return { permit: null, remade: false, backedOff: false };
    }),
    doubt: assign(({ context }) => recorded(doubt(context))),
    settle: assign(({ context }) => recorded(settle(context))),
    abandonAttempt: assign(({ context }) => recorded(abandonAttempt(context))),
    cancelStep: assign(({ context }) => recorded(cancelStep(context))),
    endBackoff: assign({ backedOff: true }),
    markCancelled: assign({ cancelled: true }),
    refuse: assign(({ context }) => recorded(refuse(context))),
    giveUp: assign(({ context }) => recorded(giveUp(context))),
    tellParent: sendParent(({ context }): ChildEnded => ({
      type: "child.ended",
      path: context.path,
    })),
  },
}).createMachine({
  id: "call",
  context: ({ input }) => ({
    ...input,
    op: input.rule.op,
    request: null,
    permit: null,
    remade: false,
    backedOff: false,
  }),
  entry: "begin",
  initial: "deciding",
  states: {
    /** Finds its place by the fold: where it stands after each turn, and after a restart. */
    deciding: {
      always: [
        { guard: "ended", target: "done" },
        { guard: "isParked", target: "parked" },
        { guard: "mayNotRepeat", actions: "doubt", target: "deciding", reenter: true },
        { guard: "isOverdue", target: "overdue" },
        { guard: "isUnsettled", actions: "settle", target: "deciding", reenter: true },
        { guard: "isCancelled", actions: "cancelStep", target: "done" },
        { guard: "isBackingOff", target: "backing_off" },
        { guard: "isLetThrough", target: "calling" },
        { target: "asking" },
      ],
    },
    asking: {
      entry: "ask",
      invoke: {
        src: "timer",
        input: ({ context }) => ({ board: context.board, dueAt: stepDeadline(context) }),
      },
      on: {
        admitted: { actions: "keepPermit", target: "calling" },
        waiting: { actions: "tellWaiting" },
        refused: { actions: "refuse", target: "deciding" },
        time: [
          { guard: "isCompensation", actions: ["withdraw", "giveUp"], target: "deciding" },
          { actions: ["withdraw", "refuse"], target: "deciding" },
        ],
        cancel: { actions: ["withdraw", "markCancelled"], target: "deciding" },
      },
    },
    calling: {
      entry: "startAttempt",
      invoke: {
        src: "attempt",
        input: ({ context }) => ({ board: context.board, attempt: nextAttempt(context) }),
      },
      on: {
        answered: {
          actions: ["reportResult", "conclude"],
          target: "deciding",
        },
        cancel: [
          { guard: "mayFinish", actions: "markCancelled" },
          { actions: ["withdraw", "abandonAttempt", "markCancelled"], target: "deciding" },
        ],
      },
    },
    backing_off: {
      invoke: {
        src: "timer",
        input: ({ context }) => ({ board: context.board, dueAt: recordFor(context).nextAt }),
      },
      on: {
        time: { actions: "endBackoff", target: "deciding" },
        cancel: { actions: "markCancelled", target: "deciding" },
      },
    },
    /** Out of time with everything around it: the owner of the deadline is about to cancel it. */
    overdue: {
      on: { cancel: { actions: ["markCancelled", "cancelStep"], target: "done" } },
    },
    parked: {
      on: {
        resolved: { guard: "isReleased", actions: "prepare", target: "deciding" },
        cancel: { actions: ["markCancelled", "cancelStep"], target: "done" },
      },
    },
    done: { type: "final", entry: "tellParent" },
  },
});

/** A permit where the breaker is closed, or there is none to ask; `undefined`: it has to be asked. */
function openPermit(context: CallContext): Permit | null | undefined {
  const service = serviceOf(context);
  return service === null ? null : closedPermit(service);
}

function serviceOf(context: CallContext) {
  return context.board.service(context.target.service);
}
