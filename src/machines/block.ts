/**
 * A block of steps: a sequence, `parallel` or `switch`, the root of a run, or the steps of a
 * compensation. It starts its children in its order, hears them end, and cancels them; what it
 * does next it reads off the fold (`block_plan.ts`).
 *
 * @module
 */
import {
  type ActorLogic,
  type AnyActorRef,
  assign,
  enqueueActions,
  type EventObject,
  sendParent,
  setup,
  type Snapshot,
} from "xstate";
import type { Step } from "../workflow/model.ts";
import { type Block, blockOutput, type Plan, planBlock } from "./block_plan.ts";
import type { Board } from "./board.ts";
import { callMachine, type Cancel, type ChildEnded, type Resolved } from "./call.ts";
import { type CallInput, earliest, stepTimeout } from "./call_moves.ts";
import { type Time, timerEffect } from "./effects.ts";
import { type Failure, failureOf } from "./failure.ts";
import type { Op } from "./facts.ts";
import { recordOf, type StepRecord } from "./fold.ts";
import { recorded } from "./recorded.ts";
import { chooseBranch, doInstantly } from "./instant.ts";
import { MaestroError } from "../errors.ts";

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

interface Context extends BlockInput {
  /** The actors of the children under way, by path. */
  readonly actors: ReadonlyMap<string, AnyActorRef>;
}

/** The block machine. */
export const blockMachine = setup({
  types: {
    context: {} as Context,
    events: {} as ChildEnded | Cancel | Resolved | Time,
    input: {} as BlockInput,
  },
  actors: { timer: timerEffect },
  guards: {
    ended: ({ context }) => recordFor(context).status !== "running",
    stopped: ({ context }) => isStopped(context, planFor(context)),
    settled: ({ context }) => planFor(context).active.length === 0,
    finished: ({ context }) => planFor(context).finished,
    sparesSiblings: ({ context }) => sparesSiblings(context),
  },
  actions: {
    watchTime: enqueueActions(({ context, enqueue }) => {
      const dueAt = ownDeadline(context);
      if (dueAt !== null) enqueue.spawnChild("timer", { input: { board: context.board, dueAt } });
    }),
    open: assign(({ context }) => recorded(open(context))),
    /** Starts what may start, until nothing more may: what ends at once makes the next one due. */
    advance: assign(({ context, spawn }) => {
      const actors = new Map(context.actors);
      advance({ ...context, actors }, (step, cancelled) => {
        const ref: AnyActorRef = step.kind === "call"
          ? spawn(callMachine, { input: callInput(context, step, cancelled) })
          : spawn(blockLogic(), { input: blockInput(context, step, cancelled) });
        actors.set(step.path, ref);
      });
      return { actors };
    }),
    forgetChild: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== "child.ended") return;
      const actors = new Map(context.actors);
      const actor = actors.get(event.path);
      if (actor !== undefined) enqueue.stopChild(actor); // else XState keeps it for good
      actors.delete(event.path);
      enqueue.assign({ actors });
    }),
    cancelChildren: enqueueActions(({ context, enqueue }) => {
      for (const actor of context.actors.values()) enqueue.sendTo(actor, { type: "cancel" });
    }),
    passOn: enqueueActions(({ context, event, enqueue }) => {
      for (const actor of context.actors.values()) enqueue.sendTo(actor, event);
    }),
    markCancelled: assign({ cancelled: true }),
    timeOut: assign(({ context }) => recorded(timeOut(context))),
    complete: assign(({ context }) => recorded(complete(context))),
    end: assign(({ context }) => recorded(end(context))),
    tellParent: sendParent(({ context }): ChildEnded => ({
      type: "child.ended",
      path: context.path,
    })),
  },
}).createMachine({
  id: "block",
  context: ({ input }) => ({ ...input, actors: new Map() }),
  initial: "opening",
  states: {
    opening: {
      entry: ["watchTime", "open"],
      always: [{ guard: "ended", target: "done" }, { target: "running" }],
    },
    running: {
      entry: "advance",
      always: [
        { guard: "stopped", target: "stopping" },
        { guard: "finished", actions: "complete", target: "done" },
      ],
      on: {
        "child.ended": { actions: ["forgetChild", "advance"] },
        cancel: { actions: "markCancelled", target: "stopping" },
        time: { actions: "timeOut" },
        resolved: { actions: "passOn" },
      },
    },
    /** Nothing new starts; it ends once every child has. */
    stopping: {
      initial: "cancelling",
      always: { guard: "settled", actions: "end", target: "done" },
      on: {
        "child.ended": { actions: "forgetChild" },
        resolved: { actions: "passOn" },
      },
      states: {
        cancelling: {
          always: [{ guard: "sparesSiblings", target: "sparing" }, {
            actions: "cancelChildren",
            target: "cancelled",
          }],
        },
        /** `on_failure: finish`: the others run to their own end, unless it is cancelled or out of time. */
        sparing: {
          on: {
            cancel: { actions: ["markCancelled", "cancelChildren"], target: "cancelled" },
            time: { actions: "cancelChildren", target: "cancelled" },
          },
        },
        cancelled: {},
      },
    },
    done: { type: "final", entry: "tellParent" },
  },
});

function recordFor({ board, path, op }: BlockInput): StepRecord {
  const record = recordOf(board.state, path, op);
  if (record === undefined) throw new Error(`"${path}" has not started`);
  return record;
}

function planFor(context: Context): Plan {
  const { block, op, board, actors } = context;
  return planBlock(block, op, board.state, recordFor(context).branch, actors);
}

/** A block's children may be blocks: the one place where the machine's type can't be inferred. */
function blockLogic(): ActorLogic<Snapshot<unknown>, EventObject, BlockInput> {
  return blockMachine as unknown as ActorLogic<Snapshot<unknown>, EventObject, BlockInput>;
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

function advance(context: Context, start: (step: Step, cancelled: boolean) => void): void {
  const { board, path, op, actors } = context;
  for (let moved = true; moved;) {
    moved = false;
    const plan = planFor(context);
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

/** `on_failure: finish` lets the others run, except when time is up or the whole is cancelled. */
function sparesSiblings(context: BlockInput): boolean {
  const { block, cancelled } = context;
  const { failing } = recordFor(context);
  return block.kind === "parallel" && block.onFailure === "finish" && !cancelled &&
    failing !== null && failing.code !== "STEP_TIMEOUT";
}

function timeOut(context: BlockInput): void {
  const { board, path, op } = context;
  if (recordFor(context).failing !== null) return;
  const failure = blockFailure(context, stepTimeout(path));
  board.record({ kind: "block_failing", path, op, failure });
}

function complete(context: Context): void {
  const { board, block, path, op } = context;
  const plan = planFor(context);
  const output = blockOutput(block, op, board.state, plan);
  const returns = plan.returned !== null;
  board.record({ kind: "step_completed", path, op, output, ...(returns && { returns }) });
}

function end(context: BlockInput): void {
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
  context: Context,
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

function blockInput(context: Context, step: Step, cancelled: boolean): BlockInput {
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
