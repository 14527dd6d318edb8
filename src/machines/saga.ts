/**
 * The actor that undoes what has to be undone, one at a time.
 *
 * @module
 */
import type { CallTarget, Step } from "../workflow/model.ts";
import { blockMachine } from "./block.ts";
import type { BlockInput } from "./block_moves.ts";
import { type Board, NEVER } from "./board.ts";
import { callMachine } from "./call.ts";
import type { Cancel, Resolved, Signalled } from "./told.ts";
import type { CallInput } from "./call_context.ts";
import { childUndoMachine } from "./child.ts";
import { recordOf, type StepRecord } from "./records.ts";
import { type Action, type ChildDone, type Guard, machine, type Receiver } from "./machine.ts";
import { countUndone, nextFrom, rollbackPlan, type Undo } from "./undo_plan.ts";

/** What a rollback's actor is made with. */
export interface SagaInput {
  readonly board: Board;
  /** The path of the step inside which everything is undone; `null`: the whole run. */
  readonly within: string | null;
}

/** What a rollback's actor holds besides the fold. */
export interface SagaContext {
  readonly board: Board;
  readonly plan: readonly Undo[];
  /** So many of the plan are undone: what is done stays done, and long plans are not walked anew. */
  undone: number;
  /** What undoes the step that is next. */
  actor: Receiver<Cancel | Resolved | Signalled> | null;
}

type SagaEvent = ChildDone | Cancel | Resolved | Signalled;
type Test = Guard<SagaContext, SagaEvent>;
type Do = Action<SagaContext, SagaEvent>;

/** What is next, from where this rollback has come to. */
function nextOf(context: SagaContext): Undo | null {
  const { plan, board: { state } } = context;
  context.undone = countUndone(plan, state, context.undone);
  return nextFrom(plan, state, context.undone);
}

const more: Test = (context) => nextOf(context) !== null;
const stuck: Test = (context) => groupRecord(context)?.status === "failed";
const parked: Test = (context) => {
  const record = groupRecord(context);
  return record !== undefined && record.attention !== null && record.status === "running";
};

const compensate: Do = (context, _event, scope) => {
  const { board } = context;
  const undo = nextOf(context);
  if (undo === null) return;
  const { path, by } = undo;
  switch (by.kind) {
    case "call":
      context.actor = scope.spawn(callMachine, path, callInput(board, undo, by));
      break;
    case "steps":
      context.actor = scope.spawn(blockMachine, path, groupInput(board, undo, by.steps));
      break;
    case "child":
      context.actor = scope.spawn(childUndoMachine, path, { board, path });
  }
};
const park: Do = (context) => parkGroup(context);
const passOn: Do = ({ actor }, event, scope) => {
  if (actor === null) return;
  if (event.type === "resolved" || event.type === "signalled") scope.send(actor, event);
};

/** The saga machine: rolls a run, or a part of it, back, one compensation after the other. */
export const sagaMachine = machine<SagaContext, SagaEvent, SagaInput>({
  id: "saga",
  context: ({ board, within }) => ({
    board,
    plan: rollbackPlan(board, within),
    undone: 0,
    actor: null,
  }),
  initial: "deciding",
  states: {
    deciding: {
      always: [
        { guard: parked, target: "parked" },
        { guard: stuck, actions: [park], target: "parked" },
        { guard: more, target: "compensating" },
        { target: "done" },
      ],
    },
    compensating: {
      entry: [compensate],
      on: {
        "child.done": [{ target: "deciding" }],
        resolved: [{ actions: [passOn] }],
        signalled: [{ actions: [passOn] }],
      },
    },
    /** A group of compensating steps has failed as a whole; a single call parks by itself. */
    parked: { on: { resolved: [{ target: "deciding" }] } },
    done: { final: true },
  },
});

/** The record of the group of compensating steps that is next, where it is one. */
function groupRecord(context: SagaContext): StepRecord | undefined {
  const undo = nextOf(context);
  if (undo === null || undo.by.kind !== "steps") return undefined;
  return recordOf(context.board.state, undo.path, "compensate");
}

function parkGroup(context: SagaContext): void {
  const record = groupRecord(context);
  if (record === undefined || record.failure === null) return;
  const { path, op, failure } = record;
  context.board.record({ kind: "attention_raised", path, op, failure, request: null });
}

function callInput(board: Board, { path, step, rounds }: Undo, target: CallTarget): CallInput {
  return {
    board,
    step: null,
    path,
    action: path,
    scope: { key: `${step.path}/compensate`, rounds },
    target,
    rule: { op: "compensate", idempotent: true, ...board.workflow.saga },
    timeout: null,
    deadline: NEVER,
    mayFinish: false,
    cancelled: false,
  };
}

function groupInput(board: Board, { path, rounds }: Undo, steps: readonly Step[]): BlockInput {
  const op = "compensate";
  if (recordOf(board.state, path, op) === undefined) {
    board.record({ kind: "step_started", path, op, form: "block" });
  }
  return {
    board,
    block: { kind: "steps", steps },
    step: null,
    path,
    rounds,
    action: path,
    op,
    timeout: null,
    deadline: NEVER,
    cancelled: false,
  };
}
