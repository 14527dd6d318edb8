import { eachStep } from "../workflow/calls.ts";
import type { Workflow } from "../workflow/model.ts";
import type { Board } from "./board.ts";
import type { Fact } from "./facts.ts";
import { recordOf } from "./records.ts";

const pivots = new WeakMap<Workflow, readonly string[]>();

/**
 * The step after which there is no way back, once it is passed or under way: then it may already have
 * happened. `null`: the run can still turn back.
 */
export function pivotOf({ workflow, state }: Pick<Board, "workflow" | "state">): string | null {
  if (state.pivot !== null) return state.pivot;
  return pathsOf(workflow).find((path) => {
    const record = recordOf(state, path);
    return record?.status === "running" && record.effect === null; // what its `catch` does is no pivot
  }) ?? null;
}

/** Whether a fact says that a pivot has not happened: there is a way back again. */
export function missesPivot(workflow: Workflow, fact: Fact): boolean {
  switch (fact.kind) {
    case "step_failed":
    case "step_caught":
    case "step_cancelled":
      return fact.op === "action" && !fact.pivot && pathsOf(workflow).includes(fact.path);
    default:
      return false;
  }
}

function pathsOf(workflow: Workflow): readonly string[] {
  let paths = pivots.get(workflow);
  if (paths === undefined) {
    paths = [...eachStep(workflow.steps)].filter((step) => step.kind === "call" && step.pivot)
      .map(({ path }) => path); // a pivot stands in no loop: its path is the same in a run
    pivots.set(workflow, paths);
  }
  return paths;
}
