/**
 * Which names each step can see. A block's steps are a scope of their own; only what a `parallel`
 * binds is visible after it, and what a round of `repeat` binds in the next round.
 *
 * @module
 */
import { LayeredMap } from "./layered_map.ts";
import type { CallStep, Step, Workflow } from "./model.ts";

/** Where a name's value comes from. */
export type Binding =
  /** The output of the step at `path`. */
  | { readonly kind: "output"; readonly path: string; readonly previous: boolean }
  /** A name bound by the `set` at `path`. */
  | {
    readonly kind: "field";
    readonly path: string;
    readonly field: string;
    readonly previous: boolean;
  }
  /** The item, or its index, of the round of the `foreach` at `path`. */
  | { readonly kind: "item" | "index"; readonly path: string }
  /** `.error`: the failure that a `catch` of the step at `path` took. */
  | { readonly kind: "error"; readonly path: string }
  /** What the `verify` of the step at `path` was answered. */
  | { readonly kind: "answer"; readonly path: string };

/**
 * A step that `.steps` shows. Here and in {@linkcode Binding}, `previous` means the round before that of
 * the `repeat` whose `[]` is the last in `path`; in the first round there is no value.
 */
export interface SeenStep {
  readonly path: string;
  readonly previous: boolean;
}

/** What an expression can see. */
export interface Visible {
  /** Names, without the leading dot. */
  readonly names: ReadonlyMap<string, Binding>;
  /** The steps of `.steps`, by written id. */
  readonly steps: ReadonlyMap<string, SeenStep>;
}

interface Layers {
  readonly names: LayeredMap<Binding>;
  readonly steps: LayeredMap<SeenStep>;
}

/**
 * What each step sees, by its path. Besides, for the step at `<path>` (no step has a `/` in its path):
 *
 * | key | is what sees it |
 * |---|---|
 * | `""` | the workflow's `output` |
 * | `<path>/compensate` | its compensation |
 * | `<path>/verify` | its `verify` |
 * | `<path>/verify.result` | the `result` of that |
 * | `<path>.catch[n]` | the `when` of an entry of its `catch` |
 * | `<path>.catch[n]/result` | the `result` of that entry |
 * | `<path>[]/until` | the `until` of a `repeat` |
 * | `<path>[]/result` | the `result` of a `foreach` or `repeat` |
 */
export function visibility(workflow: Workflow): ReadonlyMap<string, Visible> {
  const walk = new Walk();
  const end = walk.list(workflow.steps, { names: new LayeredMap(), steps: new LayeredMap() });
  walk.seen.set("", end);
  return walk.seen;
}

/** A name, and what it is bound to. */
export type Bound = readonly [name: string, binding: Binding];

type SeenId = readonly [id: string, step: SeenStep];

/** What a step binds: its output, the names it sets, and what a parallel's branches bind. */
export function* bindingsOf(step: Step): Generator<Bound> {
  if (step.kind === "parallel") {
    for (const branch of step.branches) {
      yield* branchBindings(branch);
    }
  }
  if (step.kind === "set") {
    for (const field of Object.keys(step.values)) {
      yield [field, { kind: "field", path: step.path, field, previous: false }];
    }
  }
  if (step.output !== null) {
    yield [step.output, { kind: "output", path: step.path, previous: false }];
  }
}

/** What the rounds of a `foreach` call their item and its index. */
export function loopBindings(
  { path, as }: Extract<Step, { kind: "foreach" }>,
): readonly Bound[] {
  return [[as, { kind: "item", path }], [`${as}_index`, { kind: "index", path }]];
}

/** A branch that is a `steps:` group gives away what its list binds, too. */
function* branchBindings(branch: Step): Generator<Bound> {
  if (branch.kind === "steps") { for (const step of branch.steps) yield* bindingsOf(step); }
  yield* bindingsOf(branch);
}

/** The written ids that come with a step: its own, and those of a parallel's branches. */
function* idsOf(step: Step): Generator<SeenId> {
  if (step.kind === "parallel") { for (const branch of step.branches) yield* branchIds(branch); }
  if (!step.id.includes("[")) yield [step.id, { path: step.path, previous: false }];
}

function* branchIds(branch: Step): Generator<SeenId> {
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
    this.#inside(step, here);
    step.catch.forEach(({ steps }, index) => {
      const scope = `${step.path}.catch[${index}]`;
      const caught = over(here, [["error", { kind: "error", path: step.path }]]);
      this.seen.set(scope, caught);
      this.seen.set(`${scope}/result`, this.list(steps, caught));
    });
    if (!("compensate" in step) || step.compensate === null) return;
    const undoing = over(here, bindingsOf(step), idsOf(step));
    this.seen.set(`${step.path}/compensate`, undoing);
    if (step.compensate.kind === "steps") this.list(step.compensate.steps, undoing);
  }

  #inside(step: Step, here: Layers): void {
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
      case "foreach":
        this.#rounds(step, over(here, loopBindings(step)));
        break;
      case "repeat":
        this.#rounds(step, over(here, ...roundBefore(step.steps)));
        break;
      case "call":
        if (step.verify !== null) this.#verify(step, here);
    }
  }

  #rounds({ kind, path, steps }: Extract<Step, { kind: "foreach" | "repeat" }>, here: Layers) {
    const end = this.list(steps, here);
    this.seen.set(`${path}[]/result`, end);
    if (kind === "repeat") this.seen.set(`${path}[]/until`, end);
  }

  #verify({ path, output }: CallStep, here: Layers): void {
    const answer: Bound[] = output === null ? [] : [[output, { kind: "answer", path }]];
    this.seen.set(`${path}/verify`, here);
    this.seen.set(`${path}/verify.result`, over(here, answer));
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

/** What steps have left behind in the round before. */
function roundBefore(steps: readonly Step[]): [readonly Bound[], readonly SeenId[]] {
  const names = steps.flatMap((step) => [...bindingsOf(step)]).map(([name, binding]): Bound => [
    name,
    "previous" in binding ? { ...binding, previous: true } : binding,
  ]);
  const ids = steps.flatMap((step) => [...idsOf(step)])
    .map(([id, step]): SeenId => [id, { ...step, previous: true }]);
  return [names, ids];
}

function over(layers: Layers, names: Iterable<Bound>, ids: Iterable<SeenId> = []): Layers {
  return { names: layers.names.with(new Map(names)), steps: layers.steps.with(new Map(ids)) };
}
