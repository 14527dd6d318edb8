/**
 * Which pivots a run has passed when a step fails, as far as that can be told without running it.
 *
 * @module
 */
import type { Step } from "./model.ts";

/** A pivot that comes before a failure. */
export interface Passed {
  /** The path of the pivot, or of the child run that has one. */
  readonly step: string;
  /**
   * `always`; `perhaps`: it may have been skipped, or the step failed before it; `unknown`: it is the step
   * itself, and is passed where its outcome is unknown.
   */
  readonly when: "always" | "perhaps" | "unknown";
}

/** The pivot that a failed step itself may have passed. */
export function ownPivot(step: Step): Passed | null {
  if (step.kind === "call") { // a `verify` leaves nothing unknown
    return step.pivot && step.verify === null ? { step: step.path, when: "unknown" } : null;
  }
  const inside = pivotIn(step);
  return inside && { ...inside, when: "perhaps" };
}

/** The pivot that a step which has come to its end has passed. */
export function passedBy(step: Step): Passed | null {
  const isSurely = step.when === null && step.catch.length === 0;
  const lists = step.catch.map(({ steps }) => pivotAmong(steps));
  const passed = [pivotIn(step), ...lists].reduce(stronger, null);
  return passed === null || isSurely ? passed : { ...passed, when: "perhaps" };
}

function pivotIn(step: Step): Passed | null {
  switch (step.kind) {
    case "call":
      return step.pivot ? { step: step.path, when: "always" } : null;
    case "workflow": {
      const inside = pivotAmong(step.workflow.steps);
      return inside && { step: step.path, when: inside.when };
    }
    case "steps":
      return pivotAmong(step.steps);
    case "switch": {
      for (const { steps } of step.branches) {
        const inside = pivotAmong(steps);
        if (inside !== null) return { ...inside, when: "perhaps" };
      }
      return null;
    }
    case "parallel":
      return pivotAmong(step.branches); // through a child run
    case "foreach": {
      const inside = pivotAmong(step.steps);
      return inside && { ...inside, when: "perhaps" };
    }
    case "repeat":
      return pivotAmong(step.steps);
    default:
      return null;
  }
}

function pivotAmong(steps: readonly Step[]): Passed | null {
  return steps.map(passedBy).reduce(stronger, null);
}

/** Of two pivots the one that is the more certain. */
export function stronger(a: Passed | null, b: Passed | null): Passed | null {
  if (a === null || b?.when === "always" && a.when !== "always") return b ?? a;
  return a;
}
