import { eachStep, listsOf } from "../workflow/calls.ts";
import type { Step, Workflow } from "../workflow/model.ts";
import { placeOf, type Rounds } from "../workflow/rounds.ts";

/** A step in the rounds of the loops around it. */
export interface Located {
  readonly step: Step;
  readonly rounds: Rounds;
}

/** Finds steps by their paths in a run. */
export class Locator {
  readonly #steps = new Map<string, Step>();
  /** Of each step: the steps around it whose `catch` may take its failure, innermost first. */
  readonly #around = new Map<string, readonly Step[]>();

  constructor({ steps }: Workflow) {
    for (const step of eachStep(steps)) this.#steps.set(step.path, step);
    this.#walk(steps, []);
  }

  /** The step at a path, also one inside a compensation; `undefined` where there is none. */
  find(path: string): Located | undefined {
    const place = placeOf(path, (at) => this.#steps.has(at));
    const step = place && this.#steps.get(place.path);
    return place && step && { step, rounds: place.rounds };
  }

  /** The steps around a path that have a `catch`, innermost first, each in its rounds. */
  around(path: string): readonly Located[] {
    const place = placeOf(path, (at) => this.#steps.has(at));
    if (place === undefined) return [];
    return (this.#around.get(place.path) ?? []).map((step) => ({
      step,
      rounds: place.rounds.slice(0, step.path.split("[]").length - 1),
    }));
  }

  #walk(steps: readonly Step[], around: readonly Step[]): void {
    for (const step of steps) {
      this.#around.set(step.path, around);
      const inside = step.catch.length > 0 ? [step, ...around] : around;
      for (const list of listsOf(step)) this.#walk(list, inside);
      // What a `catch` does is not under it.
      for (const entry of step.catch) this.#walk(entry.steps, around);
    }
  }
}
