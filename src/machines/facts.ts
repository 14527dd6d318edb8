/**
 * The facts a run is made of. Append-only, JSON-safe; where a run stands is a fold over them.
 *
 * @module
 */
import type { Value } from "../workflow/value.ts";
import type { Failure } from "./failure.ts";
import type { Outcome } from "./outcome.ts";

/** What a call is for (semantics.md §5). */
export type Op = "action" | "compensate" | "verify";

/** What may take its time: what has steps of its own, and what has not. */
export type Form = "block" | "call" | "wait" | "await_signal" | "workflow";

/** How a run ends (semantics.md §4). */
export type EndStatus =
  | "completed"
  | "failed"
  | "compensated"
  | "cancelled"
  | "timed_out"
  | "incomplete";

/** Why a run turns back. */
export type RollbackReason = "failed" | "cancelled" | "timed_out" | "parent";

/** One thing that happened, before it has its number and time. */
export type FactBody =
  | {
    readonly kind: "run_started";
    readonly runId: string;
    readonly workflow: string;
    readonly version: string | null;
    /** Digest of the definition. */
    readonly definition: string;
    readonly correlationId: string;
    readonly traceparent: string | null;
    readonly input: Value;
    readonly env: Readonly<Record<string, string>>;
    /** Digests of the schemas of its services, as far as they were at hand. */
    readonly schemas: Readonly<Record<string, string>>;
    /** Endpoints that win over the workflow's, by service. */
    readonly endpoints: Readonly<Record<string, string>>;
    /** When the forward part must be over, in milliseconds since the epoch. */
    readonly deadline: number | null;
  }
  | {
    readonly kind: "step_started";
    readonly path: string;
    readonly op: Op;
    /** The request of a call, the items of a `foreach`, the input of a child run. */
    readonly input?: Value;
    /** What it is, where it does not end in the moment it starts. */
    readonly form?: Form;
    /** It is this round of the loop around it. */
    readonly round?: number;
    /** When a `wait` is over, in milliseconds since the epoch. */
    readonly dueAt?: number;
  }
  | { readonly kind: "step_skipped"; readonly path: string; readonly op: Op }
  | {
    readonly kind: "attempt_started";
    readonly path: string;
    readonly op: Op;
    readonly attempt: number;
  }
  | {
    readonly kind: "attempt_ended";
    readonly path: string;
    readonly op: Op;
    readonly attempt: number;
    readonly code: string;
    readonly outcome: Outcome;
    /** The answer, where it was OK. */
    readonly output?: Value;
    readonly failure?: Failure;
    /** When the next attempt is due; `null`: there is none. */
    readonly nextAt: number | null;
    /** Backoff starts over with the next attempt (server pushback). */
    readonly freshBackoff?: boolean;
    /** A retry was due, and the service's retry budget forbade it. */
    readonly exhausted?: boolean;
  }
  | {
    readonly kind: "step_completed";
    readonly path: string;
    readonly op: Op;
    /** Left out where it is the last attempt's. */
    readonly output?: Value;
    /** The run is over with this output (`return`). */
    readonly returns?: boolean;
    /** The signal that it waited for, by its id: nobody else gets it. */
    readonly signal?: string;
    /** From here on the run only goes forward. */
    readonly pivot?: boolean;
  }
  | {
    readonly kind: "step_failed";
    readonly path: string;
    readonly op: Op;
    readonly failure: Failure;
    readonly pivot?: boolean;
    /** Something that it did still stands, and nobody will undo it: a child run ended as `incomplete`. */
    readonly stands?: boolean;
  }
  | {
    /** There is no further attempt; whether it happened is asked (`verify`) before it may fail so. */
    readonly kind: "step_doubted";
    readonly path: string;
    readonly op: Op;
    readonly failure: Failure;
  }
  | {
    readonly kind: "step_caught";
    readonly path: string;
    readonly op: Op;
    readonly failure: Failure;
    /** Which entry of its `catch` takes the failure. */
    readonly entry: number;
    readonly pivot?: boolean;
    readonly stands?: boolean;
  }
  | {
    readonly kind: "step_cancelled";
    readonly path: string;
    readonly op: Op;
    readonly outcome: Outcome;
    readonly pivot?: boolean;
    readonly stands?: boolean;
  }
  | {
    readonly kind: "block_failing";
    readonly path: string;
    readonly op: Op;
    readonly failure: Failure;
  }
  | {
    readonly kind: "branch_taken";
    readonly path: string;
    readonly op: Op;
    /** `null`: no branch fits. */
    readonly branch: number | null;
  }
  /** The schema of a service that could not be reached when the run started. */
  | { readonly kind: "schema_found"; readonly service: string; readonly schema: string }
  | {
    readonly kind: "cancel_requested";
    readonly reason: "cancelled" | "timed_out";
    readonly by: string | null;
  }
  | {
    readonly kind: "signal_received";
    readonly name: string;
    /** A second signal with the same id is no signal. */
    readonly id: string;
    readonly payload: Value;
  }
  /** A child run has passed its pivot: this one, too, only goes forward from here on. */
  | { readonly kind: "pivot_passed"; readonly path: string; readonly op: Op }
  /** Something in the child run of a step waits for an operator, or nothing does any more. */
  | {
    readonly kind: "child_attention";
    readonly path: string;
    readonly op: Op;
    readonly parked: boolean;
  }
  | { readonly kind: "rollback_started"; readonly reason: RollbackReason }
  | {
    readonly kind: "attention_raised";
    readonly path: string;
    readonly op: Op;
    readonly failure: Failure;
    /** The request that fails, as plain data; `null` where it could not be made. */
    readonly request: Value;
    readonly pivot?: boolean;
    readonly stands?: boolean;
  }
  | {
    readonly kind: "attention_resolved";
    readonly path: string;
    readonly op: Op;
    readonly action: "retry" | "skip" | "abort";
    /** A changed request, with `retry`. */
    readonly input?: Value;
    /** What an action that is skipped is taken to have answered. */
    readonly output?: Value;
    readonly by: string | null;
    readonly reason: string;
    /** A second word with the same id is none. */
    readonly id?: string;
  }
  | {
    readonly kind: "run_ended";
    readonly status: EndStatus;
    readonly output?: Value;
    readonly failure?: Failure;
  };

/** A fact in its place in the run. */
export type Fact = FactBody & {
  /** The version of the fact's shape. */
  readonly v: 1;
  /** 1, 2, 3, … within the run. */
  readonly seq: number;
  /** When it was recorded, in milliseconds since the epoch. */
  readonly at: number;
};
