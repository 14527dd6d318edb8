/**
 * Where a run stands: a fold over its facts. The machines decide by it, reports are made from it,
 * and a restart begins with it, so that there is one truth and it is the recorded one.
 *
 * @module
 */
import type { Value } from "../workflow/value.ts";
import type { Failure } from "./failure.ts";
import type { EndStatus, Fact, Op, RollbackReason } from "./facts.ts";
import type { Outcome } from "./outcome.ts";

/** Where one step, or the compensation of one, stands. */
export interface StepRecord {
  readonly path: string;
  readonly op: Op;
  status: "running" | "completed" | "failed" | "skipped" | "cancelled";
  readonly startedAt: number;
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
  /** What the step came to, once it ended. */
  outcome: Outcome | null;
  /** Set while the step waits for an operator. */
  attention: { readonly failure: Failure; readonly request: Value } | null;
  /** How an operator last resolved it. */
  resolved: "retry" | "skip" | "abort" | null;
  /** How often an operator changed the request: the idempotency key's `#2`, `#3`… */
  revisions: number;
  /** The branch of a `switch`; `undefined`: not decided. */
  branch: number | null | undefined;
  /** Set once a block is failing. */
  failing: Failure | null;
  /** The run is over with this step's output. */
  returns: boolean;
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
  cancel: { readonly reason: "cancelled" | "timed_out"; readonly by: string | null } | null;
  rollback: RollbackReason | null;
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
    cancel: null,
    rollback: null,
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

/** How many of these steps have begun, where each begins after the one before has ended. */
export function countBegun(
  steps: readonly { readonly path: string }[],
  op: Op,
  state: RunState,
): number {
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const step = steps[middle];
    if (step !== undefined && recordOf(state, step.path, op) !== undefined) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Moves `state` on by one fact. */
export function applyFact(state: RunState, fact: Fact): void {
  state.seq = fact.seq;
  state.at = fact.at;
  switch (fact.kind) {
    case "run_started":
      state.started = fact;
      openRecord(state, fact, ROOT, "action");
      return;
    case "step_started":
      openRecord(state, fact, fact.path, fact.op).input = fact.input;
      return;
    case "step_skipped": {
      const record = recordOf(state, fact.path, fact.op) ??
        openRecord(state, fact, fact.path, fact.op);
      record.output = {};
      close(record, fact, "skipped", null);
      return;
    }
    case "attempt_started": {
      const record = known(state, fact);
      record.attempts = fact.attempt;
      record.inFlight = true;
      record.nextAt = null;
      return;
    }
    case "attempt_ended":
      return endAttempt(known(state, fact), fact);
    case "step_completed": {
      const record = known(state, fact);
      if (fact.output !== undefined) record.output = fact.output;
      record.failure = null;
      record.returns = fact.returns ?? false;
      close(record, fact, "completed", "completed");
      return;
    }
    case "step_failed": {
      const record = known(state, fact);
      record.failure = fact.failure;
      close(record, fact, "failed", fact.failure.outcome);
      return;
    }
    case "step_cancelled": {
      const record = known(state, fact);
      record.attention = null;
      state.attention.delete(recordKey(fact.path, fact.op));
      close(record, fact, "cancelled", fact.outcome);
      return;
    }
    case "block_failing":
      known(state, fact).failing = fact.failure;
      return;
    case "branch_taken":
      known(state, fact).branch = fact.branch;
      return;
    case "cancel_requested":
      state.cancel = { reason: fact.reason, by: fact.by };
      return;
    case "rollback_started":
      state.rollback = fact.reason;
      return;
    case "attention_raised":
      return park(state, known(state, fact), fact);
    case "attention_resolved":
      return resolve(state, known(state, fact), fact);
    case "run_ended":
      state.end = {
        status: fact.status,
        output: fact.output,
        failure: fact.failure ?? null,
        at: fact.at,
      };
  }
}

function openRecord(state: RunState, fact: Fact, path: string, op: Op): StepRecord {
  const record: StepRecord = {
    path,
    op,
    status: "running",
    startedAt: fact.at,
    endedSeq: null,
    endedAt: null,
    input: undefined,
    output: undefined,
    failure: null,
    attempts: 0,
    outcomes: [],
    inFlight: false,
    nextAt: null,
    unsettled: false,
    lastEndedAt: fact.at,
    exhausted: false,
    retries: 0,
    tryingSince: fact.at,
    outcome: null,
    attention: null,
    resolved: null,
    revisions: 0,
    branch: undefined,
    failing: null,
    returns: false,
  };
  state.records.set(recordKey(path, op), record);
  return record;
}

function known(state: RunState, fact: { path: string; op: Op }): StepRecord {
  const record = recordOf(state, fact.path, fact.op);
  if (record === undefined) {
    throw new Error(`The journal speaks of "${fact.path}" before its start`);
  }
  return record;
}

function endAttempt(record: StepRecord, fact: Extract<Fact, { kind: "attempt_ended" }>): void {
  record.inFlight = false;
  record.outcomes.push(fact.outcome);
  record.nextAt = fact.nextAt;
  record.unsettled = fact.nextAt === null;
  record.lastEndedAt = fact.at;
  record.exhausted = fact.exhausted ?? false;
  record.retries = fact.freshBackoff ? 0 : record.retries + 1;
  record.failure = fact.failure ?? null;
  if (fact.outcome === "completed") record.output = fact.output;
}

function close(
  record: StepRecord,
  fact: Fact,
  status: StepRecord["status"],
  outcome: Outcome | null,
): void {
  record.status = status;
  record.outcome = outcome;
  record.endedSeq = fact.seq;
  record.endedAt = fact.at;
  record.inFlight = false;
  record.unsettled = false;
  record.nextAt = null;
}

function park(
  state: RunState,
  record: StepRecord,
  fact: Extract<Fact, { kind: "attention_raised" }>,
): void {
  record.attention = { failure: fact.failure, request: fact.request };
  record.status = "running";
  record.unsettled = false;
  state.attention.add(recordKey(fact.path, fact.op));
}

function resolve(
  state: RunState,
  record: StepRecord,
  fact: Extract<Fact, { kind: "attention_resolved" }>,
): void {
  record.attention = null;
  record.resolved = fact.action;
  record.retries = 0;
  record.tryingSince = fact.at;
  if (fact.input !== undefined) {
    record.input = fact.input;
    record.revisions++;
  }
  state.attention.delete(recordKey(fact.path, fact.op));
  if (fact.action === "retry" && record.failing !== null) reopen(state, record);
  if (fact.action === "skip") close(record, fact, "skipped", null);
  if (fact.action === "abort") close(record, fact, "cancelled", null);
}

/** Takes back the failure of a group of compensating steps, so that what failed is tried anew. */
function reopen(state: RunState, record: StepRecord): void {
  record.failing = null;
  record.endedSeq = null;
  record.endedAt = null;
  for (const [key, inner] of state.records) {
    if (inner.op !== "compensate" || !inner.path.startsWith(`${record.path}.compensate[`)) continue;
    if (inner.status === "failed" || inner.status === "cancelled") state.records.delete(key);
  }
}
