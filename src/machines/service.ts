import { assign, enqueueActions, setup } from "xstate";
import type { BreakerRule } from "../workflow/model.ts";
import type { Board, ServiceRef } from "./board.ts";
import { addResult, EMPTY_WINDOW, isSlow, isTripped, markOf, type Window } from "./breaker.ts";
import { type Time, timerEffect } from "./effects.ts";
import type { CallerRef, Permit, ServiceEvent } from "./service_events.ts";

interface Context {
  readonly board: Pick<Board, "wake">;
  readonly rule: BreakerRule;
  /** Goes up with every change of state. */
  readonly epoch: number;
  readonly window: Window;
  /** How long it stays open the next time, in milliseconds. */
  readonly openFor: number;
  readonly openUntil: number | null;
  readonly permits: number;
  /** Who has a permit of the half-open state, and has not come back yet. */
  readonly held: readonly CallerRef[];
  readonly successes: number;
  /** First come, first served. */
  readonly queue: readonly CallerRef[];
}

/** The circuit breaker of one service as a machine: exactly the table of semantics.md §2. */
export const serviceMachine = setup({
  types: {
    context: {} as Context,
    events: {} as ServiceEvent | Time,
    input: {} as { board: Pick<Board, "wake">; rule: BreakerRule },
  },
  actors: { timer: timerEffect },
  guards: {
    stale: ({ context, event }) =>
      (event.type === "result" || event.type === "withdraw") && event.permit !== null &&
      event.permit.epoch !== context.epoch,
    holdsPermit: ({ event }) => event.type === "withdraw" && event.permit !== null,
    ignored: ({ context, event }) =>
      event.type === "result" && markOf(context.rule, event.result) === "ignored",
    trips: ({ context, event }) =>
      event.type === "result" && isTripped(context.rule, windowAfter(context, event)),
    bad: ({ context, event }) =>
      event.type === "result" &&
      (markOf(context.rule, event.result) === "failure" || isSlow(context.rule, event.result)),
    lastProbe: ({ context }) => context.successes + 1 >= context.rule.halfOpenCalls,
    hasPermit: ({ context }) => context.permits > 0,
    patient: ({ context, event }) =>
      event.type === "ask" && (event.patient || context.rule.onOpen === "wait"),
  },
  actions: {
    admit: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== "ask") return;
      enqueue.sendTo(event.caller, { type: "admitted", permit: { epoch: context.epoch } });
    }),
    spend: assign(({ context, event }) => ({
      permits: context.permits - 1,
      held: event.type === "ask" ? [...context.held, event.caller] : context.held,
    })),
    giveBack: assign(({ context, event }) => ({
      permits: context.permits + 1,
      held: heldAfter(context, event),
    })),
    /** Those who were stopped neither wait any longer nor keep a permit. */
    dropStopped: assign(({ context }) => {
      const held = context.held.filter(isActive);
      const lost = context.held.length - held.length;
      return { held, permits: context.permits + lost, queue: context.queue.filter(isActive) };
    }),
    wait: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== "ask") return;
      enqueue.assign({ queue: [...context.queue, event.caller] });
      enqueue.sendTo(event.caller, { type: "waiting", until: context.openUntil });
    }),
    refuse: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== "ask") return;
      enqueue.sendTo(event.caller, { type: "refused", until: context.openUntil });
    }),
    leaveQueue: assign({
      queue: ({ context, event }) =>
        event.type === "withdraw"
          ? context.queue.filter((caller) => caller !== event.caller)
          : context.queue,
    }),
    recordResult: assign({
      window: ({ context, event }) =>
        event.type === "result" ? windowAfter(context, event) : context.window,
    }),
    recordSuccess: assign(({ context, event }) => ({
      successes: context.successes + 1,
      held: heldAfter(context, event),
    })),
    openUp: assign(({ context, event }) => ({
      epoch: context.epoch + 1,
      openUntil: event.type === "result" ? event.at + context.openFor : null,
    })),
    waitLonger: assign({
      openFor: ({ context }) => Math.min(context.openFor * 2, context.rule.maxOpenFor),
    }),
    halfOpen: assign(({ context }) => ({
      epoch: context.epoch + 1,
      openUntil: null,
      permits: context.rule.halfOpenCalls,
      held: [],
      successes: 0,
    })),
    close: assign(({ context }) => ({
      epoch: context.epoch + 1,
      window: EMPTY_WINDOW,
      openFor: context.rule.openFor,
      openUntil: null,
    })),
    /** Lets in who waits: all of them, or as many as there are permits. */
    serveQueue: enqueueActions(({ context, enqueue }, params: { limited: boolean }) => {
      const count = params.limited
        ? Math.min(context.permits, context.queue.length)
        : context.queue.length;
      if (count === 0) return;
      for (const caller of context.queue.slice(0, count)) {
        enqueue.sendTo(caller, { type: "admitted", permit: { epoch: context.epoch } });
      }
      enqueue.assign({
        queue: context.queue.slice(count),
        ...(params.limited && {
          permits: context.permits - count,
          held: [...context.held, ...context.queue.slice(0, count)],
        }),
      });
    }),
    tellQueue: enqueueActions(({ context, enqueue }) => {
      for (const caller of context.queue) {
        enqueue.sendTo(caller, { type: "waiting", until: context.openUntil });
      }
    }),
  },
}).createMachine({
  id: "service",
  context: ({ input }) => ({
    board: input.board,
    rule: input.rule,
    epoch: 0,
    window: EMPTY_WINDOW,
    openFor: input.rule.openFor,
    openUntil: null,
    permits: 0,
    held: [],
    successes: 0,
    queue: [],
  }),
  initial: "closed",
  states: {
    closed: {
      entry: { type: "serveQueue", params: { limited: false } },
      on: {
        ask: { actions: "admit" },
        result: [
          { guard: "stale" },
          { guard: "trips", target: "open", actions: ["recordResult", "openUp"] },
          { actions: "recordResult" },
        ],
      },
    },
    open: {
      entry: "tellQueue",
      invoke: {
        src: "timer",
        input: ({ context }) => ({ board: context.board, dueAt: context.openUntil }),
      },
      on: {
        ask: [{ guard: "patient", actions: "wait" }, { actions: "refuse" }],
        withdraw: { actions: "leaveQueue" },
        left: { actions: "dropStopped" },
        time: "half_open",
      },
    },
    half_open: {
      entry: ["halfOpen", { type: "serveQueue", params: { limited: true } }],
      on: {
        ask: [
          { guard: "hasPermit", actions: ["spend", "admit"] },
          { guard: "patient", actions: "wait" },
          { actions: "refuse" },
        ],
        withdraw: [
          { guard: "stale" },
          {
            guard: "holdsPermit",
            actions: ["giveBack", { type: "serveQueue", params: { limited: true } }],
          },
          { actions: "leaveQueue" },
        ],
        left: { actions: ["dropStopped", { type: "serveQueue", params: { limited: true } }] },
        result: [
          { guard: "stale" },
          {
            guard: "ignored",
            actions: ["giveBack", { type: "serveQueue", params: { limited: true } }],
          },
          { guard: "bad", target: "open", actions: ["waitLonger", "openUp"] },
          { guard: "lastProbe", target: "closed", actions: "close" },
          { actions: "recordSuccess" },
        ],
      },
    },
  },
});

/** A permit of a closed breaker, without asking; `undefined`: it is not closed, and has to be asked. */
export function closedPermit(service: ServiceRef): Permit | undefined {
  const { value, context } = service.getSnapshot();
  return value === "closed" ? { epoch: context.epoch } : undefined;
}

function isActive(caller: CallerRef): boolean {
  return caller.getSnapshot().status === "active";
}

function heldAfter({ held }: Context, event: ServiceEvent | Time): readonly CallerRef[] {
  return event.type === "result" || event.type === "withdraw"
    ? held.filter((caller) => caller !== event.caller)
    : held;
}

function windowAfter(context: Context, event: Extract<ServiceEvent, { type: "result" }>): Window {
  const mark = markOf(context.rule, event.result);
  if (mark === "ignored") return context.window;
  return addResult(context.rule, context.window, event.at, {
    failure: mark === "failure",
    slow: isSlow(context.rule, event.result),
  });
}
