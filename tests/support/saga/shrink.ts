/** Makes a failing workflow smaller, so that one can see why it fails. */
import type { Step, Tree } from "./tree.ts";

/** A smaller workflow that fails too. */
export interface Smaller {
  readonly tree: Tree;
  readonly failure: unknown;
}

/** Leaves out steps, and what steps carry, as long as the rest still fails; at most so many tries. */
export async function* smaller(
  tree: Tree,
  failureOf: (tree: Tree) => Promise<unknown>,
  tries = 300,
): AsyncGenerator<Smaller> {
  let least = tree;
  for (let again = true; again;) {
    again = false;
    for (const steps of without(least.steps)) {
      if (tries-- === 0) return;
      const next = { ...least, steps };
      const failure = await failureOf(next);
      if (failure === null) continue;
      yield { tree: least = next, failure };
      again = true;
      break;
    }
  }
}

/** The list with one thing less, in every way. */
function* without(steps: readonly Step[]): Generator<readonly Step[]> {
  for (const [at, step] of steps.entries()) {
    const others = steps.filter((_, index) => index !== at);
    const unneeded = others.every(({ needs }) => !needs.includes(step.id));
    if (steps.length > 1 && unneeded) yield others;
    for (const next of simpler(step)) yield steps.with(at, next);
  }
}

function* simpler(step: Step): Generator<Step> {
  if (step.catch.length > 0) yield { ...step, catch: [] };
  for (const [at, entry] of step.catch.entries()) {
    for (const steps of without(entry.steps)) {
      yield { ...step, catch: step.catch.with(at, { ...entry, steps }) };
    }
  }
  switch (step.kind) {
    case "steps":
    case "foreach":
    case "repeat":
      for (const steps of without(step.steps)) yield { ...step, steps };
      break;
    case "parallel":
      for (const branches of without(step.branches)) yield { ...step, branches };
      break;
    case "switch":
      for (const [at, branch] of step.branches.entries()) {
        for (const steps of without(branch.steps)) {
          yield { ...step, branches: step.branches.with(at, { ...branch, steps }) };
        }
      }
      break;
    case "workflow":
      for (const steps of without(step.tree.steps)) {
        yield { ...step, tree: { ...step.tree, steps } };
      }
  }
}
