/**
 * What follows where an entry of a step's `catch` has taken its failure: what the step's block
 * completed is undone where the entry says so, then its steps are done, and the step counts as
 * completed.
 *
 * @module
 */
import type { CatchEntry, Step } from "../workflow/model.ts";
import { pathIn, type Rounds } from "../workflow/rounds.ts";
import { blockMachine } from "./block.ts";
import type { Board, Deadline } from "./board.ts";
import type { Cancel, Resolved, Signalled } from "./told.ts";
import { failStep } from "./failing.ts";
import type { Op } from "./facts.ts";
import { recordOf, type StepRecord } from "./records.ts";
import { type Action, type ChildDone, type Guard, machine, type Receiver } from "./machine.ts";
import { sagaMachine } from "./saga.ts";
import { nextCompensation, rollbackPlan } from "./undo_plan.ts";

/** What the actor of a caught step is made with. */
export interface CatchInput {
  readonly board: Board;
  readonly step: Step;
  readonly path: string;
  readonly rounds: Rounds;
  readonly action: string | null;
  readonly op: Op;
  /** When an enclosing block is out of time. */
  readonly deadline: Deadline;
  /** The block around it is failing already: only after a restart. */
  readonly cancelled: boolean;
}

/** What it holds besides the fold. */
export interface CatchContext extends Omit<CatchInput, "cancelled"> {
  cancelled: boolean;
  actor: Receiver<Cancel | Resolved | Signalled> | null;
}

type CatchEvent = ChildDone | Cancel | Resolved | Signalled;
type Test = Guard<CatchContext, CatchEvent>;
type Do = Action<CatchContext, CatchEvent>;

const ended: Test = (context) => recordFor(context).status !== "running";
const isParked: Test = (context) => recordFor(context).attention !== null;
const isReleased: Test = (context) => recordFor(context).attention === null;
/** What the entry's own steps have done since is not among it. */
const somethingToUndo: Test = (context) =>
  entryOf(context).undo && handlerOf(context) === undefined && !isUndone(context);
/** An operator has put an end to the run while something was being undone. */
const isAborted: Test = ({ board }) => board.state.aborted !== null;
const handlerEnded: Test = (context) =>
  handlerOf(context)?.status !== undefined &&
  handlerOf(context)?.status !== "running";
/** Its steps, where they have begun, come to their own end first. */
const isCancelled: Test = (context) => context.cancelled && handlerOf(context) === undefined;

const undo: Do = (context, _event, scope) => {
  const { board, path } = context;
  context.actor = scope.spawn(sagaMachine, "undo", { board, within: path });
};
const handle: Do = (context, _event, scope) => {
  const { board, step, rounds, action, deadline, cancelled } = context;
  const { path, key } = handlerAt(context);
  const { steps, result } = entryOf(context);
  const op = context.op;
  if (handlerOf(context) === undefined) {
    board.record({ kind: "step_started", path, op, form: "block" });
  }
  context.actor = scope.spawn(blockMachine, "steps", {
    board,
    block: {
      kind: "steps",
      steps,
      ...(result !== null && { result: { template: result, key: `${key}/result` } }),
    },
    step: null,
    path,
    rounds,
    action: action ?? (op === "action" ? null : pathIn(step.path, rounds)),
    op,
    timeout: null,
    deadline,
    cancelled,
  });
};
const conclude: Do = (context) => {
  const { board, step, path, op, rounds, cancelled } = context;
  const handler = handlerOf(context);
  if (handler === undefined) return;
  const { status, output, failure, returns } = handler;
  if (status === "completed") {
    board.record({
      kind: "step_completed",
      path,
      op,
      output: output ?? {},
      ...(returns && { returns }),
    });
  } else if (status === "failed" && failure !== null) {
    // Its own `catch` has had its turn; those around it are asked.
    failStep({ board, step: { ...step, catch: [] }, path, op, rounds, cancelled }, failure);
  } else cancelStep(context);
};
const cancelCaught: Do = (context) => cancelStep(context);
const markCancelled: Do = (context) => {
  context.cancelled = true;
};
const cancelHandler: Do = ({ actor }, _event, scope) => {
  if (actor !== null) scope.send(actor, { type: "cancel" });
};
const passOn: Do = ({ actor }, event, scope) => {
  if (actor === null) return;
  if (event.type === "resolved" || event.type === "signalled") scope.send(actor, event);
};

/** The machine of a caught step. */
export const catchMachine = machine<CatchContext, CatchEvent, CatchInput>({
  id: "catch",
  context: (input) => ({ ...input, actor: null }),
  initial: "deciding",
  states: {
    deciding: {
      always: [
        { guard: ended, target: "done" },
        { guard: isParked, target: "parked" },
        { guard: handlerEnded, actions: [conclude] },
        { guard: somethingToUndo, target: "undoing" },
        { guard: isAborted, actions: [cancelCaught], target: "done" },
        { guard: isCancelled, actions: [cancelCaught], target: "done" },
        { target: "handling" },
      ],
    },
    /** What is being undone is undone, whatever happens around it. */
    undoing: {
      entry: [undo],
      on: {
        "child.done": [{ target: "deciding" }],
        cancel: [{ actions: [markCancelled] }],
        resolved: [{ actions: [passOn] }],
      },
    },
    handling: {
      entry: [handle],
      on: {
        "child.done": [{ target: "deciding" }],
        cancel: [{ actions: [markCancelled, cancelHandler] }],
        resolved: [{ actions: [passOn] }],
        signalled: [{ actions: [passOn] }],
      },
    },
    /** What it did instead has failed past the pivot, as a whole. */
    parked: {
      on: {
        resolved: [{ guard: isReleased, target: "deciding" }],
        cancel: [{ actions: [markCancelled, cancelCaught], target: "done" }],
      },
    },
    done: { final: true },
  },
});

function recordFor({ board, path, op }: CatchContext): StepRecord {
  const record = recordOf(board.state, path, op);
  if (record === undefined) throw new Error(`"${path}" has not started`);
  return record;
}

function entryOf(context: CatchContext): CatchEntry {
  const { caught } = recordFor(context);
  const entry = caught === null ? undefined : context.step.catch[caught.entry];
  if (entry === undefined) throw new Error(`"${context.path}" has caught nothing`);
  return entry;
}

/** Where the entry's steps stand, and the key of what they see. */
function handlerAt(context: CatchContext): { readonly path: string; readonly key: string } {
  const entry = recordFor(context).caught?.entry ?? 0;
  return {
    path: `${context.path}.catch[${entry}]`,
    key: `${context.step.path}.catch[${entry}]`,
  };
}

function handlerOf(context: CatchContext): StepRecord | undefined {
  return recordOf(context.board.state, handlerAt(context).path, context.op);
}

function isUndone({ board, path }: CatchContext): boolean {
  return nextCompensation(rollbackPlan(board, path), board.state) === null;
}

function cancelStep(context: CatchContext): void {
  const { board, path, op } = context;
  const outcome = recordFor(context).effect ?? "not_sent";
  board.record({ kind: "step_cancelled", path, op, outcome });
}
