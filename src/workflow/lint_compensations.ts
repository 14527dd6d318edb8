/** What a rollback would leave standing, or could not undo. @module */
import type { Problem } from "../errors.ts";
import { eachCompensable, eachStep, listsOf } from "./calls.ts";
import { templateRefs } from "./expression.ts";
import type { LintContext } from "./check_context.ts";
import type { CallStep, ChildStep, Step, Workflow } from "./model.ts";
import { warningAt } from "./problems.ts";
import { onlyReads } from "./reads.ts";

/** Warns of steps that a rollback leaves done, and of those that it can't undo in doubt. */
export function lintCompensations(workflow: Workflow, context: LintContext): readonly Problem[] {
  return [...gaps(workflow, context), ...unverified(workflow, context)];
}

/** A step that stays done when those after it are undone. */
function gaps({ steps }: Workflow, { flawed }: LintContext): Problem[] {
  const calls = [...eachCall(steps, { ways: [], loops: [] })]
    .map((call, at) => ({ ...call, at }));
  const undone = calls.filter(({ step }) => isUndone(step));
  if (undone.length === 0) return [];
  const pivots = calls.filter(({ step }) => step.kind === "call" && step.pivot);
  return calls.flatMap((call) => {
    const { step, at, ways, loops } = call;
    if (step.kind !== "call" || step.compensate !== null || onlyReads(step.method)) return [];
    if (flawed.has(step.path)) return [];
    const pivot = pivots.find((other) => !exclude(ways, other.ways));
    if (pivot !== undefined && pivot.at <= at) return []; // from there on nothing is rolled back
    const later = undone.find((other) =>
      (pivot === undefined || other.at < pivot.at) &&
      (other.at > at || loops.some((loop) => other.loops.includes(loop))) &&
      !exclude(ways, other.ways)
    );
    if (later === undefined) return [];
    const { id, place, kind } = later.step;
    const message = `No "compensate", though "${id}" at line ${place.line} ` +
      `${kind === "call" ? "has one" : "is undone"}: after a rollback this step alone stays done`;
    return [warningAt(step.place, "no_compensation", message)];
  });
}

function isUndone(step: CallStep | ChildStep): boolean {
  return step.compensate !== null || (step.kind === "workflow" && canUndo(step.workflow));
}

function canUndo({ steps }: Workflow): boolean {
  for (const _ of eachCompensable(steps)) return true;
  for (const step of eachStep(steps, false)) {
    if (step.kind === "workflow" && canUndo(step.workflow)) return true;
  }
  return false;
}

interface Surroundings {
  /** Where the ways part, and the one that leads here: a branch of a switch, an entry of a `catch`. */
  readonly ways: readonly (readonly [string, number])[];
  /** The steps whose rounds it stands in. */
  readonly loops: readonly string[];
}

interface PlacedCall extends Surroundings {
  readonly step: CallStep | ChildStep;
}

function* eachCall(steps: readonly Step[], around: Surroundings): Generator<PlacedCall> {
  const parted = (path: string, way: number) => ({
    ...around,
    ways: [...around.ways, [path, way] as const],
  });
  for (const step of steps) {
    const fork = `${step.path}.catch`;
    if (step.kind === "call" || step.kind === "workflow") {
      // What it has failed to do, its `catch` does instead.
      yield { step, ...(step.catch.length === 0 ? around : parted(fork, -1)) };
    }
    const inside = step.kind === "foreach" || step.kind === "repeat"
      ? { ...around, loops: [...around.loops, step.path] }
      : around;
    for (const [way, list] of listsOf(step).entries()) {
      yield* eachCall(list, step.kind === "switch" ? parted(step.path, way) : inside);
    }
    for (const [way, entry] of step.catch.entries()) {
      yield* eachCall(entry.steps, parted(fork, way));
    }
  }
}

/** Whether two calls are never both made. */
function exclude(a: Surroundings["ways"], b: Surroundings["ways"]): boolean {
  return a.some(([path, at]) => b.some(([other, where]) => path === other && at !== where));
}

/** When the outcome of a step is unknown, its output is `{}`, and an input made of that fails. */
function unverified({ steps }: Workflow, { uses, seen, flawed }: LintContext): Problem[] {
  const doubtful = new Map<string, CallStep>();
  for (const step of eachCompensable(steps)) {
    if (step.kind !== "call" || step.verify !== null || flawed.has(step.path)) continue;
    doubtful.set(step.path, step);
  }
  const told = new Set<CallStep>();
  const problems: Problem[] = [];
  for (const { template, scope, at, places } of uses) {
    const step = doubtful.get(/^(.*?)[./]compensate/.exec(scope ?? "")?.[1] ?? "");
    const visible = seen.get(scope ?? "");
    if (step === undefined || visible === undefined || told.has(step)) continue;
    for (const { root, path, optional, at: inside, offset } of templateRefs(template)) {
      const [id = "", field = "output"] = path;
      const isOwn = root === "steps"
        ? visible.steps.get(id)?.path === step.path && field === "output"
        : visible.names.get(root)?.path === step.path;
      if (!isOwn || optional || told.has(step)) continue;
      told.add(step);
      const name = root === "steps" ? `.steps.${id}.output` : `.${root}`;
      const message = `Cannot undo this step when its outcome is unknown: ${name} is then empty. ` +
        'Add a "verify" that finds out what happened, or undo it by what the step was sent';
      const place = places.text([...at, ...inside], offset);
      problems.push(warningAt(place, "unverified_compensation", message));
    }
  }
  return problems;
}
