/**
 * One run: the root block below it, then the saga where it turns back, then an end.
 *
 * @module
 */
import { MaestroError } from "../errors.ts";
import { NO_ROUNDS } from "../workflow/rounds.ts";
import type { Value } from "../workflow/value.ts";
import { blockMachine } from "./block.ts";
import { type Board, NEVER } from "./board.ts";
import { type Failure, failureOf } from "./failure.ts";
import type { RollbackReason } from "./facts.ts";
import { recordOf, ROOT, runDeadline, type StepRecord } from "./records.ts";
import { type Action, type ChildDone, type Guard, machine, type Receiver } from "./machine.ts";
import { evaluate } from "./names.ts";
import { pivotOf } from "./pivot.ts";
import { sagaMachine } from "./saga.ts";
import { isRolledBack, nextCompensation, rollbackPlan } from "./undo_plan.ts";
import { type Time, wakeAt } from "./time.ts";
import type { Resolved, Signalled, Told } from "./told.ts";

/** Asks a run to stop and roll back. */
export interface CancelRun {
  readonly type: "cancel";
  readonly by: string | null;
}

/** A pivot that was under way, its own or a child run's, may have turned out not to have happened. */
export interface PivotSettled {
  readonly type: "pivot_settled";
}

/** What a run's actor is told from outside. */
export type RunEvent = CancelRun | Resolved | Signalled | PivotSettled;

/** What a run's actor holds besides the fold. */
export interface RunContext {
  readonly board: Board;
  /** The root block. */
  forward: Receiver<Told> | null;
  saga: Receiver<Told> | null;
  /** Ends waiting for its deadline. */
  unwatch: () => void;
}

type Test = Guard<RunContext, RunEvent | ChildDone | Time>;
type Do = Action<RunContext, RunEvent | ChildDone | Time>;

const ended: Test = ({ board }) => board.state.end !== null;
const rollingBack: Test = ({ board }) => board.state.rollback !== null;
const rootEnded: Test = (context) => rootOf(context).status !== "running";
const succeeded: Test = (context) =>
  rootOf(context).status === "completed" && context.board.state.cancel === null &&
  !("failure" in outputOf(context));
const somethingToUndo: Test = ({ board }) =>
  board.state.aborted === null && board.state.pivot === null &&
  nextCompensation(rollbackPlan(board), board.state) !== null;
/** Past the pivot, and while it is under way, there is no way back. */
const mayStop: Test = ({ board }) => pivotOf(board) === null && !board.isChildPastPivot();

/** An operator has put an end to it. */
const isAborted: Test = ({ board }) => board.state.aborted !== null;

/** A moment that came while something was parked does not count. */
const isOutOfTime: Test = (context, event) =>
  mayStop(context, event) && runDeadline(context.board.state) !== null;

const watchTime: Do = (context, _event, scope) => {
  const { board } = context;
  context.unwatch();
  const dueAt = runDeadline(board.state);
  if (dueAt === null) return;
  context.unwatch = wakeAt(board, dueAt, scope.self);
  scope.during(context.unwatch);
};
const goForward: Do = (context, _event, scope) => {
  const { board } = context;
  context.forward = scope.spawn(blockMachine, "steps", {
    board,
    block: { kind: "steps", steps: board.workflow.steps },
    step: null,
    path: ROOT,
    rounds: NO_ROUNDS,
    action: null,
    op: "action",
    timeout: null,
    deadline: NEVER,
    cancelled: board.state.cancel !== null || board.state.aborted !== null,
  });
};
const goBack: Do = (context, _event, scope) => {
  context.saga = scope.spawn(sagaMachine, "saga", { board: context.board, within: null });
};
const requestCancel: Do = (context, event) =>
  recordCancel(context, event.type === "cancel" ? event : null);
const stopForward: Do = ({ forward }, _event, scope) => {
  if (forward !== null) scope.send(forward, { type: "cancel" });
};
const passOn: Do = ({ forward, saga }, event, scope) => {
  const actor = saga ?? forward;
  if (actor === null) return;
  if (event.type === "resolved" || event.type === "signalled") scope.send(actor, event);
};
const complete: Do = (context) => endCompleted(context);
const startRollback: Do = (context) => {
  context.board.record({ kind: "rollback_started", reason: reasonOf(context) });
};
const endUndone: Do = (context) => endRolledBack(context);
const endFailed: Do = (context) => endUnrolled(context);

/** The run machine. */
export const runMachine = machine<
  RunContext,
  RunEvent | ChildDone | Time,
  { readonly board: Board }
