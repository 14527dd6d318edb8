import type { Json } from "../workflow/json.ts";
import type { Outcome } from "./outcome.ts";

/** A failed step as expressions and reports see it: language.md's `.error`. Plain data, so that it survives a journal. */
export interface Failure {
  /** A gRPC code by name (`UNAVAILABLE`), or one of Maestro's own (`STEP_TIMEOUT`). */
  readonly code: string;
  /** What went wrong, for people: the service's own words where it answered with any. */
  readonly message: string;
  /** The path of the step that failed. */
  readonly step: string;
  /** Calls made, the first included. */
  readonly attempts: number;
  /** Whether the step may have happened all the same. */
  readonly outcome: Outcome;
  /** `google.rpc.ErrorInfo.reason`, such as `CARD_DECLINED`; else `""`. */
  readonly reason: string;
  /** Who defines the reason: `google.rpc.ErrorInfo.domain`, such as `acme.com`; else `""`. */
  readonly domain: string;
  /** What the reason is about: `google.rpc.ErrorInfo.metadata`; else `{}`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The `google.rpc.Status` details as ProtoJSON, each with its `@type`; none: `[]`. */
  readonly details: readonly Json[];
}

/** Why one attempt failed, as the edge reports it. */
export interface AttemptFailure {
  /** A gRPC code by name, or why nothing could be sent: `INVALID_REQUEST`, `EXPRESSION_ERROR`. */
  readonly code: string;
  /** What went wrong, for people. */
  readonly message: string;
  /** Whether the call may have happened: what may be repeated, and what is undone, goes by it. */
  readonly outcome: Exclude<Outcome, "completed">;
  /** `google.rpc.ErrorInfo.reason`. */
  readonly reason?: string;
  /** `google.rpc.ErrorInfo.domain`. */
  readonly domain?: string;
  /** `google.rpc.ErrorInfo.metadata`. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** The `google.rpc.Status` details as ProtoJSON, each with its `@type`. */
  readonly details?: readonly Json[];
  /** Trailer `grpc-retry-pushback-ms`: exactly this delay in milliseconds, or `stop`. */
  readonly pushback?: number | "stop";
  /** It is this side's own doing, such as a limit of its own: it says nothing about the service. */
  readonly local?: boolean;
  /** Messages of a stream had come back before it failed: it is not made again (semantics.md §1). */
  readonly begun?: boolean;
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
