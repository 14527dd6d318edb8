/**
 * What calls, operators and a service's actor say to each other, and what others may see of it.
 *
 * @module
 */
import type { Snapshot } from "xstate";
import type { BreakerRule } from "../workflow/service_rules.ts";
import type { CallResult } from "./breaker.ts";
import type { Receiver } from "./machine.ts";
import type { ResultWindow, WindowFigures } from "./result_window.ts";

/** What a caller hears from a service's actor. */
export type Admission =
  | { readonly type: "admitted"; readonly permit: Permit }
  /** `until`: when it may be asked again, in milliseconds since the epoch; `null`: nobody knows. */
  | { readonly type: "waiting"; readonly until: number | null }
  | { readonly type: "refused"; readonly until: number | null };

/** Lets one attempt through. It is good for one `result` or one `withdraw`. */
export interface Permit {
  /** The breaker's state when it was given; a result from an earlier one is dropped. */
  readonly epoch: number;
}

/** Whoever asks to be let through. */
export type CallerRef = Receiver<Admission>;

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
  /** What the service says of its own health. */
  | { readonly type: "health"; readonly serving: boolean }
  /** An operator holds calls back, whatever their results, until a `reset`. */
  | { readonly type: "force_open" }
  /** An operator closes the breaker, and what it has seen so far is forgotten. */
  | { readonly type: "reset" };

/** Whether a breaker lets calls through: all, none, a few on trial, or none until an operator says so. */
export type BreakerState = "closed" | "open" | "half_open" | "forced_open";

/** What of a service's actor others may look at. */
export type ServiceSnapshot = Snapshot<unknown> & {
  /** Its {@linkcode BreakerState}. */
  readonly value: string;
  readonly context: {
    /** The permit of its present state. */
    readonly permit: Permit;
    readonly openUntil: number | null;
    readonly rule: BreakerRule;
    readonly window: ResultWindow;
    readonly queue: { readonly size: number };
    readonly permits: number;
  };
};

/** Where a breaker stands, for operators. */
export interface ServiceView {
  /** Whether it lets calls through. */
  readonly state: BreakerState;
  /** When an open one becomes half-open, in milliseconds since the epoch; `null`: no timer runs. */
  readonly openUntil: number | null;
  /** The results that opened it, or may open it. */
  readonly window: WindowFigures;
  /** Calls that wait to be let through. */
  readonly waiting: number;
  /** Trial calls that a half-open one still lets through; else 0. */
  readonly permitsLeft: number;
}

/** Reads a service's snapshot, at a moment in milliseconds since the epoch. */
export function viewOf({ value, context }: ServiceSnapshot, now: number): ServiceView {
  return {
    state: value as BreakerState, // the machine's states by name
    openUntil: context.openUntil,
    window: context.window.figures(now),
    waiting: context.queue.size,
    permitsLeft: context.permits,
  };
}
