import type { CallStep, CallTarget, ChildStep, SequenceStep, Step, Workflow } from "./model.ts";

/**
 * Every step, those inside blocks and of `catch` included; those of compensations only where `all` is
 * set. A child workflow's steps are its own.
 */
export function* eachStep(steps: readonly Step[], all = true): Generator<Step> {
  for (const step of steps) {
    yield step;
    for (const list of listsIn(step)) yield* eachStep(list, all);
    if (all && "compensate" in step && step.compensate?.kind === "steps") {
      yield* eachStep(step.compensate.steps, all);
    }
  }
}

/** The lists of steps inside a step: those that it is made of, then those of its `catch`. */
export function* listsIn(step: Step): Generator<readonly Step[]> {
  yield* listsOf(step);
  for (const entry of step.catch) yield entry.steps;
}

/** The lists of steps that a block is made of. */
export function listsOf(
  step: Step | Pick<SequenceStep, "kind" | "steps">,
): readonly (readonly Step[])[] {
  switch (step.kind) {
    case "steps":
    case "foreach":
    case "repeat":
      return [step.steps];
    case "parallel":
      return [step.branches];
    case "switch":
      return step.branches.map(({ steps }) => steps);
    default:
      return [];
  }
}

/** Everything that a workflow itself calls: its steps, what undoes them, and what settles them. */
export function* eachTarget(steps: readonly Step[]): Generator<CallTarget> {
  for (const step of eachStep(steps)) {
    if (step.kind === "call") {
      yield step;
      if (step.verify !== null) yield step.verify;
    }
    if ("compensate" in step && step.compensate?.kind === "call") yield step.compensate;
  }
}

/** The child workflows, directly or through others, each once. */
export function* eachChild({ steps }: Workflow, seen = new Set<Workflow>()): Generator<Workflow> {
  for (const step of eachStep(steps)) {
    if (step.kind !== "workflow" || seen.has(step.workflow)) continue;
    seen.add(step.workflow);
    yield step.workflow;
    yield* eachChild(step.workflow, seen);
  }
}

/** A step that can be undone. */
export type Compensable = (CallStep | ChildStep) & {
  readonly compensate: NonNullable<CallStep["compensate"]>;
};

/** The forward steps that say themselves how they are undone. */
export function* eachCompensable(steps: readonly Step[]): Generator<Compensable> {
  for (const step of eachStep(steps, false)) {
    if ("compensate" in step && step.compensate !== null) {
      yield { ...step, compensate: step.compensate };
    }
  }
}

/** The names of the services of a workflow and of its children. */
export function serviceNames(workflow: Workflow): ReadonlySet<string> {
  const all = [workflow, ...eachChild(workflow)];
  return new Set(all.flatMap(({ services }) => Object.keys(services)));
}
