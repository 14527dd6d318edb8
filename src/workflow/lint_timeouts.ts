/** Timeouts that are over before what they are for can be done. @module */
import type { Problem } from "../errors.ts";
import { listsOf } from "./calls.ts";
import { formatDuration } from "./durations.ts";
import type { LintContext } from "./check_context.ts";
import type { CallStep, RetryRule, Step, Workflow } from "./model.ts";
import { warningAt } from "./problems.ts";

/** Warns of timeouts that the retries, the pauses or the waits below them can't fit in. */
export function lintTimeouts(workflow: Workflow, context: LintContext): readonly Problem[] {
  return [...tooShort(workflow.steps, workflow.timeout)].flatMap(({ step, least, message }) => {
    if (context.flawed.has(step.path)) return [];
    const place = step.timeout === null ? step.place : context.where.value(step.path, "timeout");
    return warningAt(
      place,
      "timeout_too_short",
      `A timeout of ${formatDuration(least)} ${message}`,
    );
  });
}

interface TooShort {
  readonly step: Step;
  readonly least: number;
  /** Goes on `A timeout of 1s`. */
  readonly message: string;
}

/** @param limit the shortest timeout around; `null`: none */
function* tooShort(steps: readonly Step[], limit: number | null): Generator<TooShort> {
  for (const step of steps) {
    const least = smaller(step.timeout, limit);
    const message = least === null ? null : whyTooShort(step, least);
    if (least !== null && message !== null) yield { step, least, message };
    for (const list of listsOf(step)) yield* tooShort(list, least);
    for (const entry of step.catch) yield* tooShort(entry.steps, limit); // its time is not the step's
  }
}

function whyTooShort(step: Step, least: number): string | null {
  switch (step.kind) {
    case "call": {
      const delays = shortestDelays(step.retry);
      return delays < least ? null : `is over before ${lastAttempt(step)}`;
    }
    case "wait":
      return step.duration === null || step.duration < least
        ? null
        : `is over before this wait of ${formatDuration(step.duration)}`;
    case "repeat":
      return step.every < least || step.maxRounds === 1
        ? null
        : `is over before the second round: the pause between rounds takes ${
          formatDuration(step.every)
        }`;
    case "workflow": {
      for (const found of tooShort(step.workflow.steps, least)) {
        if (found.least !== least) continue; // told of in its own file
        const { id, place } = found.step;
        return `${found.message}, in "${id}" (${place.file}:${place.line})`;
      }
      return null;
    }
    default:
      return null;
  }
}

function lastAttempt({ retry }: CallStep): string {
  return `the last of ${retry.attempts} attempts: the delays alone take at least ${
    formatDuration(shortestDelays(retry))
  }`;
}

function smaller(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.min(a, b);
}

/** The delays of all retries, where chance makes each as short as it can be (semantics.md §1). */
function shortestDelays(rule: RetryRule): number {
  let total = 0;
  let delay = rule.initialDelay;
  for (let retry = 1; retry < rule.attempts; retry++) {
    total += Math.min(delay, rule.maxDelay) * (1 - rule.jitter);
    if (total > Number.MAX_SAFE_INTEGER || retry > 10_000) break;
    if (rule.backoff === "exponential") delay = Math.min(delay * rule.multiplier, rule.maxDelay);
  }
  return Math.round(total);
}
