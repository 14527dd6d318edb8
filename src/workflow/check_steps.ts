/**
 * What the steps' structure gets wrong: ids, names, `needs`, `return`.
 *
 * @module
 */
import type { Problem } from "../errors.ts";
import type { ParallelStep, Step, Workflow } from "./model.ts";
import { didYouMean } from "./nearest.ts";
import { problemAt, warningAt } from "./problems.ts";
import { type Binding, bindingsOf } from "./scope.ts";
import type { StepPlaces } from "./step_places.ts";

/** What the checks of a whole workflow go by. */
export interface CheckContext {
  readonly workflow: Workflow;
  readonly where: StepPlaces;
  /** Names of steps that have problems of their own. */
  readonly forgiven: ReadonlySet<string>;
}

/** Checks the tree of steps. */
export function checkSteps(context: CheckContext): readonly Problem[] {
  const check = new StepCheck(context);
  check.list(context.workflow.steps, NOWHERE);
  return check.problems;
}

interface Surroundings {
  readonly inParallel: boolean;
  readonly inCompensation: boolean;
}

const NOWHERE: Surroundings = { inParallel: false, inCompensation: false };

class StepCheck {
  readonly problems: Problem[] = [];
  readonly #ids = new Map<string, number>();

  constructor(readonly context: CheckContext) {}

  list(steps: readonly Step[], around: Surroundings): void {
    this.#boundOnce(steps);
    let ended: Step | null = null;
    for (const step of steps) {
      if (ended !== null) {
        const message = `Never reached: "${ended.kind}" at line ${ended.place.line} comes first`;
        this.problems.push(warningAt(step.place, "unreachable", message));
        ended = null; // once is enough
      } else if ((step.kind === "return" || step.kind === "fail") && step.when === null) {
        ended = step;
      }
      if (step.needs.length > 0) {
        const message = '"needs" is for steps inside "parallel": steps of a list come in order';
        this.#error(step, ["needs"], "needs_outside_parallel", message, "key");
      }
      this.#step(step, around);
    }
  }

  #step(step: Step, around: Surroundings): void {
    if (!step.id.includes("[")) this.#uniqueId(step);
    switch (step.kind) {
      case "steps":
        return this.list(step.steps, around);
      case "parallel":
        return this.#parallel(step, around);
      case "switch":
        for (const { steps } of step.branches) this.list(steps, around);
        return;
      case "return":
        return this.#return(step, around);
      case "call":
        if (around.inCompensation) this.#compensating(step);
        else if (step.compensate?.kind === "steps") {
          this.list(step.compensate.steps, { inParallel: false, inCompensation: true });
        }
    }
  }

  /** A call that undoes something is tried until it succeeds: what says otherwise has no place in it. */
  #compensating(step: Step): void {
    for (const key of ["compensate", "idempotent", "retry", "timeout"]) {
      if (this.context.where.get(step.path, key) === undefined) continue;
      const message = key === "compensate"
        ? "Cannot compensate inside a compensation: it is tried until it succeeds"
        : `Cannot set "${key}" inside a compensation: it is tried until it succeeds, as the workflow's "saga" says`;
      this.#error(step, [key], "nested_compensation", message, "key");
    }
  }

  #return(step: Step, { inParallel, inCompensation }: Surroundings): void {
    const inside = inParallel ? '"parallel"' : inCompensation ? "a compensation" : null;
    if (inside === null) return;
    const message = `Cannot return from inside ${inside}: it would leave the rest unfinished`;
    this.#error(step, ["return"], "return_inside", message, "key");
  }

  #parallel(block: ParallelStep, around: Surroundings): void {
    const byId = new Map(block.branches.map((branch) => [branch.id, branch]));
    for (const branch of block.branches) {
      branch.needs.forEach((id, at) => this.#need(branch, id, at, byId));
      this.#step(branch, { ...around, inParallel: true });
    }
    const circle = findCircle(block.branches, byId);
    const [first] = circle;
    if (first === undefined) return;
    const message = `The steps need each other: ${
      [...circle, first].map(({ id }) => id).join(" → ")
    }`;
    this.#error(first, ["needs"], "needs_circle", message);
  }

  #need(branch: Step, id: string, at: number, byId: ReadonlyMap<string, Step>): void {
    if (id === branch.id) {
      return this.#error(branch, ["needs", at], "needs_circle", `"${id}" needs itself`);
    }
    if (byId.has(id) || this.context.forgiven.has(id)) return;
    const ids = [...byId.keys()].filter((sibling) =>
      !sibling.includes("[") && sibling !== branch.id
    );
    const hint = didYouMean(id, ids) ||
      (ids.length === 0 ? "; no sibling has an id" : `; there is ${ids.join(", ")}`);
    const message = `"needs" names a step of the same "parallel", not "${id}"${hint}`;
    this.#error(branch, ["needs", at], "unknown_need", message);
  }

  #uniqueId(step: Step): void {
    const first = this.#ids.get(step.id);
    if (first === undefined) {
      this.#ids.set(step.id, step.place.line);
      return;
    }
    const message = `Two steps have the id "${step.id}": the first is at line ${first}`;
    this.#error(step, ["id"], "duplicate_id", message);
  }

  /** A name is bound once per scope; a step's id is told of by {@linkcode StepCheck.#uniqueId}. */
  #boundOnce(steps: readonly Step[]): void {
    const bound = new Map<string, Binding>();
    for (const step of steps) {
      for (const [name, binding] of bindingsOf(step)) {
        const first = bound.get(name);
        bound.set(name, first ?? binding);
        if (first === undefined || this.#isSameId(name, binding, first)) continue;
        const { where } = this.context;
        const { line } = where.bound(first);
        const message = `The name "${name}" is bound twice: first at line ${line}`;
        this.problems.push(problemAt(where.bound(binding), "duplicate_name", message));
      }
    }
  }

  #isSameId(name: string, ...bindings: readonly Binding[]): boolean {
    return bindings.every(({ path }) => this.context.where.get(path, "id") === name);
  }

  #error(
    step: Step,
    part: readonly PropertyKey[],
    code: string,
    message: string,
    at: "key" | "value" = "value",
  ): void {
    this.problems.push(problemAt(this.context.where[at](step.path, ...part), code, message));
  }
}

/** Steps that need each other in a circle, in order; none where there is no circle. */
function findCircle(
  branches: readonly Step[],
  byId: ReadonlyMap<string, Step>,
): readonly Step[] {
  const done = new Set<Step>();
  const visit = (step: Step, trail: readonly Step[]): readonly Step[] => {
    const at = trail.indexOf(step);
    if (at !== -1) return trail.slice(at);
    if (done.has(step)) return [];
    for (const id of step.needs) {
      const sibling = id === step.id ? undefined : byId.get(id);
      const circle = sibling === undefined ? [] : visit(sibling, [...trail, step]);
      if (circle.length > 0) return circle;
    }
    done.add(step);
    return [];
  };
  for (const branch of branches) {
    const circle = visit(branch, []);
    if (circle.length > 0) return circle;
  }
  return [];
}
