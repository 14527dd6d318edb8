import type { CallStep, CallTarget, Step } from "./model.ts";

/** Every step, those inside blocks included; those of compensations only where `all` is set. */
export function* eachStep(steps: readonly Step[], all = true): Generator<Step> {
  for (const step of steps) {
    yield step;
    if (step.kind === "steps") yield* eachStep(step.steps, all);
    else if (step.kind === "parallel") yield* eachStep(step.branches, all);
    else if (step.kind === "switch") {
      for (const branch of step.branches) yield* eachStep(branch.steps, all);
    } else if (all && step.kind === "call" && step.compensate?.kind === "steps") {
      yield* eachStep(step.compensate.steps, all);
    }
  }
}

/** Everything that a workflow calls: its steps, and what undoes them. */
export function* eachTarget(steps: readonly Step[]): Generator<CallTarget> {
  for (const step of eachStep(steps)) {
    if (step.kind !== "call") continue;
    yield step;
    if (step.compensate?.kind === "call") yield step.compensate;
  }
}

/** A step that can be undone. */
export type Compensable = CallStep & { readonly compensate: NonNullable<CallStep["compensate"]> };

/** The forward steps that can be undone. */
export function* eachCompensable(steps: readonly Step[]): Generator<Compensable> {
  for (const step of eachStep(steps, false)) {
    if (step.kind === "call" && step.compensate !== null) {
      yield { ...step, compensate: step.compensate };
    }
  }
}
