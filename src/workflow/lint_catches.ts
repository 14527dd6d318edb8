/** Entries of a `catch`, and codes of them, that no failure can ever fit. @module */
import type { Problem } from "../errors.ts";
import { eachStep } from "./calls.ts";
import type { LintContext } from "./check_context.ts";
import { type Failures, failuresOf } from "./failures.ts";
import type { CatchEntry, Step, Workflow } from "./model.ts";
import { warningAt } from "./problems.ts";
import { type OWN_CODES, RUN_CODES } from "./words.ts";

/** Warns of every entry that can't fit. */
export function lintCatches(
  workflow: Workflow,
  { where, flawed }: LintContext,
): readonly Problem[] {
  return [...eachStep(workflow.steps)].flatMap((step) => {
    if (step.catch.length === 0 || flawed.has(step.path)) return [];
    const failures = failuresOf(step, workflow);
    return step.catch.flatMap((entry, at) => {
      const earlier = step.catch.slice(0, at);
      const place = (...part: PropertyKey[]) => where.value(step.path, "catch", at, ...part);
      const why = whyNever(entry, earlier, failures);
      if (why !== null) return [warningAt(place(), "catch_never_fits", why)];
      return entry.codes.flatMap((code, index) => {
        const reason = whyNoCode(code, entry, earlier, failures, step);
        return reason === null
          ? []
          : [warningAt(place("codes", index), "catch_never_fits", reason)];
      });
    });
  });
}

function whyNever(
  entry: CatchEntry,
  earlier: readonly CatchEntry[],
  failures: Failures,
): string | null {
  const taker = earlier.find((other) => covers(other, entry, null));
  if (taker !== undefined) {
    return `Never fits: the entry at line ${taker.place.line} comes first and takes ` +
      (taker.codes.length === 0 && taker.reason === null
        ? "every failure"
        : "all that this one would");
  }
  if (entry.reason !== null && !failures.mayHaveReason) {
    return 'Never fits: nothing in this step calls a service, and only an answer has a "reason"';
  }
  return null;
}

function whyNoCode(
  code: string,
  entry: CatchEntry,
  earlier: readonly CatchEntry[],
  failures: Failures,
  step: Step,
): string | null {
  if (RUN_CODES.some((each) => each === code)) {
    return `No "catch" takes ${code}: the run has ended for the steps by then, and is rolled back`;
  }
  if (!failures.codes.has(code)) return `This step never fails as ${code}${advice(code, step)}`;
  const taker = earlier.find((other) => covers(other, entry, code));
  return taker === undefined ? null : `The entry at line ${taker.place.line} takes ${code} first`;
}

/** Whether an entry takes whatever a later one would, of one code or of all. */
function covers(entry: CatchEntry, later: CatchEntry, code: string | null): boolean {
  if (entry.when !== null) return false;
  if (entry.reason !== null && entry.reason !== later.reason) return false;
  if (entry.codes.length === 0) return true;
  const wanted = code === null ? later.codes : [code];
  return wanted.length > 0 && wanted.every((each) => entry.codes.includes(each));
}

/** What would have to be there for a code of Maestro's own. */
function advice(code: string, step: Step): string {
  switch (code as typeof OWN_CODES[number]) {
    case "STEP_TIMEOUT":
      return step.kind === "call"
        ? ': it has no "timeout"; a call that takes too long is DEADLINE_EXCEEDED'
        : ': it has no "timeout"';
    case "CIRCUIT_OPEN":
      return ': it calls no service that has a "circuit_breaker"';
    case "RETRY_BUDGET_EXHAUSTED":
      return ': it calls no service whose "retry" has a "budget", or it has no retries';
    case "REPEAT_EXHAUSTED":
      return ': there is no "repeat" with "max_rounds" in it';
    case "CHILD_FAILED":
      return ': it starts no other "workflow"';
    case "INVALID_REQUEST":
      return ": it calls nothing";
    case "EXPRESSION_ERROR":
      return "";
    default:
      return ': it calls no service, and no "fail" in it has this code';
  }
}
