/**
 * What there is to undo of steps, found without running them.
 *
 * @module
 */
import { eachStep } from "./calls.ts";
import { templateRefs } from "./expression.ts";
import type {
  CallStep,
  CallTarget,
  ChildStep,
  Compensation,
  Step,
  Template,
  Workflow,
} from "./model.ts";
import { onlyReads } from "./reads.ts";
import { visibility, type Visible } from "./scope.ts";
import {
  type Certainty,
  type Doubts,
  inOrder,
  NOTHING,
  oneOf,
  perhaps,
  roundsOf,
  sideBySide,
  type Undone,
} from "./undoing.ts";

/** Finds what there is to undo of the steps of one workflow. */
export class Undoings {
  readonly #visible: ReadonlyMap<string, Visible>;
  readonly #settled = new Map<Step, Undone>();
  readonly #compensations = new Map<string, string | null>();

  constructor(readonly workflow: Workflow) {
    this.#visible = visibility(workflow);
    for (const step of eachStep(workflow.steps, false)) {
      if (step.kind !== "call" || step.compensate === null || step.verify !== null) continue;
      this.#compensations.set(step.path, this.#readsOwn(step, step.compensate));
    }
  }

  /** Why the compensation of a step can't be made when its outcome is unknown. */
  readonly doubts: Doubts = (path) => this.#compensations.get(path) ?? null;

  /** What steps that have come to their end one after the other leave to undo. */
  list(steps: readonly Step[]): Undone {
    return inOrder(...steps.map((step) => this.settled(step)).reverse());
  }

  /** What a step that has come to its end leaves to undo: it may have been skipped, or caught. */
  settled(step: Step): Undone {
    let found = this.#settled.get(step);
    if (found === undefined) this.#settled.set(step, found = this.#settle(step));
    return found;
  }

  #settle(step: Step): Undone {
    let found = this.#done(step);
    if (step.catch.length > 0) {
      const instead = step.catch.map(({ steps }) => this.list(steps));
      const before = step.catch.every(({ undo }) => undo)
        ? perhaps(found)
        : perhaps(found, this.doubts);
      found = inOrder(oneOf(step.path, "catch", instead), before);
    }
    return step.when === null ? found : perhaps(found);
  }

  #done(step: Step): Undone {
    switch (step.kind) {
      case "call":
        return this.ofCall(step, "done");
      case "workflow":
        return this.#ofChild(step);
      default:
        return this.inside(step);
    }
  }

  /** What a block's steps leave to undo. */
  inside(step: Step): Undone {
    switch (step.kind) {
      case "steps":
        return this.list(step.steps);
      case "parallel":
        return sideBySide(step.path, step.branches.map((branch) => this.settled(branch)));
      case "switch":
        return oneOf(step.path, "switch", step.branches.map(({ steps }) => this.list(steps)));
      case "foreach":
      case "repeat":
        return roundsOf(step, "all", this.list(step.steps));
      default:
        return NOTHING;
    }
  }

  /** What a call leaves to undo, if it was made. */
  ofCall(step: CallStep, when: Certainty): Undone {
    const { path, compensate, method } = step;
    if (compensate === null) {
      return onlyReads(method) || step.pivot
        ? NOTHING
        : { undo: [], stays: [{ step: path, when }] };
    }
    const reads = when === "unknown" ? this.doubts(path) : null;
    return {
      undo: [{ kind: "step", step: path, by: callsOf(compensate), when, reads }],
      stays: [],
    };
  }

  #ofChild({ path, compensate, workflow }: ChildStep): Undone {
    if (compensate !== null) {
      const by = callsOf(compensate);
      return { undo: [{ kind: "step", step: path, by, when: "done", reads: null }], stays: [] };
    }
    const { undo, stays } = new Undoings(workflow).list(workflow.steps);
    const { name } = workflow;
    return {
      undo: [{ kind: "child", step: path, workflow: name, when: "done", undo }],
      stays: stays.map((each) => ({ ...each, step: `${path}/${each.step}` })),
    };
  }

  /** The name by which a compensation reads the answer of the step that it undoes. */
  #readsOwn(step: CallStep, compensate: Compensation): string | null {
    for (const [key, template] of templatesOf(step.path, compensate)) {
      const visible = this.#visible.get(key);
      for (const { root, path, optional } of templateRefs(template)) {
        if (optional) continue;
        const [id = "", field = "output"] = path;
        if (root !== "steps") {
          if (visible?.names.get(root)?.path === step.path) return `.${root}`;
        } else if (visible?.steps.get(id)?.path === step.path && field === "output") {
          return `.steps.${id}.output`;
        }
      }
    }
    return null;
  }
}

/** The templates of a compensation, and the key of what each sees. */
function* templatesOf(path: string, compensate: Compensation): Generator<[string, Template]> {
  if (compensate.kind === "call") {
    yield [`${path}/compensate`, [compensate.input, { ...compensate.metadata }]];
    return;
  }
  for (const step of eachStep(compensate.steps)) {
    if (step.when !== null) yield [step.path, step.when];
    if (step.kind === "call") yield [step.path, [step.input, { ...step.metadata }]];
    if (step.kind === "workflow") yield [step.path, step.input];
    if (step.kind === "set") yield [step.path, { ...step.values }];
    if (step.kind === "foreach") yield [step.path, step.items];
    if (step.kind === "switch") { for (const { when } of step.branches) yield [step.path, when]; }
  }
}

function callsOf(compensate: Compensation): readonly string[] {
  if (compensate.kind === "call") return [calls(compensate)];
  const found: string[] = [];
  for (const step of eachStep(compensate.steps)) {
    if (step.kind === "call") found.push(calls(step));
    if (step.kind === "workflow") found.push(step.workflow.name);
  }
  return found;
}

/** `payments.Charge`, however the method is written. */
function calls({ service, method }: CallTarget): string {
  return `${service}.${method.slice(method.lastIndexOf("/") + 1)}`;
}
