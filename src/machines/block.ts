/**
 * A block of steps: a sequence, `parallel` or `switch`, the root of a run, or the steps of a
 * compensation. It starts its children in its order, hears them end, and cancels them; what it
 * does next it reads off the fold (`block_plan.ts`).
 *
 * @module
 */
import { MaestroError } from "../errors.ts";
import type { Step } from "../workflow/model.ts";
import { type Block, blockOutput, type Plan, planBlock } from "./block_plan.ts";
import type { Board } from "./board.ts";
import { callMachine, type Cancel, type Resolved } from "./call.ts";
import { type CallInput, earliest, stepTimeout } from "./call_moves.ts";
import { type Failure, failureOf } from "./failure.ts";
import type { Op } from "./facts.ts";
import { recordOf, type StepRecord } from "./fold.ts";
import { chooseBranch, doInstantly } from "./instant.ts";
import {
  type Action,
  type ChildDone,
  type Guard,
  type Machine,
  machine,
  type Receiver,
} from "./machine.ts";
import { type Time, wakeAt } from "./time.ts";

/** What a block actor is made with. */
export interface BlockInput {
  readonly board: Board;
  readonly block: Block;
  readonly path: string;
  /** The path of the action that a group of compensating steps is about; `null`: each is its own. */
  readonly action: string | null;
  readonly op: Op;
  readonly timeout: number | null;
  /** When an enclosing block or the run is out of time, in milliseconds since the epoch. */
  readonly deadline: number | null;
  /** What is around it is failing already: only after a restart. */
  readonly cancelled: boolean;
}

/** What a block actor holds besides the fold. */
export interface BlockContext extends Omit<BlockInput, "cancelled"> {
  /** What is around it is failing, or the run is to stop. */
  cancelled: boolean;
  /** The actors of the children under way, by path. */
  readonly actors: Map<string, Receiver<Cancel | Resolved>>;
  /** As it was when all that may start had been started. */
  plan: Plan | null;
}

type BlockEvent = ChildDone | Cancel | Resolved | Time;
type Test = Guard<BlockContext, BlockEvent>;
type Do = Action<BlockContext, BlockEvent>;

const ended: Test = (context) => recordFor(context).status !== "running";
const stopped: Test = (context) => isStopped(context, currentPlan(context));
const settled: Test = (context) => context.actors.size === 0;
const finished: Test = (context) => currentPlan(context).finished;
const sparesOthers: Test = (context) => sparesSiblings(context);

const watchTime: Do = (context, _event, scope) => {
  const dueAt = ownDeadline(context);
  if (dueAt !== null) scope.whileAlive(wakeAt(context.board, dueAt, scope.self));
};
const decide: Do = (context) => open(context);
/** Starts what may start, until nothing more may: what ends at once makes the next one due. */
const startChildren: Do = (context, _event, scope) =>
  advance(context, (step, cancelled) => {
    const ref = step.kind === "call"
      ? scope.spawn(callMachine, step.path, callInput(context, step, cancelled))
      : scope.spawn(blockMachine, step.path, blockInput(context, step, cancelled));
    context.actors.set(step.path, ref);
  });
const forgetChild: Do = (context, event) => {
  if ("actorId" in event) context.actors.delete(event.actorId);
};
const cancelChildren: Do = (context, _event, scope) => {
  for (const actor of context.actors.values()) scope.send(actor, { type: "cancel" });
};
const passOn: Do = (context, event, scope) => {
  if (event.type !== "resolved") return;
  for (const actor of context.actors.values()) scope.send(actor, event);
};
const markCancelled: Do = (context) => {
  context.cancelled = true;
};
const timeOut: Do = (context) => expire(context);
const complete: Do = (context) => finish(context);
const end: Do = (context) => stop(context);

/** The block machine. */
export const blockMachine: Machine<BlockContext, BlockEvent, BlockInput> = machine<
  BlockContext,
  BlockEvent,
  BlockInput
>({
  id: "block",
  context: (input) => ({ ...input, actors: new Map(), plan: null }),
  initial: "opening",
  states: {
    opening: {
      entry: [watchTime, decide],
      always: [{ guard: ended, target: "done" }, { target: "running" }],
    },
    running: {
      entry: [startChildren],
      always: [
        { guard: stopped, target: "stopping" },
        { guard: finished, actions: [complete], target: "done" },
      ],
      on: {
        "child.done": [{ actions: [forgetChild, startChildren] }],
        cancel: [{ actions: [markCancelled], target: "stopping" }],
        time: [{ actions: [timeOut] }],
        resolved: [{ actions: [passOn] }],
      },
    },
    /** Nothing new starts. */
    stopping: {
      always: [
        { guard: sparesOthers, target: "sparing" },
        { actions: [cancelChildren], target: "cancelling" },
      ],
    },
    /** `on_failure: finish`: the others run to their own end, unless it is cancelled or out of time. */
    sparing: {
      always: [{ guard: settled, actions: [end], target: "done" }],
      on: {
        "child.done": [{ actions: [forgetChild] }],
        cancel: [{ actions: [markCancelled, cancelChildren], target: "cancelling" }],
        time: [{ actions: [cancelChildren], target: "cancelling" }],
        resolved: [{ actions: [passOn] }],
      },
    },
    /** It ends once every child has. */
    cancelling: {
      always: [{ guard: settled, actions: [end], target: "done" }],
      on: {
        "child.done": [{ actions: [forgetChild] }],
        resolved: [{ actions: [passOn] }],
      },
    },
    done: { final: true },
  },
});

