import type { RetryRule, SagaRule } from "../workflow/model.ts";
import { backoffDelay, type BackoffRule } from "./backoff.ts";
import type { AttemptFailure } from "./failure.ts";

/** What follows a failed attempt: another one at a moment, or the end of trying. */
export type Verdict =
  | { readonly kind: "retry"; readonly at: number; readonly freshBackoff: boolean }
  | { readonly kind: "stop" };

/** A failed attempt, and where the call stands. */
export interface Failed {
  readonly failure: AttemptFailure;
  /** Attempts made so far, this one included. */
  readonly attempts: number;
  /** Which retry the next one would be, counted from the last server pushback; 1 is the first. */
  readonly retry: number;
  /** When the attempt ended, in milliseconds since the epoch. */
  readonly at: number;
  /** Uniform in [0, 1). */
  readonly random: number;
  /** When what is left of step and run is used up; `null`: never. */
  readonly deadline: number | null;
}

/** How a call is retried, besides its backoff. */
export interface ActionRule {
  readonly retry: RetryRule;
  readonly idempotent: boolean;
  /** Codes the step itself named. */
  readonly ownCodes: readonly string[];
}

/** There is no further attempt. */
export const STOP: Verdict = { kind: "stop" };

/** Codes of the transport that say nothing arrived in time or at all (gRPC A6's usual retryable set). */
const TRANSIENT: ReadonlySet<string> = new Set(["UNAVAILABLE", "DEADLINE_EXCEEDED"]);

/** Not the network's: what could not be made now can't be made a second later either. */
const UNSENDABLE: ReadonlySet<string> = new Set(["INVALID_REQUEST", "EXPRESSION_ERROR"]);

/** A compensation is retried on every code but these (semantics.md §4): asking again can't help. */
const HOPELESS: ReadonlySet<string> = new Set([
  "INVALID_ARGUMENT",
  "UNIMPLEMENTED",
  "UNAUTHENTICATED",
  "PERMISSION_DENIED",
  "INVALID_REQUEST",
  "EXPRESSION_ERROR",
]);

/** The table of semantics.md §1: whether, and when, an action is tried again. */
export function retryAction(rule: ActionRule, failed: Failed): Verdict {
  if (failed.attempts >= rule.retry.attempts || !isRetryable(rule, failed.failure)) return STOP;
  return schedule(rule.retry, failed);
}

/** semantics.md §4.4: a compensation is tried until `deadline`, which is when it gives up. */
export function retryCompensation(rule: SagaRule["retry"], failed: Failed): Verdict {
  const { code } = failed.failure;
  return HOPELESS.has(code) || isUndone(code) ? STOP : schedule(rule, failed);
}

/** semantics.md §4.4: what isn't there needs no undoing. */
export function isUndone(code: string | undefined): boolean {
  return code === "NOT_FOUND";
}

/** Whether a failure is one after which a call may be made again, if there is time and an attempt left. */
export function isRetryable(rule: ActionRule, failure: AttemptFailure): boolean {
  const { code } = failure;
  if (failure.begun === true) return false; // semantics.md §1: of a stream, a message has come back
  if (rule.ownCodes.includes(code)) return true; // said of this very step
  // Whatever the code: it may also be that of a server which was only asked for its schema.
  if (failure.outcome === "not_sent") return !UNSENDABLE.has(code);
  if (!rule.idempotent) return false;
  if (TRANSIENT.has(code) || rule.retry.codes.includes(code)) return true;
  return code === "RESOURCE_EXHAUSTED" &&
    (typeof failure.pushback === "number" || failure.retryDelay !== undefined);
}

/** Pushback beats RetryInfo beats backoff; a delay that outlasts what is left is no delay at all. */
function schedule(rule: BackoffRule, failed: Failed): Verdict {
  const { pushback, retryDelay } = failed.failure;
  if (pushback === "stop") return STOP;
  const delay = pushback ??
    Math.max(backoffDelay(rule, failed.retry, failed.random), retryDelay ?? 0);
  const at = failed.at + delay;
  if (failed.deadline !== null && at >= failed.deadline) return STOP;
  return { kind: "retry", at, freshBackoff: pushback !== undefined };
}
