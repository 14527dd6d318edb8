/**
 * What a block should do next, read off the fold alone: which children are under way, which may
 * start, and whether it has come to an end.
 *
 * @module
 */
import type { BlockStep, ForeachStep, RepeatStep, Step, Template } from "../workflow/model.ts";
import { pathIn, type Rounds } from "../workflow/rounds.ts";
import type { Value } from "../workflow/value.ts";
import type { Failure } from "./failure.ts";
import type { Op } from "./facts.ts";
import { recordOf, type RunState, type StepRecord } from "./records.ts";

/** Steps one after the other: a group, a round, what a `catch` does, the root of a run. */
export interface Sequence {
  readonly kind: "steps";
  readonly steps: readonly Step[];
  /** Its output, and the key of what that sees; left out: the last step's. */
  readonly result?: { readonly template: Template; readonly key: string };
}

/** Anything that holds steps. */
export type Block = Sequence | Exclude<BlockStep, { kind: "steps" }>;

/** Something in a block that starts and ends as one. */
export interface Child {
  readonly path: string;
  readonly step: Step;
  /** It is this round of `step`; `null`: it is `step` itself. */
  readonly round: number | null;
}

/** A block's children, and where each stands. */
export interface Plan {
  /** Started and not ended. */
  readonly active: readonly Child[];
  /** May start now, in order. */
  readonly ready: readonly Child[];
  /** The first failure of a child, by the order of the facts. */
  readonly failure: Failure | null;
  /** A child has ended the run (`return`). */
  readonly returned: StepRecord | null;
  /** A child was cancelled, by what is around the block or by an operator: nothing more starts. */
  readonly cancelled: boolean;
  /** Everything there is has been done. */
  readonly finished: boolean;
}

/** A block as a plan looks at it. */
export interface Planned {
  readonly block: Block;
  readonly path: string;
  readonly op: Op;
  readonly rounds: Rounds;
  readonly state: RunState;
  /** The children that have an actor: they are under way even before their first fact. */
  readonly actors: { has(path: string): boolean };
}

const NOTHING: Plan = {
  active: [],
  ready: [],
  failure: null,
  returned: null,
  cancelled: false,
  finished: false,
};

/** Looks at a block of steps as its facts leave it; loops: {@linkcode planLoop}. */
export function planBlock(planned: Planned): Plan {
  const { block } = planned;
  switch (block.kind) {
    case "parallel":
      return planParallel(planned, block);
    case "foreach":
    case "repeat":
      throw new Error("A loop's plan is made of its rounds");
    default:
      return planSequence(planned, stepsIn(planned));
  }
}

/** The steps of a sequence, or of the branch that a `switch` took. */
function stepsIn({ block, state, path, op }: Planned): readonly Step[] {
  if (block.kind === "steps") return block.steps;
  const branch = recordOf(state, path, op)?.branch;
  return block.kind === "switch" && typeof branch === "number"
    ? block.branches[branch]?.steps ?? []
    : [];
}

/** In a sequence all before the last that has begun have settled: long ones are not walked anew. */
function planSequence(planned: Planned, steps: readonly Step[]): Plan {
  const { op, rounds, state, actors } = planned;
  const begun = countBegun(steps, op, state, rounds);
  const last = childOf(steps[begun - 1], rounds);
  const record = last && recordOf(state, last.path, op);
  const next = childOf(steps[begun], rounds);
  if (last !== undefined && record?.status === "running") return { ...NOTHING, active: [last] };
  if (record?.status === "failed") return { ...NOTHING, failure: record.failure };
  if (record?.status === "cancelled") return { ...NOTHING, cancelled: true };
  if (record?.returns) return { ...NOTHING, returned: record, finished: true };
  if (next === undefined) return { ...NOTHING, finished: true };
  return actors.has(next.path) ? { ...NOTHING, active: [next] } : { ...NOTHING, ready: [next] };
}

function childOf(step: Step | undefined, rounds: Rounds): Child | undefined {
  return step && { path: pathIn(step.path, rounds), step, round: null };
}

/** How many of these steps have begun, where each begins after the one before has ended. */
function countBegun(steps: readonly Step[], op: Op, state: RunState, rounds: Rounds): number {
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const step = steps[middle];
    if (step !== undefined && recordOf(state, pathIn(step.path, rounds), op) !== undefined) {
      low = middle + 1;
    } else high = middle;
  }
  return low;
}

