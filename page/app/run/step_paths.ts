import type { StepNode } from "../../../src/server/step_tree.ts";

/** A workflow's steps by path; those of loops with their rounds left open (`ship[].label`). */
export type StepIndex = ReadonlyMap<string, StepNode>;

/** Every step of a tree, those of branches, catches and compensations too. */
export function indexSteps(steps: readonly StepNode[]): StepIndex {
  const index = new Map<string, StepNode>();
  const add = (step: StepNode) => {
    index.set(step.path, step);
    for (const { steps } of [...step.groups, ...step.catches]) steps.forEach(add);
    if (step.compensate !== null && "steps" in step.compensate) step.compensate.steps.forEach(add);
  };
  steps.forEach(add);
  return index;
}

/**
 * The path by which the workflow knows a run's step: `ship[3].label` is `ship[].label`, but
 * `tier.switch[0].perks` is what it is. `null`: no step has it.
 */
export function openPath(index: StepIndex, path: string): string | null {
  if (index.has(path)) return path;
  const known = found.get(index) ?? new Map<string, string | null>();
  found.set(index, known);
  const before = known.get(path);
  if (before !== undefined) return before;
  const open = findOpenPath(index, path);
  known.set(path, open);
  return open;
}

/** A run with thousands of steps is drawn many times a second. */
const found = new WeakMap<StepIndex, Map<string, string | null>>();

function findOpenPath(index: StepIndex, path: string): string | null {
  const parts = path.split(/\[\d+\]/);
  const numbers = path.match(/\[\d+\]/g) ?? [];
  if (numbers.length > MOST_NUMBERS) return null;
  for (let choice = 1; choice < 1 << numbers.length; choice++) {
    const text = parts.map((part, at) =>
      part + (at === numbers.length ? "" : (choice >> at) & 1 ? "[]" : numbers[at])
    ).join("");
    if (index.has(text)) return text;
  }
  return null;
}

/** Deeper than anybody nests. */
const MOST_NUMBERS = 10;
