/**
 * How facts move what waits for an operator: it is parked, resolved, tried again.
 *
 * @module
 */
import type { Fact } from "./facts.ts";
import type { Failure } from "./failure.ts";
import { close, loopPath, roundOf, settleEffect } from "./fold_steps.ts";
import { recordKey, recordOf, ROOT, type RunState, type StepRecord } from "./records.ts";

export function park(
  state: RunState,
  record: StepRecord,
  fact: Extract<Fact, { kind: "attention_raised" }>,
): void {
  if (fact.pivot) state.pivot ??= record.path;
  record.attention = { failure: fact.failure, request: fact.request, seq: fact.seq };
  record.status = "running";
  record.unsettled = false;
  const key = recordKey(fact.path, fact.op);
  if (!state.attention.has(key)) countParked(state, record, fact.at, 1);
  state.attention.add(key);
}

/** It waits for no operator any more. */
export function release(state: RunState, record: StepRecord, at: number): void {
  record.attention = null;
  if (state.attention.delete(recordKey(record.path, record.op))) {
    countParked(state, record, at, -1);
  }
}

/** Something in the child run of a step waits for an operator, or does no more. */
export function parkChild(
  state: RunState,
  record: StepRecord,
  at: number,
  isParked: boolean,
): void {
  if (record.childParked === isParked) return;
  record.childParked = isParked;
  countParked(state, record, at, isParked ? 1 : -1);
}

/** Time that something is parked counts for nothing to the blocks around it, nor to the run. */
function countParked(state: RunState, record: StepRecord, at: number, more: 1 | -1): void {
  for (const around of state.records.values()) {
    if (around.form !== "block" || around === record) continue;
    if (!isInside(record.path, around.path)) continue;
    if (around.parkedInside === 0) around.parkedSince = at;
    around.parkedInside += more;
    if (around.parkedInside === 0) around.parkedFor += at - around.parkedSince;
  }
}

export function resolve(
  state: RunState,
  record: StepRecord,
  fact: Extract<Fact, { kind: "attention_resolved" }>,
): void {
  const { attention } = record;
  const failure = attention?.failure ?? null;
  if (fact.id !== undefined) (state.resolutionIds ??= new Set()).add(fact.id);
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
    return tryAgain(state, record);
  }
  if (fact.action === "abort") state.aborted = causeOf(state, record) ?? failure;
  else if (fact.output !== undefined || record.op === "action") record.output = fact.output ?? {};
  // What may have happened did so when it failed, and can still be undone by a `catch` around it.
  const outcome = record.op === "action" ? failure?.outcome ?? null : null;
  settleEffect(state, record, fact, outcome, attention?.seq);
  close(state, record, fact, fact.action === "abort" ? "cancelled" : "skipped", outcome);
}

/** What failed first, on account of which something is undone or verified; `null`: nothing before this. */
function causeOf(state: RunState, { path, op }: StepRecord): Failure | null {
  if (op === "action") return null;
  if (op === "verify") return recordOf(state, path)?.failure ?? null;
  let cause: StepRecord | null = null;
  for (const around of state.records.values()) {
    if (around.caught === null || around.op !== "action" || around.status !== "running") continue;
    if (path !== around.path && !isInside(path, around.path)) continue;
    if (cause === null || around.path.length > cause.path.length) cause = around; // the innermost
  }
  return cause?.caught?.failure ?? null;
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
      if (inner.form === "workflow") {
        (state.childrenAgain ??= new Map()).set(key, inner.revisions + 1);
      }
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
