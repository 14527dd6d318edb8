/**
 * How facts move the records of steps, and of the rounds of loops.
 *
 * @module
 */
import type { Fact, Form, Op } from "./facts.ts";
import type { Outcome } from "./outcome.ts";
import { type LoopRecord, recordKey, recordOf, type RunState, type StepRecord } from "./records.ts";

export function openRecord(
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
    childParked: false,
    resolved: null,
    revisions: state.childrenAgain?.get(recordKey(path, op)) ?? 0,
    branch: undefined,
    failing: null,
    returns: false,
  };
  const key = recordKey(path, op);
  state.records.set(key, record);
  if (record.form !== null && record.form !== "block") state.underWay.add(key);
  return record;
}

export function known(state: RunState, fact: { path: string; op: Op }): StepRecord {
  const record = recordOf(state, fact.path, fact.op);
  if (record === undefined) {
    throw new Error(`The journal speaks of "${fact.path}" before its start`);
  }
  return record;
}

/** The record of a step that may end, or wait for an operator, in the moment it starts. */
export function begun(state: RunState, fact: Fact & { path: string; op: Op }): StepRecord {
  return recordOf(state, fact.path, fact.op) ?? openRecord(state, fact, fact.path, fact.op);
}

export function endAttempt(
  record: StepRecord,
  fact: Extract<Fact, { kind: "attempt_ended" }>,
): void {
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

export function noRounds(): LoopRecord {
  return { begun: 0, before: 0, open: new Set(), failed: null, cancelled: false, returned: null };
}

/** The path of the loop that a round is one of. */
export function loopPath(path: string): string {
  return path.slice(0, path.lastIndexOf("["));
}

/** Which round a path is of, where it is a round's; a step with a derived path looks the same. */
export function roundOf(path: string): number | null {
  return path.endsWith("]") ? Number(path.slice(path.lastIndexOf("[") + 1, -1)) : null;
}

export function beginRound(state: RunState, path: string, op: Op, round: number): void {
  const loop = recordOf(state, loopPath(path), op);
  if (loop === undefined) throw new Error(`The journal speaks of "${path}" before its loop`);
  if (loop.rounds === NO_ROUNDS_YET) {
    loop.rounds = noRounds();
  }
  loop.rounds.begun = Math.max(loop.rounds.begun, round + 1);
  loop.rounds.open.add(round);
}

/** A round that ends is one less under way in its loop. */
export function endRound(
  state: RunState,
  { path, op, status, failure, returns }: StepRecord,
): void {
  const round = roundOf(path);
  if (round === null) return;
  const rounds = recordOf(state, loopPath(path), op)?.rounds;
  if (rounds === undefined || !rounds.open.delete(round)) return;
  if (status === "failed") rounds.failed ??= failure;
  if (status === "cancelled") rounds.cancelled = true;
  if (returns) rounds.returned ??= path;
}

export function takeSignal(state: RunState, id: string): void {
  const at = state.signals.findIndex((signal) => signal.id === id);
  if (at >= 0) state.signals.splice(at, 1);
}

/**
 * Keeps what a step's own work came to, from the first fact that tells.
 *
 * @param seq the number of the fact since which it counts
 */
export function settleEffect(
  state: RunState,
  record: StepRecord,
  fact: Fact,
  outcome: Outcome | null,
  seq = fact.seq,
): void {
  if (record.effect !== null) return;
  record.effect = outcome;
  record.effectSeq = seq;
  const canBeUndone = record.form === "call" || record.form === "workflow";
  if (canBeUndone && record.op === "action" && (outcome === "completed" || outcome === "unknown")) {
    let at = state.happened.length;
    while ((state.happened[at - 1]?.effectSeq ?? 0) > seq) at--;
    state.happened.splice(at, 0, record);
  }
  if ("pivot" in fact && fact.pivot) state.pivot ??= record.path;
}

export function close(
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
