/**
 * What a block does at each turn, as functions over its context: they read the fold and record
 * facts. The order in which they happen is the machine's (`block.ts`).
 *
 * @module
 */
import { MaestroError } from "../errors.ts";
import type { Step } from "../workflow/model.ts";
import type { Rounds } from "../workflow/rounds.ts";
import {
  type Block,
  blockOutput,
  type Child,
  type LoopAhead,
  type Plan,
  planBlock,
  planLoop,
  type Planned,
} from "./block_plan.ts";
import type { Board, Deadline } from "./board.ts";
import type { Cancel, Resolved, Signalled } from "./told.ts";
import { stepTimeout } from "./call_moves.ts";
import { failStep } from "./failing.ts";
import { type Failure, failureOf } from "./failure.ts";
import type { Op } from "./facts.ts";
import { recordOf, type StepRecord } from "./records.ts";
import { chooseBranch, doInstantly } from "./instant.ts";
import type { Receiver } from "./machine.ts";
import { evaluate, evaluateWhen } from "./names.ts";
import { outcomeInside } from "./outcome_inside.ts";

/**
 * After so many rounds a `repeat` waits for the clock even without `every`: rounds that call nobody
 * would otherwise keep timers, signals and other runs from their turn for ever.
 */
const BREATH = 100;

/** What a block actor is made with. */
export interface BlockInput {
  readonly board: Board;
  readonly block: Block;
  /** The step that it is; `null`: the root of the run, a round, or the steps of a compensation or `catch`. */
  readonly step: Step | null;
  readonly path: string;
  /** The rounds of the loops around its steps. */
  readonly rounds: Rounds;
  /** The path of the action that a group of compensating steps is about; `null`: each is its own. */
  readonly action: string | null;
  readonly op: Op;
  readonly timeout: number | null;
  /** When an enclosing block is out of time; the run: `runDeadline()`. */
  readonly deadline: Deadline;
  /** What is around it is failing already: only after a restart. */
  readonly cancelled: boolean;
}

/** What a block actor holds besides the fold. */
export interface BlockContext extends Omit<BlockInput, "cancelled"> {
  /** What is around it is failing, or the run is to stop. */
  cancelled: boolean;
  /** The actors of the children under way, by path. */
  readonly actors: Map<string, Receiver<Cancel | Resolved | Signalled>>;
  /** As it was when all that may start had been started. */
  plan: Plan | null;
  /** The round before which the pause is over. */
  paused: number | null;
  /** What `until` came to after so many rounds: it is asked once. */
  decided: { readonly after: number; readonly done: boolean } | null;
  /** Ends waiting for its own deadline. */
  unwatch: () => void;
}

/** The block's record. */
export function recordFor(
  { board, path, op }: Pick<BlockInput, "board" | "path" | "op">,
): StepRecord {
  const record = recordOf(board.state, path, op);
  if (record === undefined) throw new Error(`"${path}" has not started`);
  return record;
}

/** What `advance` came to: until a child ends, nothing changes it. */
export function currentPlan(context: BlockContext): Plan {
  return context.plan ?? planFor(context).plan;
}

interface Ahead {
  readonly plan: Plan;
  /** Why a loop can't go on. */
  readonly failure: Failure | null;
  /** When the next round of a `repeat` may begin, where it has to wait. */
  readonly pauseUntil: number | null;
}

function planFor(context: BlockContext): Ahead {
  const { block } = context;
  const planned = plannedOf(context);
  if (block.kind !== "foreach" && block.kind !== "repeat") {
    return { plan: planBlock(planned), failure: null, pauseUntil: null };
  }
  const ahead = lookAhead(context);
  return {
    plan: planLoop(planned, block, ahead),
    failure: ahead.failure ?? null,
    pauseUntil: ahead.pauseUntil ?? null,
  };
}

function plannedOf({ block, path, op, rounds, board, actors }: BlockContext): Planned {
  return { block, path, op, rounds, state: board.state, actors };
}

interface LoopView extends LoopAhead {
  readonly failure?: Failure;
  readonly pauseUntil?: number;
}

/** How many rounds a loop has, as far as that is known. */
function lookAhead(context: BlockContext): LoopView {
  const { block, board, path, op } = context;
  const { rounds, input } = recordFor(context);
  const { begun, before, open, failed, cancelled, returned } = rounds;
  if (block.kind === "foreach") {
    const total = Array.isArray(input) ? input.length : 0;
    return { total, concurrency: block.concurrency, mayBegin: true };
  }
  if (block.kind !== "repeat") throw new Error(`"${path}" is no loop`);
  const waiting = { total: null, concurrency: 1, mayBegin: false };
  if (begun === 0) return { ...waiting, mayBegin: true };
  if (open.size > 0 || failed !== null || cancelled || returned !== null) return waiting;
  const last = recordOf(board.state, `${path}[${begun - 1}]`, op);
  if (last === undefined) return waiting;
  try {
    if (isDone(context, begun)) return { ...waiting, total: begun };
  } catch (thrown) {
    return { ...waiting, failure: blockFailure(context, MaestroError.from(thrown)) };
  }
  if (block.maxRounds !== null && begun - before >= block.maxRounds) {
    const message =
      `"${path}" was repeated ${begun - before} times, its "max_rounds", and its "until" ` +
      "is not true yet";
    return { ...waiting, failure: blockFailure(context, { code: "REPEAT_EXHAUSTED", message }) };
  }
  const goesOn = block.every === 0 && begun % BREATH !== 0;
  if (goesOn || context.paused === begun) return { ...waiting, mayBegin: true };
  return { ...waiting, pauseUntil: (last.endedAt ?? last.startedAt) + block.every };
}

