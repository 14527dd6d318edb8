/**
 * One call of a service, with its retries: asking to be let through → queueing for a free slot →
 * calling → backing off → done. A compensation is the same machine under the saga's rule, and may
 * also be parked.
 *
 * @module
 */
import type { Answered } from "./board.ts";
import {
  abandonAttempt,
  begin,
  cancelStep,
  conclude,
  doubt,
  giveUp,
  isBackingOff,
  isOverdue,
  nextAttempt,
  prepare,
  refuse,
  settle,
  startAttempt,
  stepDeadline,
  timeOut,
} from "./call_moves.ts";
import { concludeVerify, isVerified, mustVerify, verifyFrom, verifyInput } from "./verify_moves.ts";
import { type CallContext, type CallInput, recordFor } from "./call_context.ts";
import { type Action, type ChildDone, type Guard, type Machine, machine } from "./machine.ts";
import { isLetThrough, leaveTurnstile, letGo, takesSlot } from "./passage.ts";
import { countSuccess } from "./service.ts";
import type { Admission } from "./service_events.ts";
import type { Cancel, Resolved, Signalled } from "./told.ts";
import { type Time, wakeAt } from "./time.ts";

/** It is the call's turn to pass the turnstile. */
interface Entered {
  readonly type: "entered";
}

type CallEvent =
  | Answered
  | Time
  | Cancel
  | Admission
  | Resolved
  | Signalled
  | Entered
  | ChildDone;
type Test = Guard<CallContext, CallEvent>;
type Do = Action<CallContext, CallEvent>;

const ended: Test = (context) => {
  const { status, caught } = recordFor(context);
  return status !== "running" || caught !== null;
};
const isParked: Test = (context) => recordFor(context).attention !== null;
const isReleased: Test = (context) => recordFor(context).attention === null;
const isUnsettled: Test = (context) => recordFor(context).unsettled;
const isCancelled: Test = (context) => context.cancelled;
const mayNotRepeat: Test = (context) =>
  recordFor(context).inFlight && (context.cancelled || !context.rule.idempotent);
const mayFinish: Test = (context) => context.mayFinish;
/** It undoes or verifies a step, and is tried until it gives up. */
const isPatient: Test = (context) => context.op !== "action";
const wantsVerify: Test = (context) => mustVerify(context);
const verifyEnded: Test = (context) => isVerified(context);
const isHeldBack: Test = (context) => !isLetThrough(context);
const isFull: Test = (context) => !takesSlot(context);

const start: Do = (context, _event, scope) => {
  scope.whileAlive(() => letGo(context, scope.self)); // a run that is stopped keeps nobody else waiting
  begin(context);
};
const ask: Do = (context, _event, scope) => {
  leaveTurnstile(context); // who waits for the breaker takes no slot from others
  const { breaker } = context.passage;
  if (breaker === null) return;
  context.permit = null;
  context.asking = true;
  scope.send(breaker, { type: "ask", caller: scope.self, patient: context.op !== "action" });
};
const watchTime: Do = (context, _event, scope) => {
  scope.during(wakeAt(context.board, stepDeadline(context), scope.self));
};
const keepPermit: Do = (context, event) => {
  context.asking = false;
  if (event.type === "admitted") context.permit = event.permit;
};
const withdraw: Do = (context, _event, { self }) => letGo(context, self);
const tellWaiting: Do = ({ board, path, op, target }, event) => {
  if (event.type !== "waiting") return;
  const { until } = event;
  board.notice({ kind: "breaker_waiting", path, op, service: target.service, until });
};
const queueUp: Do = (context, _event, scope) => {
  scope.during(context.passage.turnstile.queue((slot) => {
    context.slot = slot;
    scope.self.send({ type: "entered" });
  }));
};
const tellQueueing: Do = ({ board, path, op, target }) => {
  board.notice({ kind: "queueing", path, op, service: target.service });
};
const makeAttempt: Do = (context, _event, scope) => {
  startAttempt(context);
  scope.during(context.board.attempt(nextAttempt(context), (answer) => scope.self.send(answer)));
};
const reportResult: Do = (context, event, scope) => {
  leaveTurnstile(context);
  const { permit, passage: { breaker } } = context;
  context.permit = null;
  if (breaker === null || permit === null || event.type !== "answered") return;
  const { result, duration, at, cut } = event;
  if (result.ok && countSuccess(breaker, permit, at, duration)) return;
  const { code, local = false } = result.ok ? { code: "OK" } : result.failure;
  scope.send(breaker, {
    type: "result",
    caller: scope.self,
    permit,
    at,
    result: { code, duration, full: !cut, ...(local && { local }) },
  });
};
const concludeAttempt: Do = (context, event) => {
  if (event.type === "answered") conclude(context, event);
};
const awaitDeadline: Do = (context, _event, scope) => {
  scope.during(wakeAt(context.board, verifyFrom(context), scope.self));
};
const cancelCall: Do = (context) => cancelStep(context);
const verify: Do = (context, _event, scope) => {
  context.verifying = scope.spawn(callMachine, "verify", verifyInput(context));
};
const settleVerify: Do = (context) => concludeVerify(context);
const passOn: Do = ({ verifying }, event, scope) => {
  if (verifying !== null && event.type === "resolved") scope.send(verifying, event);
};
const backOff: Do = (context, _event, scope) => {
  scope.during(wakeAt(context.board, recordFor(context).nextAt, scope.self));
};
const endBackoff: Do = (context) => {
  context.backedOff = true;
};
const markCancelled: Do = (context) => {
  context.cancelled = true;
};

