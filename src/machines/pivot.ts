import { eachStep } from "../workflow/calls.ts";
import type { Workflow } from "../workflow/model.ts";
import type { Board } from "./board.ts";
import { recordOf } from "./records.ts";

const pivots = new WeakMap<Workflow, readonly string[]>();

/**
 * The step after which there is no way back, once it is passed or under way: then it may already have
 * happened. `null`: the run can still turn back.
 */
export function pivotOf({ workflow, state }: Pick<Board, "workflow" | "state">): string | null {
  if (state.pivot !== null) return state.pivot;
  let paths = pivots.get(workflow);
  if (paths === undefined) {
    paths = [...eachStep(workflow.steps)].filter((step) => step.kind === "call" && step.pivot)
      .map(({ path }) => path); // a pivot stands in no loop: its path is the same in a run
    pivots.set(workflow, paths);
  }
  return paths.find((path) => recordOf(state, path)?.status === "running") ?? null;
}
