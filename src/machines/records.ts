/**
 * Where a run and its steps stand, as the fold over its facts leaves them (`fold.ts`).
 *
 * @module
 */
import type { Value } from "../workflow/value.ts";
import type { Failure } from "./failure.ts";
import type { EndStatus, Fact, Form, Op, RollbackReason } from "./facts.ts";
import type { Outcome } from "./outcome.ts";

/** Where one step, or the compensation of one, stands. */
export interface StepRecord {
  readonly path: string;
  readonly op: Op;
  status: "running" | "completed" | "failed" | "skipped" | "cancelled";
  readonly startedAt: number;
  /** The number of the fact by which it started. */
  readonly startedSeq: number;
  endedSeq: number | null;
  endedAt: number | null;
  /** The request, where the step is a call. */
  input: Value | undefined;
  output: Value | undefined;
  failure: Failure | null;
  /** Attempts started. */
  attempts: number;
  /** How the attempts that ended came out. */
  readonly outcomes: Outcome[];
  /** An attempt has started and not ended. */
  inFlight: boolean;
  /** When the next attempt is due, between two. */
  nextAt: number | null;
  /** The last attempt has ended, none is due, and what follows from it is not recorded yet. */
  unsettled: boolean;
  /** When the last attempt ended, in milliseconds since the epoch. */
  lastEndedAt: number;
  /** The service's retry budget forbade the next attempt. */
  exhausted: boolean;
  /** Retries since the start or the last server pushback. */
  retries: number;
  /** From when `give_up_after` counts: time spent parked counts for nothing. */
  tryingSince: number;
  /** How many of what is inside the block wait for an operator. */
  parkedInside: number;
  /** Since when. */
  parkedSince: number;
  /** How long some did before, in milliseconds. */
  parkedFor: number;
  /** When the last attempt started, in milliseconds since the epoch. */
  lastStartedAt: number;
  /** Attempts started before an operator last had it tried again. */
  attemptsBefore: number;
  /** What the step came to, once it ended. */
  outcome: Outcome | null;
  /** Whether its own work happened, which a `catch` does not change: what there is to undo. */
  effect: Outcome | null;
  /** The number of the fact that told {@linkcode StepRecord.effect}. */
  effectSeq: number;
  /** Set once an entry of its `catch` has taken its failure. */
  caught: { readonly entry: number; readonly failure: Failure } | null;
  /** `null`: it ends in the moment it starts. */
  readonly form: Form | null;
  /** When a `wait` is over, in milliseconds since the epoch. */
  readonly dueAt: number | null;
  /** The rounds of a loop. */
  rounds: LoopRecord;
  /** Set while the step waits for an operator. */
  attention:
    | {
      readonly failure: Failure;
      readonly request: Value; /** The number of its fact. */
      readonly seq: number;
    }
    | null;
  /** Something in its child run waits for an operator. */
  childParked: boolean;
  /** How an operator last resolved it. */
  resolved: "retry" | "skip" | "abort" | null;
  /** How often an operator changed the request, or had a child run started again: the `#2`, `#3`… of its key or id. */
  revisions: number;
  /** The branch of a `switch`; `undefined`: not decided. */
  branch: number | null | undefined;
  /** Set once a block is failing. */
  failing: Failure | null;
  /** The run is over with this step's output. */
  returns: boolean;
}

/** Where the rounds of a loop stand. */
export interface LoopRecord {
  begun: number;
  /** Those that had ended when an operator last had the loop tried again. */
  before: number;
  /** Begun and not ended. */
  readonly open: Set<number>;
  /** The first that failed. */
  failed: Failure | null;
  cancelled: boolean;
  /** The one that ended the run (`return`). */
  returned: string | null;
}

/** A signal that nobody has taken yet. */
export interface Signal {
  readonly id: string;
  readonly name: string;
  readonly payload: Value;
}

type RunStarted = Extract<Fact, { kind: "run_started" }>;

/** Where a run stands. */
export interface RunState {
  /** The number of the last fact. */
  seq: number;
  /** When the last fact was recorded, in milliseconds since the epoch. */
  at: number;
  started: RunStarted | null;
  /** By {@linkcode recordKey}; in order of start. */
  readonly records: Map<string, StepRecord>;
  /** The keys of what is under way and is no block: calls, waits, child runs, also where they are parked. */
  readonly underWay: Set<string>;
  /** Calls and child runs that happened, or may have, in that order: what there is to undo. */
  readonly happened: StepRecord[];
  cancel: { readonly reason: "cancelled" | "timed_out"; readonly by: string | null } | null;
  rollback: RollbackReason | null;
  /** The step after which there is no way back, once it is passed. */
  pivot: string | null;
  /** Something that a child run did was left standing. */
  stands: boolean;
  /** What failed first where an operator has put an end to it: what still stands stays. */
  aborted: Failure | null;
  /** Oldest first. */
  readonly signals: Signal[];
  /** The ids of all signals so far. */
  signalIds: Set<string> | null;
  /** The ids of all words of operators so far, where they have one. */
  resolutionIds: Set<string> | null;
  /** How many child runs their steps have had, of those that are to be started again, by key. */
  childrenAgain: Map<string, number> | null;
  /** The keys of what waits for an operator, in order. */
  readonly attention: Set<string>;
  end: {
    readonly status: EndStatus;
    readonly output: Value | undefined;
    readonly failure: Failure | null;
    readonly at: number;
  } | null;
}

/** The root block's path. */
export const ROOT = "";

/** A run before its first fact. */
export function emptyState(): RunState {
  return {
    seq: 0,
    at: 0,
    started: null,
    records: new Map(),
    underWay: new Set(),
    happened: [],
    cancel: null,
    rollback: null,
    pivot: null,
    stands: false,
    aborted: null,
    signals: [],
    signalIds: null,
    resolutionIds: null,
    childrenAgain: null,
    attention: new Set(),
    end: null,
  };
}

/** The key of a step's record: its path, or `<path>/compensate` for what undoes it. */
export function recordKey(path: string, op: Op): string {
  return op === "action" ? path : `${path}/${op}`;
}

/** The record of a step; `undefined` where it has not started. */
export function recordOf(state: RunState, path: string, op: Op = "action"): StepRecord | undefined {
  return state.records.get(recordKey(path, op));
}

/** When the forward part of the run must be over, in milliseconds since the epoch, as things stand. */
export function runDeadline(state: RunState): number | null {
  const deadline = state.started?.deadline ?? null;
  const root = recordOf(state, ROOT);
  if (deadline === null || root === undefined || root.parkedInside > 0) return null;
  return deadline + root.parkedFor;
}

/** Whether a step waits for what has a record of its own: its `verify`, or what its `catch` does. */
export function isLeftToOthers(state: RunState, { path, op, caught }: StepRecord): boolean {
  if (caught !== null) return true;
  return op === "action" && recordOf(state, path, "verify")?.status === "running";
}
