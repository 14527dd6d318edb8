/**
 * What calls and a service's actor say to each other.
 *
 * @module
 */
import type { ActorRef, EventObject, Snapshot } from "xstate";
import type { CallResult } from "./breaker.ts";

/** What a caller hears from a service's actor. */
export type Admission =
  | { readonly type: "admitted"; readonly permit: Permit }
  | { readonly type: "waiting"; readonly until: number | null }
  | { readonly type: "refused"; readonly until: number | null };

/** Lets one attempt through. It is good for one `result` or one `withdraw`. */
export interface Permit {
  /** The breaker's state when it was given; a result from an earlier one is dropped. */
  readonly epoch: number;
}

/** Whoever asks to be let through. */
export type CallerRef = ActorRef<Snapshot<unknown>, Admission, EventObject>;

/** What a service's actor is told. */
export type ServiceEvent =
  | {
    readonly type: "ask";
    readonly caller: CallerRef;
    /** Waits for a half-open slot even where `on_open` is `fail`: a compensation. */
    readonly patient: boolean;
  }
  | {
    readonly type: "result";
    readonly caller: CallerRef;
    readonly permit: Permit;
    readonly result: CallResult;
    readonly at: number;
  }
  | { readonly type: "withdraw"; readonly caller: CallerRef; readonly permit: Permit | null }
  /** A run was stopped where it stood: its callers are gone without a word. */
  | { readonly type: "left" };

/** What of a service's state others may look at. */
export type ServiceSnapshot = Snapshot<unknown> & {
  readonly value: unknown;
  readonly context: { readonly epoch: number };
};
