/**
 * What a pivot forbids: after it there is no way back, so that nothing may fail by design.
 *
 * @module
 */
import type { Problem } from "../errors.ts";
import { eachStep, listsOf } from "./calls.ts";
import type { CheckContext } from "./check_context.ts";
import type { CatchEntry, ChildStep, FailStep, Place, Step, Workflow } from "./model.ts";
import { problemAt } from "./problems.ts";

/** Finds every `fail`, also of a child workflow, that comes after a pivot and that nothing catches. */
export function checkPivots(context: CheckContext): readonly Problem[] {
  const check = new PivotCheck(context);
  check.list(context.workflow.steps, null, []);
  return check.problems;
}

/** The first pivot of a workflow or of one that it starts; `null`: it has none. */
export function pivotOf({ steps }: Workflow): Step | null {
  for (const step of eachStep(steps, false)) {
    if (step.kind === "call" && step.pivot) return step;
    const inside = step.kind === "workflow" ? pivotOf(step.workflow) : null;
    if (inside !== null) return inside;
  }
  return null;
}

/** What counts of an entry here: what its `when` says is known only when it runs. */
type Taker = Pick<CatchEntry, "codes" | "reason">;

/** The `catch` lists around, from the inside out. */
type Catches = readonly (readonly Taker[])[];

/** The pivot that may have been passed: after a step, and when something in it fails. */
interface Passed {
  readonly after: Step | null;
  readonly failing: Step | null;
}

class PivotCheck {
  readonly problems: Problem[] = [];

  constructor(readonly context: CheckContext) {}

  list(steps: readonly Step[], before: Step | null, catches: Catches): Passed {
    let after = before;
    let failing: Step | null = null;
    for (const step of steps) {
      const passed = this.#step(step, after, catches);
      after = passed.after;
      failing ??= passed.failing;
    }
    return { after, failing };
  }

  #step(step: Step, before: Step | null, around: Catches): Passed {
    const catches = [this.#catchOf(step), ...around];
    const inside = this.#inside(step, before, catches);
    const ways = step.catch.map(({ steps }) => this.list(steps, inside.failing, around));
    return {
      after: inside.after ?? first(ways, "after"),
      failing: inside.failing ?? first(ways, "failing"),
    };
  }

  #inside(step: Step, before: Step | null, catches: Catches): Passed {
    switch (step.kind) {
      case "call":
        return { after: before ?? (step.pivot ? step : null), failing: before };
      case "workflow":
        this.#child(step, before, catches);
        return { after: before ?? (pivotOf(step.workflow) && step), failing: before };
      case "fail":
        this.#fail(step, before, catches);
        return { after: before, failing: before };
      default: {
        const ways = listsOf(step).map((steps) => this.list(steps, before, catches));
        return {
          after: before ?? first(ways, "after"),
          failing: before ?? first(ways, "failing"),
        };
      }
    }
  }

  #fail(step: FailStep, pivot: Step | null, catches: Catches): void {
    if (pivot === null || catches.some((entries) => takes(entries, step.code))) return;
    const message = `Cannot fail after the pivot ${nameOf(pivot)}: there is no way back. ` +
      `Fail before it, or have a "catch" around this step that takes ${step.code}`;
    const place = this.context.where.key(step.path, "fail");
    this.problems.push(problemAt(place, "fail_after_pivot", message));
  }

  #child(step: ChildStep, pivot: Step | null, catches: Catches): void {
    if (pivot === null || catches.some((entries) => takes(entries, "CHILD_FAILED"))) return;
    const fail = uncaughtFail(step.workflow.steps, []);
    if (fail === null) return;
    const message = `Cannot start "${step.workflow.name}" after the pivot ${nameOf(pivot)}: it ` +
      `may fail by design (${placeOf(fail)}), and there is no way back. ` +
      'Give this step a "catch" that takes CHILD_FAILED';
    const place = this.context.where.key(step.path, "workflow");
    this.problems.push(problemAt(place, "fail_after_pivot", message));
  }

  /** A `catch` with a mistake might take anything. */
  #catchOf(step: Step): readonly Taker[] {
    const isFlawed = step.catch.length === 0 &&
      this.context.where.get(step.path, "catch") !== undefined;
    return isFlawed ? [{ codes: [], reason: null }] : step.catch;
  }
}

function first(ways: readonly Passed[], key: keyof Passed): Step | null {
  return ways.find((way) => way[key] !== null)?.[key] ?? null;
}

/** Whether a failure without a reason is, or may be, taken by one of the entries. */
function takes(entries: readonly Taker[], code: string): boolean {
  return entries.some(({ codes, reason }) =>
    (codes.length === 0 || codes.includes(code)) && (reason === null || code === "CHILD_FAILED")
  );
}

/** The first `fail` that would make the steps as a whole fail. */
function uncaughtFail(steps: readonly Step[], around: Catches): FailStep | null {
  for (const step of steps) {
    const catches = [step.catch, ...around];
    const isTaken = (code: string) => catches.some((entries) => takes(entries, code));
    if (step.kind === "fail" && !isTaken(step.code)) return step;
    if (step.kind === "workflow" && !isTaken("CHILD_FAILED")) {
      const fail = uncaughtFail(step.workflow.steps, []);
      if (fail !== null) return fail;
    }
    for (const list of listsOf(step)) {
      const fail = uncaughtFail(list, catches);
      if (fail !== null) return fail;
    }
    for (const entry of step.catch) {
      const fail = uncaughtFail(entry.steps, around);
      if (fail !== null) return fail;
    }
  }
  return null;
}

/** `"charge" (line 12)`. */
function nameOf({ id, place }: Step): string {
  return id.includes("[") ? `at line ${place.line}` : `"${id}" (line ${place.line})`;
}

function placeOf({ place: { file, line } }: { readonly place: Place }): string {
  return `${file}:${line}`;
}
