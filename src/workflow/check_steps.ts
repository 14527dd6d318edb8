/**
 * What the steps' structure gets wrong: ids, names, `needs`, and what may not stand where it does.
 *
 * @module
 */
import type { Problem } from "../errors.ts";
import type { CheckContext } from "./check_context.ts";
import { pivotOf } from "./check_pivots.ts";
import type { ChildStep, ForeachStep, ParallelStep, RepeatStep, Step } from "./model.ts";
import { didYouMean } from "./nearest.ts";
import { problemAt, warningAt } from "./problems.ts";
import { type Binding, bindingsOf, type Bound, loopBindings } from "./scope.ts";

/** Checks the tree of steps. */
export function checkSteps(context: CheckContext): readonly Problem[] {
  const check = new StepCheck(context);
  check.list(context.workflow.steps, NOWHERE);
  return check.problems;
}

/** What a step stands inside of, as far as this forbids something. */
interface Surroundings {
  /** What a `return` would leave unfinished; `null`: nothing. */
  readonly unfinished: '"parallel"' | '"foreach"' | "a compensation" | null;
  /** What a pivot may not stand inside of; `null`: nothing. */
  readonly manifold: "parallel" | "foreach" | "repeat" | null;
  readonly inCompensation: boolean;
}

const NOWHERE: Surroundings = { unfinished: null, manifold: null, inCompensation: false };

const IN_COMPENSATION: Surroundings = {
  unfinished: "a compensation",
  manifold: null,
  inCompensation: true,
};

class StepCheck {
  readonly problems: Problem[] = [];
  readonly #ids = new Map<string, number>();

  constructor(readonly context: CheckContext) {}

  /** @param loop the names that a round of `foreach` begins with */
  list(steps: readonly Step[], around: Surroundings, loop: readonly Bound[] = []): void {
    this.#boundOnce(steps, loop);
    let ended: Step | null = null;
    for (const step of steps) {
      if (ended !== null) {
        const message = `Never reached: "${ended.kind}" at line ${ended.place.line} comes first`;
        this.problems.push(warningAt(step.place, "unreachable", message));
        ended = null; // once is enough
      } else if (endsList(step) && !this.context.flawed.has(step.path)) ended = step;
      if (step.needs.length > 0) {
        const message = '"needs" is for steps inside "parallel": steps of a list come in order';
        this.#error(step, ["needs"], "needs_outside_parallel", message, "key");
      }
      this.#step(step, around);
    }
  }