>({
  id: "run",
  context: ({ board }) => ({ board, forward: null, saga: null, unwatch: () => {} }),
  initial: "deciding",
  states: {
    deciding: {
      always: [
        { guard: ended, target: "ended" },
        { guard: rollingBack, target: "compensating" },
        { guard: rootEnded, target: "turning" },
        { target: "running" },
      ],
    },
    running: {
      entry: [watchTime, goForward],
      on: {
        "child.done": [{ target: "turning" }],
        cancel: [{ guard: mayStop, actions: [requestCancel, stopForward] }],
        time: [{ guard: isOutOfTime, actions: [requestCancel, stopForward] }],
        pivot_settled: [{ actions: [watchTime] }], // its time may have been up meanwhile
        resolved: [
          { guard: isAborted, actions: [passOn, stopForward] },
          { actions: [watchTime, passOn] },
        ],
        signalled: [{ actions: [passOn] }],
      },
    },
    /** The forward part is over: it was the whole, or there is something to undo, or there is not. */
    turning: {
      always: [
        { guard: succeeded, actions: [complete], target: "ended" },
        { guard: somethingToUndo, actions: [startRollback], target: "compensating" },
        { actions: [endFailed], target: "ended" },
      ],
    },
    compensating: {
      entry: [goBack],
      on: {
        "child.done": [{ actions: [endUndone], target: "ended" }],
        resolved: [{ actions: [passOn] }],
        signalled: [{ actions: [passOn] }],
      },
    },
    ended: { final: true },
  },
});

function rootOf({ board }: RunContext): StepRecord {
  const record = recordOf(board.state, ROOT);
  if (record === undefined) throw new Error("The run has not started");
  return record;
}

/** Records, once, that the run is to stop; `null`: its time is up. */
function recordCancel({ board }: RunContext, cancel: CancelRun | null): void {
  if (board.state.cancel !== null) return; // a second cancel changes nothing
  board.record({
    kind: "cancel_requested",
    reason: cancel === null ? "timed_out" : "cancelled",
    by: cancel?.by ?? null,
  });
}

function endCompleted(context: RunContext): void {
  const result = outputOf(context);
  if (!("output" in result)) return;
  context.board.record({ kind: "run_ended", status: "completed", output: result.output });
}

/** Ends a run in which nothing is left to undo, or where an operator left it as it is. */
function endUnrolled(context: RunContext): void {
  const { board } = context;
  const { state } = board;
  const plan = rollbackPlan(board);
  const undone = plan.length > 0 && isRolledBack(plan, state);
  const reason = reasonOf(context);
  // Past the pivot only an output that can't be made brings it here: there is no way back.
  const isPast = state.pivot !== null && state.rollback === null;
  if (state.aborted !== null || state.stands || isPast || plan.length > 0 && !undone) {
    return end(context, "incomplete");
  }
  if (reason === "parent" || undone && reason === "failed") end(context, "compensated");
  else end(context, reason);
}

function endRolledBack(context: RunContext): void {
  const { board } = context;
  const undone = isRolledBack(rollbackPlan(board), board.state);
  const reason = reasonOf(context);
  const status = reason === "failed" || reason === "parent" ? "compensated" : reason;
  end(context, undone ? status : "incomplete");
}

/** What the run returns, or why that can't be made. */
function outputOf(context: RunContext): { output: Value } | { failure: Failure } {
  const { board } = context;
  const root = rootOf(context);
  const template = board.workflow.output;
  if (template === null || root.returns) return { output: root.output ?? {} };
  try {
    return { output: evaluate(board, { key: ROOT, rounds: NO_ROUNDS }, template) };
  } catch (thrown) {
    const { code, message } = MaestroError.from(thrown);
    const cause = { code, message: `${message} (in the workflow's "output")` };
    return { failure: failureOf(cause, { path: ROOT, attempts: 0, outcome: "not_sent" }) };
  }
}

function reasonOf({ board }: RunContext): RollbackReason {
  return board.state.rollback ?? board.state.cancel?.reason ?? "failed";
}

function end(
  context: RunContext,
  status: Exclude<RollbackReason, "parent"> | "compensated" | "incomplete",
): void {
  context.board.record({ kind: "run_ended", status, failure: causeOf(context) });
}

/** Why the run did not complete. */
function causeOf(context: RunContext): Failure {
  const { cancel, rollback } = context.board.state;
  const root = rootOf(context);
  const none = { path: ROOT, attempts: 0, outcome: "not_sent" } as const;
  if (rollback === "parent") { // it had completed: nothing of its own failed
    const message = "The run had completed, and was rolled back with its parent run";
    return failureOf({ code: "RUN_CANCELLED", message }, none);
  }
  if (cancel !== null) {
    return failureOf(
      cancel.reason === "timed_out"
        ? { code: "RUN_TIMEOUT", message: "The run took longer than its timeout" }
        : {
          code: "RUN_CANCELLED",
          message: cancel.by === null
            ? "The run was cancelled"
            : `The run was cancelled by ${cancel.by}`,
        },
      none,
    );
  }
  if (root.failure !== null) return root.failure;
  const result = root.status === "completed" ? outputOf(context) : null;
  if (result !== null && "failure" in result) return result.failure;
  const { aborted } = context.board.state;
  if (aborted !== null) return aborted;
  throw new Error("The run has no cause to end here");
}
