/**
 * What a block should do next, read off the fold alone: which children are under way, which may
 * start, and whether it has come to an end.
 *
 * @module
 */
import type { BlockStep, Step } from "../workflow/model.ts";
import type { Value } from "../workflow/value.ts";
import type { Failure } from "./failure.ts";
import type { Op } from "./facts.ts";
import { countBegun, recordOf, type RunState, type StepRecord } from "./fold.ts";

/** Anything that holds steps: a block of the workflow, its root, or the steps of a compensation. */
export type Block =
  | Pick<Extract<BlockStep, { kind: "steps" }>, "kind" | "steps">
  | Extract<BlockStep, { kind: "parallel" | "switch" }>;

/** A block's children, and where each stands. */
export interface Plan {
  readonly children: readonly Step[];
  /** Started and not ended. */
  readonly active: readonly Step[];
  /** May start now, in order. */
  readonly ready: readonly Step[];
  /** The first failure of a child, by the order of the facts. */
  readonly failure: Failure | null;
  /** A child has ended the run (`return`). */
  readonly returned: StepRecord | null;
  /** A child was cancelled, by what is around the block or by an operator: nothing more starts. */
  readonly cancelled: boolean;
  /** Everything there is has been done. */
  readonly finished: boolean;
}

/**
 * Looks at a block as its facts leave it.
 *
 * @param branch the branch that a `switch` took
 * @param actors the children that have an actor: they are under way even before their first fact
 */
export function planBlock(
  block: Block,
  op: Op,
  state: RunState,
  branch: number | null | undefined,
  actors: { has(path: string): boolean },
): Plan {
  const children = childrenOf(block, branch);
  return block.kind === "parallel"
    ? planParallel(block, children, op, state, actors)
    : planSequence(children, op, state, actors);
}

const NONE: readonly Step[] = [];

/** In a sequence all before the last that has begun have settled: long ones are not walked anew. */
function planSequence(
  children: readonly Step[],
  op: Op,
  state: RunState,
  actors: { has(path: string): boolean },
): Plan {
  const begun = countBegun(children, op, state);
  const last = children[begun - 1];
  const record = last && recordOf(state, last.path, op);
  const next = children[begun];
  const plan = {
    children,
    active: NONE,
    ready: NONE,
    failure: null,
    returned: null,
    cancelled: false,
    finished: false,
  };
  if (last !== undefined && record?.status === "running") return { ...plan, active: [last] };
  if (record?.status === "failed") return { ...plan, failure: record.failure };
  if (record?.status === "cancelled") return { ...plan, cancelled: true };
  if (record?.returns) return { ...plan, returned: record, finished: true };
  if (next === undefined) return { ...plan, finished: true };
  return actors.has(next.path) ? { ...plan, active: [next] } : { ...plan, ready: [next] };
}

function planParallel(
  block: Extract<BlockStep, { kind: "parallel" }>,
  children: readonly Step[],
  op: Op,
  state: RunState,
  actors: { has(path: string): boolean },
): Plan {
  const active: Step[] = [];
  const waiting: Step[] = [];
  const settled = new Set<string>();
  let failed: StepRecord | null = null;
  let cancelled = false;
  for (const child of children) {
    const record = recordOf(state, child.path, op);
    if (record === undefined) (actors.has(child.path) ? active : waiting).push(child);
    else if (record.status === "running") active.push(child);
    else if (record.status === "completed" || record.status === "skipped") settled.add(child.id);
    else if (record.status === "cancelled") cancelled = true;
    else if (isEarlier(record, failed)) failed = record;
  }
  const stopped = failed !== null || cancelled;
  return {
    children,
    active,
    ready: stopped ? NONE : readyOf(block, waiting, active.length, settled),
    failure: failed?.failure ?? null,
    returned: null,
    cancelled,
    finished: active.length === 0 && settled.size === children.length,
  };
}

function isEarlier(record: StepRecord, other: StepRecord | null): boolean {
  return other === null || (record.endedSeq ?? Infinity) < (other.endedSeq ?? Infinity);
}

function childrenOf(block: Block, branch: number | null | undefined): readonly Step[] {
  switch (block.kind) {
    case "steps":
      return block.steps;
    case "parallel":
      return block.branches;
    case "switch":
      return typeof branch === "number" ? block.branches[branch]?.steps ?? [] : [];
  }
}

function readyOf(
  block: Extract<BlockStep, { kind: "parallel" }>,
  waiting: readonly Step[],
  active: number,
  settled: ReadonlySet<string>,
): readonly Step[] {
  const ready = waiting.filter((step) => step.needs.every((id) => settled.has(id)));
  return block.concurrency === null
    ? ready
    : ready.slice(0, Math.max(0, block.concurrency - active));
}

/** What a finished block yields: the last step's output, or a map of the branches' by id. */
export function blockOutput(block: Block, op: Op, state: RunState, plan: Plan): Value {
  if (plan.returned !== null) return plan.returned.output ?? {};
  if (block.kind !== "parallel") {
    const last = plan.children.at(-1);
    return (last && recordOf(state, last.path, op)?.output) ?? {};
  }
  return Object.fromEntries(
    plan.children.map((child) => [child.id, recordOf(state, child.path, op)?.output ?? {}]),
  );
}
