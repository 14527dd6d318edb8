/**
 * What a service's circuit breaker asks and does on its arrows (`service.ts`): guards, which
 * change nothing, and actions, which change the context in place.
 *
 * @module
 */
import type { BreakerRule } from "../workflow/service_rules.ts";
import type { Board } from "./board.ts";
import { isSlow, isTripped, markOf, windowOf } from "./breaker.ts";
import type { Scope } from "./machine.ts";
import type { ResultWindow } from "./result_window.ts";
import type { CallerRef, Permit, ServiceEvent } from "./service_events.ts";

/** What a service's actor is made with. */
export interface ServiceInput {
  readonly board: Pick<Board, "wake"> & {
    /** Calls back once all that follows from the present moment has happened. */
    soon(callback: () => void): void;
  };
  readonly rule: BreakerRule;
}

/** What a service's actor hears: its callers, and its own timer. */
export type ServiceTurn = ServiceEvent | { readonly type: "time" };

/** What a service's actor holds. */
export interface ServiceContext extends ServiceInput {
  /** What a call gets that is let through in this state; its epoch goes up with every change of state. */
  permit: Permit;
  readonly window: ResultWindow;
  /** How long it stays open the next time, in milliseconds. */
  openFor: number;
  /** When the timer of an open breaker ends; `null`: none runs. */
  openUntil: number | null;
  /** How many more trial calls a half-open breaker lets through. */
  permits: number;
  /** Who has a permit of the half-open state, and has not come back yet. */
  readonly held: Set<CallerRef>;
  /** Trial calls that succeeded. */
  successes: number;
  /** Who waits: first come, first served. */
  readonly queue: Set<CallerRef>;
}

type Guard = (context: ServiceContext, event: ServiceTurn) => boolean;
type Action = (context: ServiceContext, event: ServiceTurn, scope: Scope<ServiceTurn>) => void;

/** A closed breaker that has seen nothing: also after a restart. */
export function beginning(input: ServiceInput): ServiceContext {
  return {
    board: input.board,
    rule: input.rule,
    permit: { epoch: 0 },
    window: windowOf(input.rule),
    openFor: input.rule.openFor,
    openUntil: null,
    permits: 0,
    held: new Set(),
    successes: 0,
    queue: new Set(),
  };
}

/** The call began in an earlier state. */
export const stale: Guard = ({ permit }, event) =>
  (event.type === "result" || event.type === "withdraw") && event.permit !== null &&
  event.permit.epoch !== permit.epoch;

/** The call's permit has been given back already. */
export const spent: Guard = ({ held }, event) => event.type === "result" && !held.has(event.caller);

/** Also one who has not heard of its permit yet. */
export const holdsPermit: Guard = ({ held }, event) =>
  event.type === "withdraw" && held.has(event.caller);

/** The result says nothing about the service. */
export const ignored: Guard = ({ rule }, event) =>
  event.type === "result" && markOf(rule, event.result) === "ignored";

/** Enough calls have ended, and too many of them failed or were slow. */
export const trips: Guard = ({ rule, window }) => isTripped(rule, window);

/** A trial call failed, or was slow. */
export const bad: Guard = ({ rule }, event) =>
  event.type === "result" &&
  (markOf(rule, event.result) === "failure" || isSlow(rule, event.result.duration));

/** All trial calls but this one have succeeded. */
export const lastProbe: Guard = ({ successes, rule }) => successes + 1 >= rule.halfOpenCalls;

/** A trial call may leave. */
export const permitLeft: Guard = ({ permits }) => permits > 0;

/** The caller waits rather than fails. */
export const patient: Guard = ({ rule }, event) =>
  event.type === "ask" && (event.patient || rule.onOpen === "wait");

/** The service says that it is there. */
export const serving: Guard = (_context, event) => event.type === "health" && event.serving;

/** The service says that it is not there for calls. */
export const notServing: Guard = (_context, event) => event.type === "health" && !event.serving;

