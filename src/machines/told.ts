/**
 * What the actors of steps are told, besides that their children have ended.
 *
 * @module
 */
import type { Value } from "../workflow/value.ts";
import type { Failure } from "./failure.ts";
import type { EndStatus } from "./facts.ts";

/** Asks a step or block to come to its end without starting anything new. */
export interface Cancel {
  readonly type: "cancel";
}

/** An operator's word on a parked step; the fold has it already. */
export interface Resolved {
  readonly type: "resolved";
}

/** A signal from outside has come in; the fold has it already. */
export interface Signalled {
  readonly type: "signalled";
}

/** What any step's actor may be told. */
export type Told = Cancel | Resolved | Signalled;

/** A child run has passed its pivot, which is its parent's. */
export interface ChildPivoted {
  readonly type: "child_pivoted";
}

/** How a child run has ended. */
export interface ChildTold {
  readonly type: "child_told";
  readonly status: EndStatus;
  readonly output: Value | undefined;
  readonly failure: Failure | null;
  /** It has passed a pivot of its own. */
  readonly pivot: boolean;
}
