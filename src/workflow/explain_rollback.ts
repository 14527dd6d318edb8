/**
 * What happens when a step fails for good, found without running anything: who takes the failure, and,
 * where nobody does, what is undone in which order, and what is not (semantics.md §4).
 *
 * @module
 */
import { type Ending, endingsOf } from "./endings.ts";
import { failuresOf } from "./failures.ts";
import { templateRefs } from "./expression.ts";
import type { CatchEntry, ParallelStep, Place, Step, Template, Workflow } from "./model.ts";
import { ownPivot, type Passed, passedBy, stronger } from "./passed_pivots.ts";
import { neededBy } from "./scope.ts";
import {
  inOrder,
  NOTHING,
  perhaps,
  roundsOf,
  sideBySide,
  type Standing,
  type Undoing,
  type Undone,
} from "./undoing.ts";
import { Undoings } from "./undoings.ts";

/** One step that could fail, and what follows where it does after all its retries. */
export interface FailingStep {
  /** Its path in the workflow; in a loop the round is left open: `ship[].label`. */
  readonly step: string;
  /** Where it stands. */
  readonly place: Place;
  /** Whether it is asked, before all else, what became of it where its outcome is unknown. */
  readonly verify: boolean;
  /** Who may take the failure, in the order in which they are asked. */
  readonly caught: readonly Caught[];
  /**
   * What follows where none of them does. `goes_on`: one of them always does; `rolls_back`; `waits`: for
   * an operator, since the pivot was passed; `rolls_back_or_waits`: depending on the pivot.
   */
  readonly end: "goes_on" | "rolls_back" | "waits" | "rolls_back_or_waits";
  /** After this nothing is undone; `null`: none was passed. */
  readonly pivot: Passed | null;
  /** What the rollback undoes, in order. */
  readonly undo: readonly Undoing[];
  /** Calls that may have been made by then, and stay done. */
  readonly stays: readonly Standing[];
}

/** An entry of a `catch` that may take a failure. */
export interface Caught {
  /** The path of the step whose `catch` it is. */
  readonly step: string;
  /** Its number, from 0. */
  readonly entry: number;
  /** The codes that it takes; empty: any. */
  readonly codes: readonly string[];
  /** The reason that it takes; `null`: any. */
  readonly reason: string | null;
  /** What must be true besides; `null`: nothing. */
  readonly when: string | null;
  /** Whether it takes whatever is left by those before it. */
  readonly always: boolean;
  /** What is undone first, in order; `null`: nothing, it has no `undo: true`. */
  readonly undo: readonly Undoing[] | null;
  /** The paths of the steps that are done then. */
  readonly steps: readonly string[];
  /** How these may end, where none of their calls fails. */
  readonly endings: readonly Ending[];
}

/** Explains each step that could fail, in file order. */
export function explainRollback(workflow: Workflow): readonly FailingStep[] {
  const explainer = new Explainer(workflow);
  explainer.list(workflow.steps, []);
  return explainer.failing;
}

/** What is around a step, from the inside out: what was done before it, and who may take its failure. */
type Around = readonly (Surrounding | Step)[];

/** Adds what is around to what is inside. */
interface Surrounding {
  readonly around: (inside: Undone) => Undone;
  readonly pivot: Passed | null;
}

class Explainer {
  readonly failing: FailingStep[] = [];
  readonly #undoings: Undoings;

  constructor(readonly workflow: Workflow) {
    this.#undoings = new Undoings(workflow);
  }

