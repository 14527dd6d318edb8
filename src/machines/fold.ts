/**
 * Where a run stands: a fold over its facts. The machines decide by it, reports are made from it,
 * and a restart begins with it, so that there is one truth and it is the recorded one.
 *
 * @module
 */
import type { Fact } from "./facts.ts";

import { park, parkChild, release, resolve } from "./fold_operator.ts";
import {
  beginRound,
  begun,
  close,
  endAttempt,
  known,
  openRecord,
  settleEffect,
  takeSignal,
} from "./fold_steps.ts";
import { ROOT, type RunState } from "./records.ts";

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
      parkChild(state, record, fact.at, false); // it has ended
      if (fact.output !== undefined) record.output = fact.output;
      record.failure = null;
      record.returns = fact.returns ?? false;
      close(state, record, fact, "completed", "completed");
      if (fact.signal !== undefined) takeSignal(state, fact.signal);
      return;
    }
    case "step_failed": {
      const record = begun(state, fact);
      parkChild(state, record, fact.at, false);
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
      parkChild(state, record, fact.at, false);
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
      parkChild(state, record, fact.at, false);
      close(state, record, fact, "cancelled", fact.outcome);
      return;
    }
    case "block_failing":
      known(state, fact).failing = fact.failure;
      return;
    case "branch_taken":
      known(state, fact).branch = fact.branch;
      return;
    case "schema_found":
      return; // what reads the journal looks for it
    case "cancel_requested":
      state.cancel = { reason: fact.reason, by: fact.by };
      return;
    case "signal_received": {
      if (state.signalIds?.has(fact.id)) return;
      (state.signalIds ??= new Set()).add(fact.id);
      state.signals.push({ id: fact.id, name: fact.name, payload: fact.payload });
      return;
    }
    case "pivot_passed":
      state.pivot ??= fact.path;
      return;
    case "child_attention":
      return parkChild(state, known(state, fact), fact.at, fact.parked);
    case "rollback_started":
      state.rollback = fact.reason;
      state.end = null; // a child run that had completed is rolled back with its parent
      return;
    case "attention_raised": {
      const record = begun(state, fact);
      parkChild(state, record, fact.at, false); // it waits itself, now
      return park(state, record, fact);
    }
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
