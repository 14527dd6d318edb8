/**
 * What has to be undone, in which order, and the actor that does it one at a time.
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
import type { Outcome } from "./outcome.ts";
import { recordOf, type RunState, type StepRecord } from "./records.ts";
import type { Located } from "./located.ts";
import { type Action, type ChildDone, type Guard, machine, type Receiver } from "./machine.ts";

/** A step that is to be undone. */
export interface Undo extends Located {
  readonly path: string;
  readonly by:
    | ({ readonly kind: "call" } & CallTarget)
    | { readonly kind: "steps"; readonly steps: readonly Step[] }
    /** A child run, by its own compensations. */
    | { readonly kind: "child" };
}

/**
 * The completed and the unknown, in strict reverse order of completion across all blocks and rounds;
 * an unknown step counts as completed at the moment it failed (semantics.md §4).
 *
 * @param within the path of the step inside which they are; `null`: the whole run
 */
export function rollbackPlan(
  { state, locate }: Pick<Board, "state" | "locate">,
  within: string | null = null,
): readonly Undo[] {
  const plan: Undo[] = [];
  // What happened before the block began is not in it: long runs are not walked for each of their rounds.
  const since = within === null ? 0 : recordOf(state, within)?.startedSeq ?? 0;
  for (let at = state.happened.length - 1; at >= 0; at--) {
    const record = state.happened[at];
    if (record === undefined || record.effectSeq <= since) break;
    const { path, effect } = record;
    if (recordOf(state, path) !== record) continue; // an operator had it tried anew
    if (within !== null && !isWithin(path, within)) continue;
    const located = locate(path);
    const by = located && undoOf(located.step, effect);
    if (located && by) plan.push({ ...located, path, by });
  }
  return plan;
}

/** Whether a step is inside another; what that one's `catch` does instead is not. */
function isWithin(path: string, around: string): boolean {
  if (!path.startsWith(around) || path.startsWith(`${around}.catch[`)) return false;
  const next = path[around.length];
  return next === undefined || next === "." || next === "[";
}

function undoOf(step: Step, effect: Outcome | null): Undo["by"] | null {
  if (step.kind === "call") return step.compensate;
  if (step.kind !== "workflow") return null;
  return step.compensate ?? (effect === "completed" ? { kind: "child" } : null);
}

/** What is next to be undone; `null`: nothing more, or an operator has put an end to it. */
export function nextCompensation(plan: readonly Undo[], state: RunState): Undo | null {
  return nextFrom(plan, state, countUndone(plan, state, 0));
}

/** How many of a plan are undone, or were left out by an operator, where the first `from` are. */
function countUndone(plan: readonly Undo[], state: RunState, from: number): number {
  let undone = from;
  for (let undo = plan[undone]; undo !== undefined; undo = plan[++undone]) {
    const status = recordOf(state, undo.path, "compensate")?.status;
    if (status !== "completed" && status !== "skipped") break;
  }
  return undone;
}

function nextFrom(plan: readonly Undo[], state: RunState, undone: number): Undo | null {
  const next = plan[undone];
  if (next === undefined) return null;
  return recordOf(state, next.path, "compensate")?.status === "cancelled" ? null : next;
}

/** Whether everything in the plan was undone, and no part of it left out by an operator. */
export function isRolledBack(plan: readonly Undo[], state: RunState): boolean {
  if (state.aborted !== null || state.stands) return false;
  for (const { resolved, op } of state.records.values()) {
    if (resolved === "skip" && op === "compensate") return false;
  }
  return plan.every(({ path }) => recordOf(state, path, "compensate")?.status === "completed");
}

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
