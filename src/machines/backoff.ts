import type { RetryRule } from "../workflow/model.ts";

/** The part of a retry rule that says how long to wait. */
export type BackoffRule = Pick<
  RetryRule,
  "backoff" | "initialDelay" | "multiplier" | "maxDelay" | "jitter"
>;

/**
 * Delay before the next attempt, in milliseconds: gRPC proposal A6's exponential backoff, its
 * jitter taken off the top (AWS's "equal jitter" at 0.5), so that `maxDelay` is never exceeded.
 *
 * @param retry 1 for the first retry, or the first after server pushback
 * @param random uniform in [0, 1)
 */
export function backoffDelay(rule: BackoffRule, retry: number, random: number): number {
  const delay = rule.backoff === "constant"
    ? rule.initialDelay
    : Math.min(rule.maxDelay, rule.initialDelay * rule.multiplier ** (retry - 1));
  return delay * (1 - rule.jitter * random);
}
