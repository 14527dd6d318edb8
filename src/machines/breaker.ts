/**
 * The circuit breaker's arithmetic (semantics.md §2): what counts as a failure, and when there are
 * too many of them. The constants come from resilience4j's defaults where
 * semantics.md does not say otherwise.
 *
 * @module
 */
import type { BreakerRule } from "../workflow/service_rules.ts";
import { CountWindow } from "./count_window.ts";
import type { ResultWindow, WindowFigures } from "./result_window.ts";
import { TimeWindow } from "./time_window.ts";

/** What one result is to the breaker. */
export type Mark = "success" | "failure" | "ignored";

/** One finished call. */
export interface CallResult {
  /** `OK`, a gRPC code, or one of Maestro's own. */
  readonly code: string;
  readonly duration: number;
  /** The call was granted its whole `attempt_timeout`. */
  readonly full: boolean;
  /** It failed by this side's own doing. */
  readonly local?: boolean;
}

/** Failures where `failure_codes` names none. */
const FAILURES: ReadonlySet<string> = new Set([
  "UNAVAILABLE",
  "DEADLINE_EXCEEDED",
  "RESOURCE_EXHAUSTED",
  "INTERNAL",
  "UNKNOWN",
  "DATA_LOSS",
]);

/** Nothing was asked of the service, or nobody waited for its answer. */
const IGNORED: ReadonlySet<string> = new Set(["CANCELLED", "INVALID_REQUEST", "EXPRESSION_ERROR"]);

/** What a result says about the service. */
export function markOf(rule: BreakerRule, result: CallResult): Mark {
  if (result.code === "OK") return "success";
  if (result.local || IGNORED.has(result.code)) return "ignored";
  if (result.code === "DEADLINE_EXCEEDED" && !result.full) return "ignored";
  const failed = rule.failureCodes.length > 0
    ? rule.failureCodes.includes(result.code)
    : FAILURES.has(result.code);
  return failed ? "failure" : "success";
}

/** Whether a result counts as slow. */
export function isSlow({ slowCall }: BreakerRule, duration: number): boolean {
  return slowCall !== null && duration >= slowCall;
}

/** An empty window of the kind that the rule wants. */
export function windowOf({ window }: BreakerRule): ResultWindow {
  return window.kind === "count"
    ? new CountWindow(window.calls)
    : new TimeWindow(window.milliseconds);
}

/** Whether a closed breaker opens on these results. */
export function isTripped(rule: BreakerRule, { calls, failures, slow }: WindowFigures): boolean {
  if (calls < rule.minCalls) return false;
  return (failures > 0 && failures * 100 >= rule.failureRate * calls) ||
    (slow > 0 && slow * 100 >= rule.slowCallRate * calls);
}
