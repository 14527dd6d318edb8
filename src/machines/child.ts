/**
 * Another workflow as a step: a run of its own, started, followed and rolled back by this one's.
 *
 * @module
 */
import type { ChildStep } from "../workflow/model.ts";
import type { Rounds } from "../workflow/rounds.ts";
import type { Board, Deadline } from "./board.ts";
import type { Cancel, ChildPivoted, ChildTold, Resolved, Signalled } from "./told.ts";
import { earliest, stepTimeout } from "./call_moves.ts";
import { failStep } from "./failing.ts";
import { failureOf } from "./failure.ts";
import type { Op } from "./facts.ts";
import { recordOf, type StepRecord } from "./records.ts";
import { type Action, type Guard, machine } from "./machine.ts";

/** What the actor of a child run's step is made with. */
export interface ChildInput {
  readonly board: Board;
  readonly step: ChildStep;
  readonly path: string;
  readonly rounds: Rounds;
  readonly op: Op;
  /** When an enclosing block is out of time. */
  readonly deadline: Deadline;
  /** The block around it is failing already: only after a restart. */
  readonly cancelled: boolean;
}

/** What it holds besides the fold. */
export interface ChildContext extends Omit<ChildInput, "cancelled"> {
  cancelled: boolean;
  /** Asks the child to stop and roll back. */
  cancelChild: () => void;
}

type ChildEvent = ChildTold | ChildPivoted | Cancel | Resolved | Signalled;
type Test = Guard<ChildContext, ChildEvent>;
type Do = Action<ChildContext, ChildEvent>;

const ended: Test = (context) => {
  const { status, caught } = recordFor(context);
  return status !== "running" || caught !== null;
};
const isParked: Test = (context) => recordFor(context).attention !== null;
const isReleased: Test = (context) => recordFor(context).attention === null;

const startChild: Do = (context, _event, scope) => {
  const { board, step, path, op, deadline, cancelled } = context;
  const record = recordFor(context);
  const own = step.timeout === null ? null : startOf(record) + step.timeout;
  const run = board.child({
    path,
    op,
    workflow: step.workflow,
    input: record.input ?? {},
    revision: record.revisions,
    deadline: earliest(own, deadline()),
  }, (told) => scope.self.send(told));
  context.cancelChild = run.cancel;
  scope.during(run.leave);
  if (cancelled) run.cancel();
};
const cancelChild: Do = (context) => {
  context.cancelled = true;
  context.cancelChild();
};
/** What it had done is undone already. */
const cancelParked: Do = ({ board, path, op }) => {
  board.record({ kind: "step_cancelled", path, op, outcome: "rejected" });
};
/** From here on this run, too, only goes forward. */
const passPivot: Do = ({ board, path, op }) => {
  if (board.state.pivot === null) board.record({ kind: "pivot_passed", path, op });
};
const settle: Do = (context, event) => {
  if (event.type === "child_told") conclude(context, event);
};

/** The machine of a child run's step. */
export const childMachine = machine<ChildContext, ChildEvent, ChildInput>({
  id: "child",
  context: (input) => ({ ...input, cancelChild: () => {} }),
  initial: "deciding",
  states: {
    deciding: {
      always: [
        { guard: ended, target: "done" },
        { guard: isParked, target: "parked" },
        { target: "running" },
      ],
    },
    running: {
      entry: [startChild],
      on: {
        child_told: [{ actions: [settle], target: "deciding" }],
        child_pivoted: [{ actions: [passPivot] }],
        cancel: [{ actions: [cancelChild] }],
      },
    },
    parked: {
      on: {
        resolved: [{ guard: isReleased, target: "deciding" }],
        cancel: [{ actions: [cancelParked], target: "done" }],
      },
    },
    done: { final: true },
  },
});

function recordFor({ board, path, op }: ChildContext): StepRecord {
  const record = recordOf(board.state, path, op);
  if (record === undefined) throw new Error(`"${path}" has not started`);
  return record;
}

function startOf(record: StepRecord): number {
  return record.resolved === null ? record.startedAt : record.tryingSince;
}

/** Whether it is the step's time, not the child's own, that runs out first. */
function isStepsTime({ timeout, workflow }: ChildStep): boolean {
  return timeout !== null && (workflow.timeout === null || timeout <= workflow.timeout);
}

/** A child that did not complete has rolled back what it did: nothing of it is left for this run to undo. */
function conclude(context: ChildContext, told: ChildTold): void {
  const { board, step, path, rounds, op, cancelled } = context;
  const { status, output, failure, pivot } = told;
  const passed = pivot ? { pivot } : {};
  const stands = status === "incomplete";
  if (status === "completed") {
    board.record({ kind: "step_completed", path, op, output: output ?? {}, ...passed });
  } else if (cancelled) {
    const left = stands ? { stands } : {};
    board.record({ kind: "step_cancelled", path, op, outcome: "rejected", ...left });
  } else {
    const cause = failureOf({ ...failure, ...causeOf(context, told) }, {
      path,
      attempts: 0,
      outcome: "rejected",
    });
    failStep({ board, step, path, op, rounds, cancelled, pivot, stands }, cause);
  }
}

/** Why its step fails: its own time was up, or the child did not complete. */
function causeOf(
  { step, path }: ChildContext,
  { status, failure }: ChildTold,
): { readonly code: string; readonly message: string } {
  const { name } = step.workflow;
  if (status === "timed_out" && isStepsTime(step)) {
    const { code, message } = stepTimeout(path);
    return { code, message: `${message}: "${name}", its child run, was rolled back` };
  }
  const why = failure === null ? "" : `: ${failure.code}: ${failure.message}`;
  const message = `"${name}", the child run of "${path}", ended as ${status}${why}`;
  return { code: "CHILD_FAILED", message };
}

/** What the actor that rolls a child run back is made with. */
export interface ChildUndoInput {
  readonly board: Board;
  readonly path: string;
}

const startUndo: Action<ChildUndoInput, ChildEvent> = (
  { board, path },
  _event,
  scope,
) => {
  const op = "compensate";
  if (recordOf(board.state, path, op) === undefined) {
    board.record({ kind: "step_started", path, op, form: "workflow" });
  }
  scope.during(board.undoChild(path, (told) => scope.self.send(told)));
};
const endUndo: Action<ChildUndoInput, ChildEvent> = (
  { board, path },
  event,
) => {
  if (event.type !== "child_told") return;
  const op = "compensate";
  // Where something of it still stands, this run can't say that all is undone.
  if (event.status === "incomplete") board.record({ kind: "step_skipped", path, op });
  else board.record({ kind: "step_completed", path, op });
};

/** Rolls back a child run that had completed, by its own compensations. */
export const childUndoMachine = machine<
  ChildUndoInput,
  ChildEvent,
  ChildUndoInput
>({
  id: "child_undo",
  context: (input) => input,
  initial: "undoing",
  states: {
    undoing: {
      entry: [startUndo],
      on: { child_told: [{ actions: [endUndo], target: "done" }] },
    },
    done: { final: true },
  },
});