  list(steps: readonly Step[], around: Around): void {
    let before = NOTHING;
    let pivot: Passed | null = null;
    for (const step of steps) {
      const done = before;
      this.#step(step, [{ around: (inside) => inOrder(inside, done), pivot }, ...around]);
      before = inOrder(this.#undoings.settled(step), before);
      pivot = stronger(pivot, passedBy(step));
    }
  }

  #step(step: Step, around: Around): void {
    const within = step.catch.length === 0 ? around : [step, ...around];
    if (mayFail(step)) this.failing.push(this.#explain(step, within));
    switch (step.kind) {
      case "steps":
        this.list(step.steps, within);
        break;
      case "parallel":
        for (const branch of step.branches) {
          this.#step(branch, [this.#siblings(step, branch), ...within]);
        }
        break;
      case "switch":
        for (const { steps } of step.branches) this.list(steps, within);
        break;
      case "foreach":
      case "repeat":
        this.list(step.steps, [this.#otherRounds(step), ...within]);
    }
    for (const { steps, undo } of step.catch) {
      // Its own `catch` has had its turn.
      this.list(steps, [this.#caught(step, undo), ...around]);
    }
  }

  #explain(step: Step, around: Around): FailingStep {
    let undone = this.#own(step);
    let pivot = ownPivot(step);
    const caught: Caught[] = [];
    let codes = ownCodes(step, this.workflow);
    const hasReason = step.kind === "call" || step.kind === "workflow";
    for (const each of around) {
      if (!("path" in each)) {
        undone = each.around(undone);
        pivot = stronger(pivot, each.pivot);
        continue;
      }
      for (const [entry, { codes: named, reason, when, undo, steps }] of each.catch.entries()) {
        const taken = named.length === 0 ? codes : codes.filter((code) => named.includes(code));
        if (taken.length === 0 || reason !== null && !hasReason) continue;
        const left = isSure(each.catch[entry])
          ? codes.filter((code) => !taken.includes(code))
          : codes;
        caught.push({
          step: each.path,
          entry,
          codes: named,
          reason,
          when,
          always: left.length === 0,
          undo: undo ? undone.undo : null,
          steps: steps.map(({ path }) => path),
          endings: endingsOf(steps),
        });
        codes = left;
        if (codes.length === 0) break;
      }
      if (codes.length === 0) break;
    }
    const end = codes.length === 0
      ? "goes_on"
      : pivot === null
      ? "rolls_back"
      : pivot.when === "always"
      ? "waits"
      : "rolls_back_or_waits";
    const back = end === "rolls_back" || end === "rolls_back_or_waits";
    return {
      step: step.path,
      place: step.place,
      verify: step.kind === "call" && step.verify !== null,
      caught,
      end,
      pivot: end === "goes_on" ? null : pivot,
      undo: back ? undone.undo : [],
      stays: back ? undone.stays : [],
    };
  }

  /** What the failed step itself leaves: a call that may have happened, or a part of a block. */
  #own(step: Step): Undone {
    if (step.kind === "call") return this.#inDoubt(step);
    const isInside = step.timeout !== null || step.kind === "repeat" ||
      step.kind === "foreach" && reads(step.result);
    return isInside ? perhaps(this.#undoings.inside(step), this.#undoings.doubts) : NOTHING;
  }

  /** A call whose outcome is unknown; a `verify` settles that, and a pivot is not undone. */
  #inDoubt(step: Step): Undone {
    if (step.kind !== "call" || step.verify !== null || step.pivot) return NOTHING;
    return this.#undoings.ofCall(step, "unknown");
  }

  /** Branches beside one that fails: those that it needs are done, others may be, or are in flight. */
  #siblings(parallel: ParallelStep, branch: Step): Surrounding {
    const byId = new Map(parallel.branches.map((each) => [each.id, each]));
    const needed = neededBy(branch, byId);
    const others = parallel.branches.filter((each) =>
      each !== branch && !needed.has(each) && !neededBy(each, byId).has(branch)
    );
    const before = sideBySide(
      parallel.path,
      [...needed].map((each) => this.#undoings.settled(each)),
    );
    const beside = others.map((each) =>
      perhaps(this.#undoings.settled(each), this.#undoings.doubts)
    );
    return {
      around: (inside) => sideBySide(parallel.path, [inOrder(inside, before), ...beside]),
      pivot: null,
    };
  }

  /** The rounds before, or beside, the one that fails. */
  #otherRounds(step: Extract<Step, { kind: "foreach" | "repeat" }>): Surrounding {
    const one = this.#undoings.list(step.steps);
    const isAlone = step.kind === "repeat" || step.concurrency === 1;
    const { undo } = isAlone
      ? roundsOf(step, "earlier", one)
      : roundsOf(step, "others", perhaps(one, this.#undoings.doubts));
    const { stays } = perhaps(one); // it may be that there is no other round
    return {
      around: (inside) => {
        const known = new Set(inside.stays.map(({ step }) => step));
        const more = stays.filter(({ step }) => !known.has(step));
        return isAlone
          ? inOrder(inside, { undo, stays: more })
          : sideBySide(step.path, [inside, { undo, stays: more }]);
      },
      pivot: null,
    };
  }

  /** What the step has left whose `catch` does something that fails. */
  #caught(step: Step, undo: boolean): Surrounding {
    const left = step.kind === "call"
      ? this.#inDoubt(step)
      : perhaps(this.#undoings.inside(step), this.#undoings.doubts);
    const { stays } = left;
    const before = undo ? { undo: [], stays } : left;
    const passed = passedBy({ ...step, catch: [] });
    return {
      around: (inside) => inOrder(inside, before),
      pivot: passed === null ? null : { step: passed.step, when: "perhaps" },
    };
  }
}

/** Whether anything can make a step fail. */
function mayFail(step: Step): boolean {
  if (step.timeout !== null || step.when !== null) return true;
  switch (step.kind) {
    case "call":
    case "workflow":
    case "fail":
    case "repeat":
      return true;
    case "set":
      return reads({ ...step.values });
    case "return":
      return reads(step.value);
    case "foreach":
      return reads(step.items) || reads(step.result);
    case "switch":
      return step.branches.some(({ when }) => when !== null);
    case "wait":
      return reads(step.until);
    default:
      return false;
  }
}

function reads(template: Template): boolean {
  return templateRefs(template).length > 0;
}

/** The codes that a step fails with by itself, not through what is in it. */
function ownCodes(step: Step, workflow: Workflow): readonly string[] {
  switch (step.kind) {
    case "steps":
    case "parallel":
    case "switch":
    case "foreach":
    case "repeat": {
      const most = step.kind === "repeat" && step.maxRounds !== null ? ["REPEAT_EXHAUSTED"] : [];
      return ["EXPRESSION_ERROR", ...(step.timeout === null ? [] : ["STEP_TIMEOUT"]), ...most];
    }
    case "fail":
      return reads(step.message) ? [step.code, "EXPRESSION_ERROR"] : [step.code];
    default:
      return [...failuresOf(step, workflow).codes];
  }
}

function isSure(entry: CatchEntry | undefined): boolean {
  return entry !== undefined && entry.when === null && entry.reason === null;
}
