/**
 * What has to be undone, in which order, and the actor that does it one at a time.
 *
 * @module
 */
import { type Compensable, eachCompensable } from "../workflow/calls.ts";
import type { CallTarget, Step } from "../workflow/model.ts";
import { type BlockInput, blockMachine } from "./block.ts";
import type { Block } from "./block_plan.ts";
import type { Board } from "./board.ts";
import { callMachine, type Resolved } from "./call.ts";
import type { CallInput } from "./call_moves.ts";
import { countBegun, recordOf, type RunState, type StepRecord } from "./fold.ts";
import { type Action, type ChildDone, type Guard, machine, type Receiver } from "./machine.ts";

/**
 * The completed and the unknown, in strict reverse order of completion across all blocks; an
 * unknown step counts as completed at the moment it ended (semantics.md §4).
 */
export function rollbackPlan(steps: readonly Step[], state: RunState): readonly Compensable[] {
  return [...eachCompensable(steps)]
    .map((step) => ({ step, record: recordOf(state, step.path) }))
    .filter(({ record }) => record?.outcome === "completed" || record?.outcome === "unknown")
    .sort((a, b) => (b.record?.endedSeq ?? 0) - (a.record?.endedSeq ?? 0))
    .map(({ step }) => step);
}

/** What is next to be undone; `null`: nothing more, or an operator has put an end to it. */
export function nextCompensation(
  plan: readonly Compensable[],
  state: RunState,
): Compensable | null {
  const begun = countBegun(plan, "compensate", state);
  const last = plan[begun - 1];
  const status = last && recordOf(state, last.path, "compensate")?.status;
  if (status === "cancelled") return null;
  return (status === "running" || status === "failed" ? last : plan[begun]) ?? null;
}

/** Whether everything in the plan was undone, and no part of it left out by an operator. */
export function isRolledBack(plan: readonly Compensable[], state: RunState): boolean {
  for (const { resolved } of state.records.values()) if (resolved === "skip") return false;
  return plan.every((step) => recordOf(state, step.path, "compensate")?.status === "completed");
}

/** What a rollback's actor holds besides the fold. */
export interface SagaContext {
  readonly board: Board;
  readonly plan: readonly Compensable[];
  /** What undoes the step that is next. */
  actor: Receiver<Resolved> | null;
}

type Test = Guard<SagaContext, ChildDone | Resolved>;
type Do = Action<SagaContext, ChildDone | Resolved>;

const more: Test = ({ plan, board }) => nextCompensation(plan, board.state) !== null;
const stuck: Test = (context) => groupRecord(context)?.status === "failed";
const parked: Test = (context) => {
  const record = groupRecord(context);
  return record !== undefined && record.attention !== null && record.status === "running";
};

const compensate: Do = (context, _event, scope) => {
  const { board, plan } = context;
  const step = nextCompensation(plan, board.state);
  if (step === null) return;
  context.actor = step.compensate.kind === "call"
    ? scope.spawn(callMachine, step.path, callInput(board, step, step.compensate))
    : scope.spawn(blockMachine, step.path, groupInput(board, step, step.compensate));
};
const park: Do = (context) => parkGroup(context);
const passOn: Do = ({ actor }, event, scope) => {
  if (actor !== null && event.type === "resolved") scope.send(actor, event);
};

/** The saga machine: rolls a run back, one compensation after the other. */
export const sagaMachine = machine<SagaContext, ChildDone | Resolved, { readonly board: Board }>({
  id: "saga",
  context: ({ board }) => ({
    board,
    plan: rollbackPlan(board.workflow.steps, board.state),
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
      },
    },
    /** A group of compensating steps has failed as a whole; a single call parks by itself. */
    parked: { on: { resolved: [{ target: "deciding" }] } },
    done: { final: true },
  },
});

/** The record of the group of compensating steps that is next, where it is one. */
function groupRecord({ board, plan }: SagaContext): StepRecord | undefined {
  const step = nextCompensation(plan, board.state);
  if (step === null || step.compensate.kind !== "steps") return undefined;
  return recordOf(board.state, step.path, "compensate");
}

function parkGroup(context: SagaContext): void {
  const record = groupRecord(context);
  if (record === undefined || record.failure === null) return;
  const { path, op, failure } = record;
  context.board.record({ kind: "attention_raised", path, op, failure, request: null });
}

function callInput(board: Board, step: Compensable, target: CallTarget): CallInput {
  return {
    board,
    path: step.path,
    action: step.path,
    scope: `${step.path}/compensate`,
    target,
    rule: { op: "compensate", idempotent: true, ...board.workflow.saga },
    timeout: null,
    deadline: null,
    mayFinish: false,
    cancelled: false,
  };
}

function groupInput(board: Board, step: Compensable, block: Block): BlockInput {
  const op = "compensate";
  if (recordOf(board.state, step.path, op) === undefined) {
    board.record({ kind: "step_started", path: step.path, op });
  }
  return {
    board,
    block,
    path: step.path,
    action: step.path,
    op,
    timeout: null,
    deadline: null,
    cancelled: false,
  };
}