/** Lets the caller through. */
export const admit: Action = ({ permit }, event, scope) => {
  if (event.type === "ask") scope.send(event.caller, { type: "admitted", permit });
};

/** The caller takes one of the half-open permits. */
export const spend: Action = (context, event) => {
  if (event.type !== "ask") return;
  context.permits--;
  context.held.add(event.caller);
};

/** The caller comes back without a result that counts. */
export const giveBack: Action = (context, event) => {
  if (event.type !== "result" && event.type !== "withdraw") return;
  if (context.held.delete(event.caller)) context.permits++;
};

/** Puts the caller at the end of the queue. */
export const wait: Action = ({ queue, openUntil }, event, scope) => {
  if (event.type !== "ask") return;
  queue.add(event.caller);
  scope.send(event.caller, { type: "waiting", until: openUntil });
};

/** Turns the caller away, saying when it may be asked again. */
export const refuse: Action = ({ openUntil }, event, scope) => {
  if (event.type === "ask") scope.send(event.caller, { type: "refused", until: openUntil });
};

/** The caller waits no longer. */
export const leaveQueue: Action = ({ queue }, event) => {
  if (event.type === "withdraw") queue.delete(event.caller);
};

/** Counts the result. */
export const record: Action = ({ rule, window }, event) => {
  if (event.type !== "result") return;
  const { result, at } = event;
  window.add(at, markOf(rule, result) === "failure", isSlow(rule, result.duration));
};

/** Counts a trial call that succeeded. */
export const recordSuccess: Action = (context, event) => {
  if (event.type !== "result") return;
  context.held.delete(event.caller);
  context.successes++;
};

/** Begins a stretch of being open that a timer ends. */
export const openUp: Action = (context, event) => {
  changeState(context);
  context.openUntil = event.type === "result" ? event.at + context.openFor : null;
};

/** Begins a stretch of being open that only the service's health, or an operator, ends. */
export const openUntimed: Action = (context) => changeState(context);

/** After a failed trial. */
export const waitLonger: Action = (context) => {
  context.openFor = Math.min(context.openFor * 2, context.rule.maxOpenFor);
};

/** Lets a few calls through on trial. */
export const grantPermits: Action = (context) => {
  changeState(context);
  context.permits = context.rule.halfOpenCalls;
};

/** Begins anew, as if nothing had been. */
export const close: Action = (context) => {
  changeState(context);
  context.window.clear();
  context.openFor = context.rule.openFor;
};

/** Wakes when the wait is over. */
export const startTimer: Action = ({ board, openUntil }, _event, scope) => {
  if (openUntil === null) return;
  scope.during(board.wake(openUntil, () => scope.self.send({ type: "time" })));
};

/** Lets in all who wait. */
export const serveAll: Action = (context) => {
  for (const caller of context.queue) letIn(context, caller);
  context.queue.clear();
};

/** Lets in as many of those who wait as there are permits. */
export const serveSome: Action = (context) => {
  const { queue, held } = context;
  for (const caller of queue) {
    if (context.permits === 0) return;
    queue.delete(caller);
    context.permits--;
    held.add(caller);
    letIn(context, caller);
  }
};

/** Tells those who wait that it takes longer. */
export const tellQueue: Action = ({ queue, openUntil }, _event, scope) => {
  for (const caller of queue) scope.send(caller, { type: "waiting", until: openUntil });
};

/** It hears of that when it is clear what follows: a call that failed may end those who waited with it. */
function letIn({ board, permit }: ServiceContext, caller: CallerRef): void {
  board.soon(() => caller.send({ type: "admitted", permit }));
}

/** What was begun before says nothing about what comes now. */
function changeState(context: ServiceContext): void {
  context.permit = { epoch: context.permit.epoch + 1 };
  context.openUntil = null;
  context.permits = 0;
  context.held.clear();
  context.successes = 0;
}
