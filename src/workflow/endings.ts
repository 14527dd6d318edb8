/**
 * How a list of steps comes to its end by what is written in it, whatever its calls come to.
 *
 * @module
 */
import type { Step } from "./model.ts";

/** `goes_on`: with what comes after it; `returns`: it ends the run as completed; `fails`: by a `fail`. */
export type Ending = "goes_on" | "returns" | "fails";

/** How steps, one after the other, may end. */
export function endingsOf(steps: readonly Step[]): readonly Ending[] {
  const { goesOn, returns, fails } = ofList(steps);
  return [
    ...(goesOn ? ["goes_on" as const] : []),
    ...(returns ? ["returns" as const] : []),
    ...(fails.size > 0 ? ["fails" as const] : []),
  ];
}

interface Endings {
  readonly goesOn: boolean;
  readonly returns: boolean;
  /** The codes of each `fail` that nothing catches. */
  readonly fails: ReadonlySet<string>;
}

const GOES_ON: Endings = { goesOn: true, returns: false, fails: new Set() };

function ofList(steps: readonly Step[]): Endings {
  let sofar = GOES_ON;
  for (const step of steps) {
    if (!sofar.goesOn) break;
    const next = ofStep(step);
    sofar = { ...oneOf(sofar, next), goesOn: next.goesOn };
  }
  return sofar;
}

function ofStep(step: Step): Endings {
  let endings = ofForm(step);
  for (const { codes, reason, when, steps } of step.catch) {
    if (reason !== null) continue; // a `fail` has none
    const taken = [...endings.fails].filter((code) => codes.length === 0 || codes.includes(code));
    if (taken.length === 0) continue;
    const left = when === null ? endings.fails.difference(new Set(taken)) : endings.fails;
    endings = oneOf({ ...endings, fails: left }, ofList(steps));
  }
  return step.when === null ? endings : oneOf(GOES_ON, endings);
}

function ofForm(step: Step): Endings {
  switch (step.kind) {
    case "return":
      return { goesOn: false, returns: true, fails: new Set() };
    case "fail":
      return { goesOn: false, returns: false, fails: new Set([step.code]) };
    case "switch": {
      const ways = step.branches.map(({ steps }) => ofList(steps));
      const isSure = step.branches.at(-1)?.when === null;
      return (isSure ? ways : [GOES_ON, ...ways]).reduce(oneOf);
    }
    case "foreach":
      return oneOf(GOES_ON, ofList(step.steps)); // there may be no items
    case "parallel": {
      const branches = step.branches.map(ofStep);
      return { ...branches.reduce(oneOf), goesOn: branches.every(({ goesOn }) => goesOn) };
    }
    case "steps":
    case "repeat":
      return ofList(step.steps);
    default:
      return GOES_ON;
  }
}

function oneOf(a: Endings, b: Endings): Endings {
  return {
    goesOn: a.goesOn || b.goesOn,
    returns: a.returns || b.returns,
    fails: a.fails.union(b.fails),
  };
}
