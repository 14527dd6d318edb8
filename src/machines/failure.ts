import type { Json } from "../workflow/json.ts";
import type { Outcome } from "./outcome.ts";

/** A failed step as expressions and reports see it: language.md's `.error`. Plain data, so that it survives a journal. */
export interface Failure {
  /** A gRPC code by name (`UNAVAILABLE`), or one of Maestro's own (`STEP_TIMEOUT`). */
  readonly code: string;
  readonly message: string;
  /** The path of the step that failed. */
  readonly step: string;
  /** Calls made, the first included. */
  readonly attempts: number;
  readonly outcome: Outcome;
  /** `google.rpc.ErrorInfo`, else `""` and `{}`. */
  readonly reason: string;
  readonly domain: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** The `google.rpc.Status` details as ProtoJSON, each with its `@type`. */
  readonly details: readonly Json[];
}

/** Why one attempt failed, as the edge reports it. */
export interface AttemptFailure {
  readonly code: string;
  readonly message: string;
  readonly outcome: Exclude<Outcome, "completed">;
  readonly reason?: string;
  readonly domain?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly details?: readonly Json[];
  /** Trailer `grpc-retry-pushback-ms`: exactly this delay in milliseconds, or `stop`. */
  readonly pushback?: number | "stop";
  /** `google.rpc.RetryInfo`: at least this delay, in milliseconds. */
  readonly retryDelay?: number;
}

/** The failure of a step from that of its last attempt. */
export function failureOf(
  attempt: Omit<AttemptFailure, "outcome">,
  step: { readonly path: string; readonly attempts: number; readonly outcome: Outcome },
): Failure {
  return {
    code: attempt.code,
    message: attempt.message,
    step: step.path,
    attempts: step.attempts,
    outcome: step.outcome,
    reason: attempt.reason ?? "",
    domain: attempt.domain ?? "",
    metadata: attempt.metadata ?? {},
    details: attempt.details ?? [],
  };
}
