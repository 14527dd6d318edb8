/**
 * The circuit breaker's arithmetic as values and pure functions (semantics.md §2): what counts as
 * a failure, and the window of results. The constants come from resilience4j's defaults where
 * semantics.md does not say otherwise.
 *
 * @module
 */
import type { BreakerRule } from "../workflow/model.ts";

/** What one result is to the breaker. */
export type Mark = "success" | "failure" | "ignored";

/** One finished call. */
export interface CallResult {
  /** `OK`, a gRPC code, or one of Maestro's own. */
  readonly code: string;
  readonly duration: number;
  /** The call was granted its whole `attempt_timeout`. */
  readonly full: boolean;
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
  if (IGNORED.has(result.code)) return "ignored";
  if (result.code === "DEADLINE_EXCEEDED" && !result.full) return "ignored";
  const failed = rule.failureCodes.length > 0
    ? rule.failureCodes.includes(result.code)
    : FAILURES.has(result.code);
  return failed ? "failure" : "success";
}

/** Whether a result counts as slow. */
export function isSlow(rule: BreakerRule, result: CallResult): boolean {
  return rule.slowCall !== null && result.duration >= rule.slowCall;
}

/** Results that came in about the same moment. */
interface Bucket {
  readonly since: number;
  readonly calls: number;
  readonly failures: number;
  readonly slow: number;
}

/** The results a closed breaker looks at, oldest first. */
export type Window = readonly Bucket[];

/** A window before the first result. */
export const EMPTY_WINDOW: Window = [];

/** A time window is kept in this many parts, so that its size does not grow with the traffic. */
const PARTS = 60;

/** The window after one more result, without what is too old or too many. */
export function addResult(
  rule: BreakerRule,
  window: Window,
  at: number,
  result: { readonly failure: boolean; readonly slow: boolean },
): Window {
  const one = {
    since: at,
    calls: 1,
    failures: Number(result.failure),
    slow: Number(result.slow),
  };
  if (rule.window.kind === "count") {
    return [...window, one].slice(-rule.window.calls);
  }
  const { milliseconds } = rule.window;
  const kept = window.filter((bucket) => bucket.since > at - milliseconds);
  const last = kept.at(-1);
  if (last === undefined || at - last.since >= milliseconds / PARTS) return [...kept, one];
  return [...kept.slice(0, -1), {
    since: last.since,
    calls: last.calls + 1,
    failures: last.failures + one.failures,
    slow: last.slow + one.slow,
  }];
}

/** Whether a closed breaker opens on this window. */
export function isTripped(rule: BreakerRule, window: Window): boolean {
  let calls = 0, failures = 0, slow = 0;
  for (const bucket of window) {
    calls += bucket.calls;
    failures += bucket.failures;
    slow += bucket.slow;
  }
  if (calls < rule.minCalls) return false;
  return (failures > 0 && failures * 100 >= rule.failureRate * calls) ||
    (slow > 0 && slow * 100 >= rule.slowCallRate * calls);
}
