/**
 * Where a run stands: a fold over its facts. The machines decide by it, reports are made from it,
 * and a restart begins with it, so that there is one truth and it is the recorded one.
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
  attention: { readonly failure: Failure; readonly request: Value } | null;
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
  /** What failed where an operator has put an end to it: what still stands stays. */
  aborted: Failure | null;
  /** Oldest first. */
  readonly signals: Signal[];
  /** The ids of all signals so far. */
  readonly signalIds: Set<string>;
  /** How many child runs their steps have had, of those that are to be started again, by key. */
  readonly childrenAgain: Map<string, number>;
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
    signalIds: new Set(),
    childrenAgain: new Map(),
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

/** Moves `state` on by one fact. */
export function applyFact(state: RunState, fact: Fact): void {
  state.seq = fact.seq;
  state.at = fact.at;
  if ("stands" in fact && fact.stands) state.stands = true;
  switch (fact.kind) {
    case "run_started":
      state.started = fact;
      openRecord(state, fact, ROOT, "action", { form: "block" });
      return;
    case "step_started":
      openRecord(state, fact, fact.path, fact.op, fact).input = fact.input;
      if (fact.round !== undefined) beginRound(state, fact.path, fact.op, fact.round);
      return;
    case "step_skipped": {
      const record = begun(state, fact);
      record.output = {};
      close(state, record, fact, "skipped", null);
      return;
    }
    case "attempt_started": {
      const record = known(state, fact);
      record.attempts = fact.attempt;
      record.lastStartedAt = fact.at;
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
      close(state, record, fact, "completed", "completed");
      if (fact.signal !== undefined) takeSignal(state, fact.signal);
      return;
    }
    case "step_failed": {
      const record = begun(state, fact);
      record.failure = fact.failure;
      close(state, record, fact, "failed", fact.failure.outcome);
      return;
    }
    case "step_doubted": {
      const record = known(state, fact);
      record.failure = fact.failure;
      record.unsettled = true;
      record.nextAt = null;
      return;
    }
    case "step_caught": {
      const record = begun(state, fact);
      record.caught = { entry: fact.entry, failure: fact.failure };
      record.failure = fact.failure;
      record.failing = null;
      settleEffect(state, record, fact, fact.failure.outcome);
      record.inFlight = false;
      record.unsettled = false;
      record.nextAt = null;
      return;
    }
    case "step_cancelled": {
      const record = known(state, fact);
      release(state, record, fact.at);
      close(state, record, fact, "cancelled", fact.outcome);
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
    case "signal_received": {
      if (state.signalIds.has(fact.id)) return;
      state.signalIds.add(fact.id);
      state.signals.push({ id: fact.id, name: fact.name, payload: fact.payload });
      return;
    }
    case "pivot_passed":
      state.pivot ??= fact.path;
      return;
    case "rollback_started":
      state.rollback = fact.reason;
      state.end = null; // a child run that had completed is rolled back with its parent
      return;
    case "attention_raised":
      return park(state, begun(state, fact), fact);
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

function openRecord(
  state: RunState,
  fact: Fact,
  path: string,
  op: Op,
  { form, dueAt }: { readonly form?: Form; readonly dueAt?: number } = {},
): StepRecord {
  const record: StepRecord = {
    path,
    op,
    status: "running",
    startedAt: fact.at,
    startedSeq: fact.seq,
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
    parkedInside: 0,
    parkedSince: 0,
    parkedFor: 0,
    lastStartedAt: fact.at,
    attemptsBefore: 0,
    outcome: null,
    effect: null,
    effectSeq: 0,
    caught: null,
    form: form ?? null,
    dueAt: dueAt ?? null,
    rounds: NO_ROUNDS_YET,
    attention: null,
    resolved: null,
    revisions: state.childrenAgain.get(recordKey(path, op)) ?? 0,
    branch: undefined,
    failing: null,
    returns: false,
  };
  const key = recordKey(path, op);
  state.records.set(key, record);
  if (record.form !== null && record.form !== "block") state.underWay.add(key);
  return record;
}

function known(state: RunState, fact: { path: string; op: Op }): StepRecord {
  const record = recordOf(state, fact.path, fact.op);
  if (record === undefined) {
    throw new Error(`The journal speaks of "${fact.path}" before its start`);
  }
  return record;
}

/** The record of a step that may end, or wait for an operator, in the moment it starts. */
function begun(state: RunState, fact: Fact & { path: string; op: Op }): StepRecord {
  return recordOf(state, fact.path, fact.op) ?? openRecord(state, fact, fact.path, fact.op);
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

/** Shared by all records that are no loop's, or none yet. */
const NO_ROUNDS_YET: LoopRecord = noRounds();

function noRounds(): LoopRecord {
  return { begun: 0, before: 0, open: new Set(), failed: null, cancelled: false, returned: null };
}

/** The path of the loop that a round is one of. */
function loopPath(path: string): string {
  return path.slice(0, path.lastIndexOf("["));
}

/** Which round a path is of, where it is a round's; a step with a derived path looks the same. */
function roundOf(path: string): number | null {
  return path.endsWith("]") ? Number(path.slice(path.lastIndexOf("[") + 1, -1)) : null;
}

function beginRound(state: RunState, path: string, op: Op, round: number): void {
  const loop = recordOf(state, loopPath(path), op);
  if (loop === undefined) throw new Error(`The journal speaks of "${path}" before its loop`);
  if (loop.rounds === NO_ROUNDS_YET) {
    loop.rounds = noRounds();
  }
  loop.rounds.begun = Math.max(loop.rounds.begun, round + 1);
  loop.rounds.open.add(round);
}

/** A round that ends is one less under way in its loop. */
function endRound(state: RunState, { path, op, status, failure, returns }: StepRecord): void {
  const round = roundOf(path);
  if (round === null) return;
  const rounds = recordOf(state, loopPath(path), op)?.rounds;
  if (rounds === undefined || !rounds.open.delete(round)) return;
  if (status === "failed") rounds.failed ??= failure;
  if (status === "cancelled") rounds.cancelled = true;
  if (returns) rounds.returned ??= path;
}

function takeSignal(state: RunState, id: string): void {
  const at = state.signals.findIndex((signal) => signal.id === id);
  if (at >= 0) state.signals.splice(at, 1);
}

/** Keeps what a step's own work came to, from the first fact that tells. */
function settleEffect(
  state: RunState,
  record: StepRecord,
  fact: Fact,
  outcome: Outcome | null,
): void {
  if (record.effect !== null) return;
  record.effect = outcome;
  record.effectSeq = fact.seq;
  const canBeUndone = record.form === "call" || record.form === "workflow";
  if (canBeUndone && record.op === "action" && (outcome === "completed" || outcome === "unknown")) {
    state.happened.push(record);
  }
  if ("pivot" in fact && fact.pivot) state.pivot ??= record.path;
}

function close(
  state: RunState,
  record: StepRecord,
  fact: Fact,
  status: StepRecord["status"],
  outcome: Outcome | null,
): void {
  record.status = status;
  state.underWay.delete(recordKey(record.path, record.op));
  record.outcome = outcome;
  record.endedSeq = fact.seq;
  record.endedAt = fact.at;
  record.inFlight = false;
  record.unsettled = false;
  record.nextAt = null;
  settleEffect(state, record, fact, outcome);
  endRound(state, record);
}

function park(
  state: RunState,
  record: StepRecord,
  fact: Extract<Fact, { kind: "attention_raised" }>,
): void {
  if (fact.pivot) state.pivot ??= record.path;
  record.attention = { failure: fact.failure, request: fact.request };
  record.status = "running";
  record.unsettled = false;
  const key = recordKey(fact.path, fact.op);
  if (!state.attention.has(key)) countParked(state, record, fact.at, 1);
  state.attention.add(key);
}

/** It waits for no operator any more. */
function release(state: RunState, record: StepRecord, at: number): void {
  record.attention = null;
  if (state.attention.delete(recordKey(record.path, record.op))) {
    countParked(state, record, at, -1);
  }
}

/** Time that something is parked counts for nothing to the blocks around it, nor to the run. */
function countParked(state: RunState, record: StepRecord, at: number, more: 1 | -1): void {
  if (record.op === "compensate") return; // nothing around it has a timeout
  for (const around of state.records.values()) {
    if (around.form !== "block" || around.op !== "action" || around === record) continue;
    if (!isInside(record.path, around.path)) continue;
    if (around.parkedInside === 0) around.parkedSince = at;
    around.parkedInside += more;
    if (around.parkedInside === 0) around.parkedFor += at - around.parkedSince;
  }
}

/** When the forward part of the run must be over, in milliseconds since the epoch, as things stand. */
export function runDeadline(state: RunState): number | null {
  const deadline = state.started?.deadline ?? null;
  const root = recordOf(state, ROOT);
  if (deadline === null || root === undefined || root.parkedInside > 0) return null;
  return deadline + root.parkedFor;
}

function resolve(
  state: RunState,
  record: StepRecord,
  fact: Extract<Fact, { kind: "attention_resolved" }>,
): void {
  const failure = record.attention?.failure ?? null;
  release(state, record, fact.at);
  record.resolved = fact.action;
  record.retries = 0;
  record.attemptsBefore = record.attempts;
  record.tryingSince = fact.at;
  record.parkedFor = 0;
  if (fact.input !== undefined) {
    record.input = fact.input;
  }
  if (fact.input !== undefined || fact.action === "retry" && record.form === "workflow") {
    record.revisions++; // a child run that has ended is not started again: another is
  }
  if (fact.action === "retry") {
    // Asked again, should it be in doubt again.
    if (fact.op === "action") state.records.delete(recordKey(record.path, "verify"));
    tryAgain(state, record);
  }
  if (fact.action === "skip") {
    if (fact.output !== undefined || record.op === "action") record.output = fact.output ?? {};
    close(state, record, fact, "skipped", null);
  }
  if (fact.action === "abort") {
    state.aborted = failure;
    close(state, record, fact, "cancelled", null);
  }
}

/** What failed is tried anew. */
function tryAgain(state: RunState, record: StepRecord): void {
  if (record.form === null && record.op === "action") {
    state.records.delete(recordKey(record.path, record.op)); // it starts, and ends, as if for the first time
  } else if (record.failing !== null) reopen(state, record);
}

/** Takes back the failure of a block, so that what failed in it is tried anew; what is done stays done. */
function reopen(state: RunState, record: StepRecord): void {
  goOn(record);
  const inside = record.op === "compensate" ? `${record.path}.compensate[` : record.path;
  for (const [key, inner] of state.records) {
    if (inner.op !== record.op || inner === record || !isInside(inner.path, inside)) continue;
    if (inner.status !== "failed" && inner.status !== "cancelled") continue;
    if (inner.form !== "block") {
      state.records.delete(key);
      if (inner.form === "workflow") state.childrenAgain.set(key, inner.revisions + 1);
      state.records.delete(recordKey(inner.path, "verify"));
    } else {
      goOn(inner);
      inner.tryingSince = record.tryingSince;
      inner.parkedFor = 0;
      const round = roundOf(inner.path);
      const loop = round === null ? undefined : recordOf(state, loopPath(inner.path), inner.op);
      if (loop !== undefined && round !== null && round < loop.rounds.begun) {
        loop.rounds.open.add(round);
      }
    }
  }
  record.rounds.before = record.rounds.begun - record.rounds.open.size;
}

function goOn(record: StepRecord): void {
  record.status = "running";
  record.failing = null;
  record.failure = null;
  record.caught = null;
  record.outcome = null;
  record.effect = null;
  record.endedSeq = null;
  record.endedAt = null;
  record.rounds.failed = null;
  record.rounds.cancelled = false;
}

function isInside(path: string, around: string): boolean {
  if (!path.startsWith(around)) return false;
  return around === ROOT || around.endsWith("[") || path[around.length] === "." ||
    path[around.length] === "[";
}