/** The call machine. It decides by the fold alone, so it goes on after a restart from wherever the facts end. */
export const callMachine: Machine<CallContext, CallEvent, CallInput> = machine<
  CallContext,
  CallEvent,
  CallInput
>({
  id: "call",
  context: (input) => ({
    ...input,
    op: input.rule.op,
    passage: input.board.service(input.target),
    request: null,
    asking: false,
    verifying: null,
    permit: null,
    slot: null,
    remade: false,
    backedOff: false,
  }),
  initial: "starting",
  states: {
    starting: { entry: [start], always: [{ target: "deciding" }] },
    /** Finds its place by the fold: where it stands after each turn, and after a restart. */
    deciding: {
      always: [
        { guard: ended, target: "done" },
        { guard: isParked, target: "parked" },
        { guard: verifyEnded, actions: [settleVerify] },
        { guard: mayNotRepeat, actions: [doubt] },
        { guard: isOverdue, target: "overdue" },
        { guard: wantsVerify, target: "doubting" },
        { guard: isUnsettled, actions: [settle] },
        { guard: isCancelled, actions: [cancelCall], target: "done" },
        { guard: isBackingOff, target: "backing_off" },
        { guard: isHeldBack, target: "asking" },
        { guard: isFull, target: "queueing" },
        { target: "calling" },
      ],
    },
    /** The service's breaker is not closed. */
    asking: {
      entry: [ask, watchTime],
      on: {
        admitted: [{ actions: [keepPermit], target: "deciding" }],
        waiting: [{ actions: [tellWaiting] }],
        refused: [{ actions: [keepPermit, refuse], target: "deciding" }],
        time: [
          { guard: isPatient, actions: [withdraw, giveUp], target: "deciding" },
          { actions: [withdraw, refuse], target: "deciding" },
        ],
        cancel: [{ actions: [withdraw, markCancelled], target: "deciding" }],
      },
    },
    /** As many calls are under way, or have begun lately, as the service may have. */
    queueing: {
      entry: [queueUp, tellQueueing, watchTime],
      on: {
        entered: [{ target: "deciding" }],
        time: [
          { guard: isPatient, actions: [withdraw, giveUp], target: "deciding" },
          { actions: [withdraw, timeOut], target: "deciding" },
        ],
        cancel: [{ actions: [withdraw, markCancelled], target: "deciding" }],
      },
    },
    calling: {
      entry: [makeAttempt],
      on: {
        answered: [{ actions: [reportResult, concludeAttempt], target: "deciding" }],
        cancel: [
          { guard: mayFinish, actions: [markCancelled] },
          { actions: [withdraw, abandonAttempt, markCancelled], target: "deciding" },
        ],
      },
    },
    /** Whether it happened is not known, and until its deadline it may still happen. */
    doubting: {
      entry: [awaitDeadline],
      on: {
        time: [{ target: "verifying" }],
        cancel: [{ actions: [markCancelled] }],
      },
    },
    /** While that is not settled, the step isn't. */
    verifying: {
      entry: [verify],
      on: {
        "child.done": [{ target: "deciding" }],
        resolved: [{ actions: [passOn] }],
        cancel: [{ actions: [markCancelled] }],
      },
    },
    backing_off: {
      entry: [backOff],
      on: {
        time: [{ actions: [endBackoff], target: "deciding" }],
        cancel: [{ actions: [markCancelled], target: "deciding" }],
      },
    },
    /** Out of time with everything around it: the owner of the deadline is about to cancel it. */
    overdue: {
      on: {
        cancel: [
          { guard: wantsVerify, actions: [markCancelled], target: "doubting" },
          { actions: [markCancelled, cancelCall], target: "done" },
        ],
      },
    },
    parked: {
      on: {
        resolved: [{ guard: isReleased, actions: [prepare], target: "deciding" }],
        cancel: [{ actions: [markCancelled, cancelCall], target: "done" }],
      },
    },
    done: { final: true },
  },
});