  #step(step: Step, around: Surroundings): void {
    if (!step.id.includes("[")) this.#uniqueId(step);
    if (around.inCompensation) this.#compensating(step);
    this.#inside(step, around);
    for (const { steps } of step.catch) this.list(steps, around);
    if (!around.inCompensation && "compensate" in step && step.compensate?.kind === "steps") {
      this.list(step.compensate.steps, IN_COMPENSATION);
    }
  }

  #inside(step: Step, around: Surroundings): void {
    const isLoop = step.kind === "foreach" || step.kind === "repeat";
    if (isLoop && step.path !== step.id && /^(catch|parallel)$/.test(step.id)) {
      const message =
        `Cannot call a "${step.kind}" "${step.id}": its rounds would have the paths ` +
        `of the steps of a "${step.id}"; give it another id`;
      this.#error(step, ["id"], "reserved_name", message);
    }
    switch (step.kind) {
      case "steps":
        return this.list(step.steps, around);
      case "parallel":
        return this.#parallel(step, around);
      case "switch":
        for (const { steps } of step.branches) this.list(steps, around);
        return;
      case "foreach":
        return this.#foreach(step, around);
      case "repeat":
        this.#hidesNothing(step);
        return this.list(step.steps, { ...around, manifold: around.manifold ?? "repeat" });
      case "return":
        return this.#return(step, around);
      case "workflow":
        return this.#child(step, around);
      case "call":
        if (step.pivot && around.manifold !== null) {
          const message = `A pivot may not stand inside "${around.manifold}": ${NO_PIVOT}`;
          this.#error(step, ["pivot"], "pivot_inside", message, "key");
        }
    }
  }

  /** A call that undoes something is tried until it succeeds: what says otherwise has no place in it. */
  #compensating(step: Step): void {
    const tell = (key: string, message: string) =>
      this.#error(step, [key], "nested_compensation", message, "key");
    step.catch.forEach(({ undo }, at) => {
      if (!undo || step.kind === "call") return;
      const message = 'Cannot "undo" inside a compensation: what undoes is not undone';
      this.#error(step, ["catch", at, "undo"], "nested_compensation", message, "key");
    });
    if (step.kind === "workflow") {
      tell(
        "workflow",
        "Cannot start a workflow inside a compensation: a run that fails undoes itself, and a " +
          "compensation is tried until it succeeds; call the service that undoes it",
      );
    }
    if (step.kind !== "call") return;
    for (
      const key of ["compensate", "verify", "pivot", "catch", "idempotent", "retry", "timeout"]
    ) {
      if (this.context.where.get(step.path, key) === undefined) continue;
      tell(
        key,
        key === "compensate"
          ? "Cannot compensate inside a compensation: it is tried until it succeeds"
          : `Cannot set "${key}" inside a compensation: it is tried until it succeeds, as the workflow's "saga" says`,
      );
    }
  }

  #return(step: Step, { unfinished }: Surroundings): void {
    if (unfinished === null) return;
    const message = `Cannot return from inside ${unfinished}: it would leave the rest unfinished`;
    this.#error(step, ["return"], "return_inside", message, "key");
  }

  /** Its pivot is the one of the run that starts it. */
  #child(step: ChildStep, { manifold }: Surroundings): void {
    const pivot = manifold === null ? null : pivotOf(step.workflow);
    if (pivot === null) return;
    const { file, line } = pivot.place;
    const message = `Cannot start "${step.workflow.name}" inside "${manifold}": it has a pivot ` +
      `(${file}:${line}), and ${NO_PIVOT}`;
    this.#error(step, ["workflow"], "pivot_inside", message, "key");
  }

  #foreach(step: ForeachStep, around: Surroundings): void {
    const loop = loopBindings(step);
    const outer = this.context.seen.get(step.path)?.names;
    for (const [name, binding] of loop) {
      const hidden = outer?.get(name);
      if (hidden === undefined) continue;
      const what = binding.kind === "index" ? `index, "${name}",` : `name, "${name}",`;
      const { line } = this.context.where.bound(hidden);
      const message = `The item's ${what} hides the one bound at line ${line}: ` +
        'give the item another with "as"';
      this.problems.push(problemAt(this.context.where.bound(binding), "hidden_name", message));
    }
    const inside = {
      ...around,
      unfinished: around.unfinished ?? '"foreach"',
      manifold: around.manifold ?? "foreach",
    } as const;
    this.list(step.steps, inside, loop);
  }

  /** Before a round has bound a name, it is the round before's: it can't be the one outside as well. */
  #hidesNothing(step: RepeatStep): void {
    const outer = this.context.seen.get(step.path)?.names;
    for (const [name, binding] of step.steps.flatMap((each) => [...bindingsOf(each)])) {
      const hidden = outer?.get(name);
      if (hidden === undefined) continue;
      const { line } = this.context.where.bound(hidden);
      const message = `The name "${name}" hides the one bound at line ${line}: in a "repeat" it ` +
        "would mean the round before's; give it another name";
      this.problems.push(problemAt(this.context.where.bound(binding), "hidden_name", message));
    }
  }

  #parallel(block: ParallelStep, around: Surroundings): void {
    const byId = new Map(block.branches.map((branch) => [branch.id, branch]));
    const inside = {
      ...around,
      unfinished: around.unfinished ?? '"parallel"',
      manifold: around.manifold ?? "parallel",
    } as const;
    for (const branch of block.branches) {
      branch.needs.forEach((id, at) => this.#need(branch, id, at, byId));
      this.#step(branch, inside);
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
  #boundOnce(steps: readonly Step[], loop: readonly Bound[]): void {
    const bound = new Map<string, Binding>(loop);
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

const NO_PIVOT = "what runs several times, or beside others, has no one moment after which there " +
  "is no way back";

/** Whether nothing after a step can be reached. */
function endsList({ kind, when, catch: entries }: Step): boolean {
  if (when !== null) return false;
  return kind === "return" || (kind === "fail" && entries.length === 0);
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