/** Asks `until`, once after each round. */
function isDone(context: BlockContext, begun: number): boolean {
  const { block, board, rounds } = context;
  if (context.decided?.after === begun) return context.decided.done;
  if (block.kind !== "repeat") return false;
  const scope = { key: `${block.path}[]/until`, rounds: [...rounds, begun - 1] };
  const done = evaluateWhen(board, scope, block.until);
  context.decided = { after: begun, done };
  return done;
}

/** When the block's own time is up: that of what is parked inside counts for nothing. */
export function ownDeadline(context: BlockInput | BlockContext): number | null {
  const { board, path, op, timeout } = context;
  const record = recordOf(board.state, path, op);
  if (timeout === null || record === undefined || record.parkedInside > 0) return null;
  return record.tryingSince + record.parkedFor + timeout;
}

/** Decides a `switch`, once. */
export function open(context: BlockContext): void {
  const { board, block, path, op, rounds } = context;
  const record = recordFor(context);
  if (block.kind !== "switch" || record.status !== "running" || record.caught !== null) return;
  try {
    if (record.branch === undefined) {
      const branch = chooseBranch(board, block, rounds);
      board.record({ kind: "branch_taken", path, op, branch });
    }
    if (record.branch === null) board.record({ kind: "step_skipped", path, op });
  } catch (thrown) {
    failStep(context, blockFailure(context, MaestroError.from(thrown)));
  }
}

/**
 * Starts what is due.
 *
 * @returns when the next round of a `repeat` may begin; `null`: nothing has to be waited for
 */
export function advance(
  context: BlockContext,
  start: (child: Child, cancelled: boolean) => void,
): number | null {
  const { board, path, op, rounds, actors } = context;
  for (;;) {
    const { plan, failure, pauseUntil } = planFor(context);
    context.plan = plan;
    const failed = plan.failure ?? failure;
    if (failed !== null && recordFor(context).failing === null) {
      board.record({ kind: "block_failing", path, op, failure: failed });
    }
    const stopped = isStopped(context, plan);
    const due = plan.active.filter((child) => !actors.has(child.path)); // after a restart, or caught
    if (!stopped) due.push(...plan.ready);
    if (due.length === 0) return stopped ? null : pauseUntil;
    for (const child of due) {
      // What it bound, or that it failed, changes what is due.
      if (doInstantly(board, child, op, rounds)) break;
      start(child, stopped && !sparesSiblings(context));
    }
  }
}

/** Nothing new starts. */
export function isStopped(context: BlockContext, plan: Plan): boolean {
  return context.cancelled || plan.cancelled || recordFor(context).failing !== null;
}

/** `on_failure: finish` lets the others run, except when the block's own time is up or the whole is cancelled. */
export function sparesSiblings(context: BlockContext): boolean {
  const { block, cancelled, path } = context;
  const { failing } = recordFor(context);
  if (cancelled || failing === null) return false;
  // A branch that ran out of its own time has failed like any other.
  if (failing.code === "STEP_TIMEOUT" && failing.step === path) return false;
  if (block.kind !== "parallel" && block.kind !== "foreach") return false;
  return block.onFailure === "finish";
}

/** Its time is up. */
export function expire(context: BlockContext): void {
  const { board, path, op } = context;
  if (recordFor(context).failing !== null) return;
  const failure = blockFailure(context, stepTimeout(path));
  board.record({ kind: "block_failing", path, op, failure });
}

/** Ends it as completed. */
export function finish(context: BlockContext): void {
  const { board, block, path, op, rounds } = context;
  const plan = currentPlan(context);
  const returns = plan.returned !== null;
  try {
    const output = block.kind === "steps" && block.result !== undefined && !returns
      ? evaluate(board, { key: block.result.key, rounds }, block.result.template)
      : blockOutput(plannedOf(context), plan);
    board.record({ kind: "step_completed", path, op, output, ...(returns && { returns }) });
  } catch (thrown) {
    failStep(context, blockFailure(context, MaestroError.from(thrown)));
  }
}

/** Ends it as failed or cancelled, once every child has ended. */
export function stop(context: BlockContext): void {
  const { failing } = recordFor(context);
  if (failing === null) return cancel(context);
  // What was under way when it failed by itself has come to something since.
  const isOwn = failing.step === context.path;
  failStep(context, isOwn ? blockFailure(context, failing) : failing);
}

/** Ends it as cancelled. */
export function cancel(context: BlockContext): void {
  const { board, path, op } = context;
  const outcome = outcomeInside(plannedOf(context));
  board.record({ kind: "step_cancelled", path, op, outcome });
}

/** The failure of the block itself, not of a step inside it. */
function blockFailure(
  context: BlockContext,
  cause: { readonly code: string; readonly message: string },
): Failure {
  const outcome = outcomeInside(plannedOf(context));
  return failureOf(cause, { path: context.path, attempts: 0, outcome });
}
