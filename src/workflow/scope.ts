/**
 * Which names each step can see. A block's steps are a scope of their own; only what a `parallel`
 * binds is visible after it. A form to come (`foreach`, `repeat`, `catch`) adds a case to
 * `inside` and, where its names outlive it, to {@linkcode bindingsOf}.
 *
 * @module
 */
import { LayeredMap } from "./layered_map.ts";
import type { Step, Workflow } from "./model.ts";

/** Where a name's value comes from. */
export interface Binding {
  /** The path of the step that binds it. */
  readonly path: string;
  /** The key, for names bound by `set`; `null`: the step's output. */
  readonly field: string | null;
  /** Of the `foreach` at the path: a round's item, or its number. */
  readonly loop?: "item" | "index";
  /** The failure that the `catch` of the step at the path took. */
  readonly error?: boolean;
  /** From the round before of the `repeat` around the step. */
  readonly previous?: boolean;
}

/** What an expression can see. */
export interface Visible {
  /** Names, without the leading dot. */
  readonly names: ReadonlyMap<string, Binding>;
  /** The steps of `.steps`: paths by written id. */
  readonly steps: ReadonlyMap<string, string>;
}

interface Layers {
  readonly names: LayeredMap<Binding>;
  readonly steps: LayeredMap<string>;
}

/**
 * What each step sees, by its path. The key `""` is what the workflow's `output` sees, and
 * `<path>/compensate` what the compensation of a step sees.
 */
export function visibility(workflow: Workflow): ReadonlyMap<string, Visible> {
  const walk = new Walk();
  const end = walk.list(workflow.steps, { names: new LayeredMap(), steps: new LayeredMap() });
  walk.seen.set("", end);
  return walk.seen;
}

/** A name, and what it is bound to. */
export type Bound = readonly [name: string, binding: Binding];

/** What a step binds: its output, the names it sets, and what a parallel's branches bind. */
export function* bindingsOf(step: Step): Generator<Bound> {
  if (step.kind === "parallel") {
    for (const branch of step.branches) {
      yield* branchBindings(branch);
    }
  }
  if (step.kind === "set") {
    for (const field of Object.keys(step.values)) yield [field, { path: step.path, field }];
  }
  if (step.output !== null) yield [step.output, { path: step.path, field: null }];
}

/** A branch that is a `steps:` group gives away what its list binds, too. */
function* branchBindings(branch: Step): Generator<Bound> {
  if (branch.kind === "steps") { for (const step of branch.steps) yield* bindingsOf(step); }
  yield* bindingsOf(branch);
}

/** The written ids that come with a step: its own, and those of a parallel's branches. */
function* idsOf(step: Step): Generator<readonly [id: string, path: string]> {
  if (step.kind === "parallel") { for (const branch of step.branches) yield* branchIds(branch); }
  if (!step.id.includes("[")) yield [step.id, step.path];
}

function* branchIds(branch: Step): Generator<readonly [id: string, path: string]> {
  if (branch.kind === "steps") { for (const step of branch.steps) yield* idsOf(step); }
  yield* idsOf(branch);
}

class Walk {
  readonly seen = new Map<string, Visible>();

  /** One after the other: each step sees those before it. Returns what is visible at the end. */
  list(steps: readonly Step[], outer: Layers): Layers {
    let here = outer;
    for (const step of steps) {
      this.step(step, here);
      here = over(here, bindingsOf(step), idsOf(step));
    }
    return here;
  }

  step(step: Step, here: Layers): void {
    this.seen.set(step.path, here);
    this.inside(step, here);
  }

  inside(step: Step, here: Layers): void {
    switch (step.kind) {
      case "steps":
        this.list(step.steps, here);
        break;
      case "parallel":
        this.#branches(step.branches, here);
        break;
      case "switch":
        for (const branch of step.branches) this.list(branch.steps, here);
        break;
      case "call": {
        if (step.compensate === null) break;
        const undoing = over(here, bindingsOf(step), idsOf(step));
        this.seen.set(`${step.path}/compensate`, undoing);
        if (step.compensate.kind === "steps") this.list(step.compensate.steps, undoing);
        break;
      }
    }
  }

  /** Side by side: each branch sees what it needs, and what those need. */
  #branches(branches: readonly Step[], here: Layers): void {
    const byId = new Map(branches.map((branch) => [branch.id, branch]));
    for (const branch of branches) {
      let sees = here;
      for (const needed of neededBy(branch, byId)) {
        sees = over(sees, branchBindings(needed), branchIds(needed));
      }
      this.step(branch, sees);
    }
  }
}

/** The siblings that a branch needs, directly or through others. */
export function neededBy(branch: Step, byId: ReadonlyMap<string, Step>): ReadonlySet<Step> {
  const needed = new Set<Step>();
  const queue = [...branch.needs];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    const sibling = byId.get(id);
    if (sibling === undefined || sibling === branch || needed.has(sibling)) continue;
    needed.add(sibling);
    queue.push(...sibling.needs);
  }
  return needed;
}

function over(layers: Layers, names: Iterable<Bound>, ids: Iterable<readonly [string, string]>) {
  return { names: layers.names.with(new Map(names)), steps: layers.steps.with(new Map(ids)) };
}
