/**
 * What a call actor is made with, and what it holds.
 *
 * @module
 */
import type { CallStep, CallTarget, SagaRule } from "../workflow/model.ts";
import type { Board, Deadline, Passage, Request, Scope } from "./board.ts";
import type { Op } from "./facts.ts";
import { recordOf, type StepRecord } from "./records.ts";
import type { ActionRule } from "./retry.ts";
import type { Receiver } from "./machine.ts";
import type { Permit } from "./service_events.ts";
import type { Resolved } from "./told.ts";
import type { Slot } from "./turnstile.ts";

/** What a call actor is made with. */
export interface CallInput {
  readonly board: Board;
  /** The step that it is; `null`: what undoes or verifies one. */
  readonly step: CallStep | null;
  readonly path: string;
  /** The path of the action that it is, or compensates. */
  readonly action: string;
  /** From where its expressions look. */
  readonly scope: Scope;
  readonly target: CallTarget;
  readonly rule: CallRule;
  /** The step's own `timeout`, in milliseconds. */
  readonly timeout: number | null;
  /** When an enclosing block or the run is out of time. */
  readonly deadline: Deadline;
  /** It may finish its attempt when its block fails, since it can be undone. */
  readonly mayFinish: boolean;
  /** The block around it is failing already: only after a restart. */
  readonly cancelled: boolean;
}

/** How a call is tried again: as an action, or as a compensation. */
export type CallRule =
  | ({ readonly op: "action" } & ActionRule)
  | ({ readonly op: "compensate" | "verify"; readonly idempotent: true } & SagaRule);

/** What a call actor holds besides the fold. */
export interface CallContext extends Omit<CallInput, "cancelled"> {
  readonly op: Op;
  /** What it has to pass; the same for all of its attempts, so that permits come back where they are from. */
  readonly passage: Passage;
  /** The block around it is failing, or the run is to stop. */
  cancelled: boolean;
  request: Request | null;
  /** It has asked the breaker, and has no answer yet. */
  asking: boolean;
  permit: Permit | null;
  /** What asks whether it happened. */
  verifying: Receiver<Resolved> | null;
  slot: Slot | null;
  /** The delay before the next attempt is over. */
  backedOff: boolean;
  /** The attempt under way was first made before a restart: it may have left then. */
  remade: boolean;
}

/** The call's record. */
export function recordFor({ board, path, op }: CallContext): StepRecord {
  const record = recordOf(board.state, path, op);
  if (record === undefined) throw new Error(`"${path}" has not started`);
  return record;
}