function recordFor({ board, path, op }: BlockInput): StepRecord {
  const record = recordOf(board.state, path, op);
  if (record === undefined) throw new Error(`"${path}" has not started`);
  return record;
}

/** What `advance` came to: until a child ends, nothing changes it. */
function currentPlan(context: BlockContext): Plan {
  return context.plan ?? planFor(context);
}

function planFor(context: BlockContext): Plan {
  const { block, op, board, actors } = context;
  return planBlock(block, op, board.state, recordFor(context).branch, actors);
}

function ownDeadline(context: BlockInput): number | null {
  const { board, path, op, timeout } = context;
  const startedAt = recordOf(board.state, path, op)?.startedAt;
  return timeout === null || startedAt === undefined ? null : startedAt + timeout;
}

/** Decides a `switch`, once. */
function open(context: BlockInput): void {
  const { board, block, path, op } = context;
  const record = recordFor(context);
  if (block.kind !== "switch" || record.status !== "running") return;
  try {
    if (record.branch === undefined) {
      board.record({ kind: "branch_taken", path, op, branch: chooseBranch(board, block) });
    }
    if (record.branch === null) board.record({ kind: "step_skipped", path, op });
  } catch (thrown) {
    const failure = blockFailure(context, MaestroError.from(thrown));
    board.record({ kind: "step_failed", path, op, failure });
  }
}

function advance(context: BlockContext, start: (step: Step, cancelled: boolean) => void): void {
  const { board, path, op, actors } = context;
  for (let moved = true; moved;) {
    moved = false;
    const plan = planFor(context);
    context.plan = plan;
    if (plan.failure !== null && recordFor(context).failing === null) {
      board.record({ kind: "block_failing", path, op, failure: plan.failure });
    }
    const stopped = isStopped(context, plan);
    const due = [...plan.active.filter((step) => !actors.has(step.path))]; // after a restart
    if (!stopped) due.push(...plan.ready);
    for (const step of due) {
      moved = true;
      if (doInstantly(board, step, op)) break; // what it bound, or that it failed, changes what is due
      start(step, stopped && !sparesSiblings(context));
    }
  }
}

/** Nothing new starts. */
function isStopped(context: BlockInput, plan: Plan): boolean {
  return context.cancelled || plan.cancelled || recordFor(context).failing !== null;
}

/** `on_failure: finish` lets the others run, except when the block's own time is up or the whole is cancelled. */
function sparesSiblings(context: BlockInput): boolean {
  const { block, cancelled, path } = context;
  const { failing } = recordFor(context);
  if (block.kind !== "parallel" || block.onFailure !== "finish" || cancelled) return false;
  // A branch that ran out of its own time has failed like any other.
  return failing !== null && !(failing.code === "STEP_TIMEOUT" && failing.step === path);
}

function expire(context: BlockInput): void {
  const { board, path, op } = context;
  if (recordFor(context).failing !== null) return;
  const failure = blockFailure(context, stepTimeout(path));
  board.record({ kind: "block_failing", path, op, failure });
}

function finish(context: BlockContext): void {
  const { board, block, path, op } = context;
  const plan = currentPlan(context);
  const output = blockOutput(block, op, board.state, plan);
  const returns = plan.returned !== null;
  board.record({ kind: "step_completed", path, op, output, ...(returns && { returns }) });
}

function stop(context: BlockInput): void {
  const { board, path, op } = context;
  const { failing } = recordFor(context);
  if (failing !== null) board.record({ kind: "step_failed", path, op, failure: failing });
  else board.record({ kind: "step_cancelled", path, op, outcome: "not_sent" });
}

function blockFailure(
  { path }: BlockInput,
  cause: { readonly code: string; readonly message: string },
): Failure {
  return failureOf(cause, { path, attempts: 0, outcome: "not_sent" });
}

function childDeadline(context: BlockInput): number | null {
  return earliest(ownDeadline(context), context.deadline);
}

function callInput(
  context: BlockContext,
  step: Extract<Step, { kind: "call" }>,
  cancelled: boolean,
): CallInput {
  const { board, op } = context;
  const { path, timeout, idempotent, retry, ownCodes } = step;
  return {
    board,
    path,
    action: context.action ?? path,
    scope: path,
    target: step,
    rule: op === "action"
      ? { op, retry, idempotent, ownCodes }
      : { op, idempotent: true, ...board.workflow.saga },
    timeout,
    deadline: childDeadline(context),
    mayFinish: step.compensate !== null,
    cancelled,
  };
}

function blockInput(context: BlockContext, step: Step, cancelled: boolean): BlockInput {
  const { board, op } = context;
  if (step.kind !== "steps" && step.kind !== "parallel" && step.kind !== "switch") {
    throw new Error(`"${step.path}" is no block`);
  }
  return {
    board,
    block: step,
    path: step.path,
    action: context.action,
    op,
    timeout: step.timeout,
    deadline: childDeadline(context),
    cancelled,
  };
}
