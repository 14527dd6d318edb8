/**
 * What has to be undone, in which order: a view of where a run stands, for whoever asks.
 *
 * @module
 */
import type { CallTarget, Step } from "../workflow/model.ts";
import type { Board } from "./board.ts";
import type { Located } from "./located.ts";
import type { Outcome } from "./outcome.ts";
import { recordOf, type RunState } from "./records.ts";

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
export function countUndone(plan: readonly Undo[], state: RunState, from: number): number {
  let undone = from;
  for (let undo = plan[undone]; undo !== undefined; undo = plan[++undone]) {
    const status = recordOf(state, undo.path, "compensate")?.status;
    if (status !== "completed" && status !== "skipped") break;
  }
  return undone;
}

/** What is next where the first `undone` are undone; `null` as for {@linkcode nextCompensation}. */
export function nextFrom(plan: readonly Undo[], state: RunState, undone: number): Undo | null {
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