function planParallel(
  { op, rounds, state, actors }: Planned,
  block: Extract<BlockStep, { kind: "parallel" }>,
): Plan {
  const active: Child[] = [];
  const waiting: Child[] = [];
  const settled = new Set<string>();
  let failed: StepRecord | null = null;
  let cancelled = false;
  for (const step of block.branches) {
    const child: Child = { path: pathIn(step.path, rounds), step, round: null };
    const record = recordOf(state, child.path, op);
    if (record === undefined) (actors.has(child.path) ? active : waiting).push(child);
    else if (record.status === "running") active.push(child);
    else if (record.status === "completed" || record.status === "skipped") settled.add(step.id);
    else if (record.status === "cancelled") cancelled = true;
    else if (isEarlier(record, failed)) failed = record;
  }
  const stopped = failed !== null || cancelled;
  return {
    active,
    ready: stopped ? [] : readyOf(block, waiting, active.length, settled),
    failure: failed?.failure ?? null,
    returned: null,
    cancelled,
    finished: active.length === 0 && settled.size === block.branches.length,
  };
}

function isEarlier(record: StepRecord, other: StepRecord | null): boolean {
  return other === null || (record.endedSeq ?? Infinity) < (other.endedSeq ?? Infinity);
}

function readyOf(
  block: Extract<BlockStep, { kind: "parallel" }>,
  waiting: readonly Child[],
  active: number,
  settled: ReadonlySet<string>,
): readonly Child[] {
  const ready = waiting.filter(({ step }) => step.needs.every((id) => settled.has(id)));
  return block.concurrency === null
    ? ready
    : ready.slice(0, Math.max(0, block.concurrency - active));
}

/** What a loop's rounds come to, and what is next. */
export interface LoopAhead {
  /** How many rounds there are; `null`: it is not known yet. */
  readonly total: number | null;
  /** At most this many at a time. */
  readonly concurrency: number;
  /** The next round may begin: the pause before it is over. */
  readonly mayBegin: boolean;
}

/** Looks at a loop as its facts leave it. */
export function planLoop(
  { path, op, state }: Planned,
  step: ForeachStep | RepeatStep,
  { total, concurrency, mayBegin }: LoopAhead,
): Plan {
  const rounds = recordOf(state, path, op)?.rounds;
  if (rounds === undefined) return NOTHING;
  const { begun, open, failed, cancelled, returned } = rounds;
  const roundAt = (round: number): Child => ({ path: `${path}[${round}]`, step, round });
  const active = [...open].sort((a, b) => a - b).map(roundAt);
  const stopped = failed !== null || cancelled || returned !== null;
  const free = stopped || !mayBegin ? 0 : concurrency - open.size;
  const last = Math.min(total ?? Infinity, begun + Math.max(0, free));
  const ready: Child[] = [];
  for (let round = begun; round < last; round++) ready.push(roundAt(round));
  return {
    active,
    ready,
    failure: failed,
    returned: returned === null ? null : recordOf(state, returned, op) ?? null,
    cancelled,
    finished: open.size === 0 && failed === null && !cancelled &&
      (returned !== null || begun === total),
  };
}

/** What a finished block yields. */
export function blockOutput({ block, path, op, rounds, state }: Planned, plan: Plan): Value {
  if (plan.returned !== null) return plan.returned.output ?? {};
  const outputAt = (at: string) => recordOf(state, at, op)?.output ?? {};
  switch (block.kind) {
    case "parallel":
      return Object.fromEntries(
        block.branches.map((branch) => [branch.id, outputAt(pathIn(branch.path, rounds))]),
      );
    case "foreach":
    case "repeat": {
      const { begun } = recordOf(state, path, op)?.rounds ?? { begun: 0 };
      if (block.kind === "repeat") return begun === 0 ? {} : outputAt(`${path}[${begun - 1}]`);
      return Array.from({ length: begun }, (_, round) => outputAt(`${path}[${round}]`));
    }
    default: {
      const last = stepsIn({ block, path, op, rounds, state, actors: new Set() }).at(-1);
      return last === undefined ? {} : outputAt(pathIn(last.path, rounds));
    }
  }
}
