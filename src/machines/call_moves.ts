/**
 * What a call does at each turn, as functions over its context: they read the fold and record
 * facts. The order in which they happen is the machine's (`call.ts`).
 *
 * @module
 */
import { MaestroError } from "../errors.ts";
import type { Value } from "../workflow/value.ts";
import type { Answered, Attempt, ServiceRef } from "./board.ts";
import { failStep } from "./failing.ts";
import { type AttemptFailure, type Failure, failureOf } from "./failure.ts";
import { recordOf, runDeadline, type StepRecord } from "./records.ts";
import { evaluate } from "./names.ts";
import { type Outcome, outcomeOfAttempts } from "./outcome.ts";
import {
  isRetryable,
  isUndone,
  retryAction,
  retryCompensation,
  STOP,
  type Verdict,
} from "./retry.ts";
import type { RetryBudget } from "./budget.ts";
import { type CallContext, recordFor } from "./call_context.ts";

/** Starts the step, or takes it up where its facts end. */
export function begin(context: CallContext): void {
  const { board, path, op } = context;
  if (recordOf(board.state, path, op) === undefined) {
    const input = attemptInput(context);
    board.record({
      kind: "step_started",
      path,
      op,
      form: "call",
      ...(input !== undefined && { input }),
    });
  }
  const record = recordFor(context);
  if (record.status !== "running" || record.attention !== null) return;
  context.remade = record.inFlight;
  prepare(context);
}

function attemptInput({ board, scope, target }: CallContext) {
  try {
    return evaluate(board, scope, target.input);
  } catch {
    return undefined; // `prepare` meets the same error, and says so
  }
}

/** Makes the request from the recorded input; one that can't be made fails the step, or parks a compensation. */
export function prepare(context: CallContext): void {
  const { board, scope, target } = context;
  const record = recordFor(context);
  if (record.status !== "running") return;
  try {
    const input = record.input ?? evaluate(board, scope, target.input);
    context.request = board.encode(target, input);
  } catch (thrown) {
    const { code, message } = MaestroError.from(thrown);
    fail(context, { code, message });
  }
}

/** Records that an attempt begins; one that a restart found under way begins again, with the same number. */
export function startAttempt(context: CallContext): void {
  const { board, path, op } = context;
  const { inFlight, attempts } = recordFor(context);
  board.record({ kind: "attempt_started", path, op, attempt: inFlight ? attempts : attempts + 1 });
}

/** The attempt that is recorded as started. */
export function nextAttempt(context: CallContext): Attempt {
  const { board, path, op, action, target, scope, request } = context;
  const record = recordFor(context);
  return {
    path,
    op,
    action,
    number: record.attempts,
    revision: record.revisions,
    target,
    request,
    input: record.input ?? evaluate(board, scope, target.input),
    scope,
    deadline: op === "action" ? earliest(stepDeadline(context), outerDeadline(context)) : null,
  };
}

/** When the step itself is out of time; for a compensation: when it gives up. */
export function stepDeadline(context: CallContext): number | null {
  const record = recordFor(context);
  if (context.rule.op !== "action") {
    const { giveUpAfter } = context.rule;
    return giveUpAfter === null ? null : record.tryingSince + giveUpAfter;
  }
  if (context.timeout === null) return null;
  // Time spent parked counts for nothing.
  return (record.resolved === null ? record.startedAt : record.tryingSince) + context.timeout;
}

/** When a block around the step, or the run, is out of time; past the pivot the run's time does not count. */
export function outerDeadline({ board: { state }, step, deadline }: CallContext): number | null {
  const counts = state.pivot === null && !step?.pivot;
  return earliest(deadline(), counts ? runDeadline(state) : null);
}

/** Records how an attempt ended and when, if at all, the next one is due; then what follows from it. */
export function conclude(context: CallContext, { result, at, random }: Answered): void {
  const { board, path, op, remade } = context;
  const { attempts } = recordFor(context);
  context.remade = false;
  context.backedOff = false;
  if (result.ok) {
    budgetOf(context)?.succeeded();
    board.record({
      kind: "attempt_ended",
      path,
      op,
      attempt: attempts,
      code: "OK",
      outcome: "completed",
      output: result.output,
      nextAt: null,
    });
    return settle(context);
  }
  // That it did not leave this time says nothing about the time before the restart.
  const inDoubt = remade && result.failure.outcome === "not_sent";
  const failure: AttemptFailure = inDoubt
    ? { ...result.failure, outcome: "unknown" }
    : result.failure;
  const next = verdict(context, failure, at, random);
  const budget = budgetOf(context);
  if (budget === null || context.rule.op !== "action" || !isRetryable(context.rule, failure)) {
    return endAttempt(context, failure, next);
  }
  budget.failed();
  const exhausted = next.kind === "retry" && !budget.allows;
  endAttempt(context, failure, exhausted ? { kind: "stop", exhausted } : next);
}

/** What retries of the service are left; compensations are exempt (semantics.md §1). */
function budgetOf({ op, passage }: CallContext): RetryBudget | null {
  return op === "action" ? passage.budget : null;
}

function verdict(context: CallContext, failure: AttemptFailure, at: number, random: number) {
  const { rule } = context;
  const record = recordFor(context);
  const attempts = record.attempts - record.attemptsBefore;
  const failed = { failure, at, random, attempts, retry: record.retries + 1 };
  if (rule.op === "action" && context.cancelled) return STOP;
  return rule.op !== "action"
    ? retryCompensation(rule.retry, { ...failed, deadline: stepDeadline(context) })
    : retryAction(rule, {
      ...failed,
      deadline: earliest(stepDeadline(context), outerDeadline(context)),
    });
}

function endAttempt(
  context: CallContext,
  failure: AttemptFailure,
  next: Verdict & { readonly exhausted?: true },
): void {
  const { board, path, op } = context;
  const { attempts, outcomes } = recordFor(context);
  board.record({
    kind: "attempt_ended",
    path,
    op,
    attempt: attempts,
    code: failure.code,
    outcome: failure.outcome,
    failure: failureOf(failure, {
      path,
      attempts,
      outcome: outcomeOfAttempts([...outcomes, failure.outcome]),
    }),
    nextAt: next.kind === "retry" ? next.at : null,
    ...(next.kind === "retry" && next.freshBackoff && { freshBackoff: true }),
    ...(next.exhausted && { exhausted: true }),
  });
}

/** An attempt that a restart found under way, and that is not made again. */
export function doubt(context: CallContext): void {
  if (context.cancelled) return abandonAttempt(context);
  endAttempt(context, {
    code: "UNKNOWN",
    message:
      "Maestro stopped while this call was under way, and it may not be made again: whether it happened is not known",
    outcome: "unknown",
  }, STOP);
}

/** Records what follows from the last attempt: the end of the step, or that it is parked. */
export function settle(context: CallContext): void {
  const { path, op } = context;
  const record = recordFor(context);
  const last = record.outcomes.at(-1);
  if (last === "completed" || (op === "compensate" && isUndone(record.failure?.code))) {
    return complete(context);
  }
  const failure = record.failure;
  if (failure === null) return cancelStep(context);
  if (op === "verify" && isUndone(failure.code)) { // it did not happen
    const { board } = context;
    board.record({ kind: "step_failed", path, op, failure: { ...failure, outcome: "rejected" } });
    return;
  }
  fail(context, causeOf(context, failure));
}

/** Why the step fails, where its last attempt failed so. */
export function causeOf(context: CallContext, failure: Failure): Failure {
  const { path, op } = context;
  const { lastEndedAt, exhausted } = recordFor(context);
  const own = stepDeadline(context);
  const timedOut = op === "action" && failure.code === "DEADLINE_EXCEEDED" && own !== null &&
    lastEndedAt >= own;
  if (timedOut) return { ...failure, ...stepTimeout(path) };
  return exhausted ? { ...failure, ...exhaustedBudget(context, failure) } : failure;
}

/** Ends the step as completed. */
export function complete({ board, path, op, step }: CallContext, output?: Value): void {
  board.record({
    kind: "step_completed",
    path,
    op,
    ...(output !== undefined && { output }),
    ...(step?.pivot && { pivot: true }),
  });
}

/** The failure of a step whose retry the service's budget forbade; it keeps the last error's details. */
function exhaustedBudget({ target }: CallContext, { code, message }: Failure) {
  return {
    code: "RETRY_BUDGET_EXHAUSTED",
    message: `The retry budget of "${target.service}" is used up: so many of its calls fail that ` +
      `this one is not made again. It failed with ${code}: ${message}`,
  };
}

/** The failure of a step or block that took longer than its `timeout`. */
export function stepTimeout(path: string): { code: string; message: string } {
  return { code: "STEP_TIMEOUT", message: `"${path}" took longer than its timeout` };
}

/** Between two attempts. */
export function isBackingOff(context: CallContext): boolean {
  return recordFor(context).nextAt !== null && !context.backedOff;
}

/** The last attempt ran into a deadline that isn't the step's own: its owner decides what happens. */
export function isOverdue(context: CallContext): boolean {
  const { cancelled, op } = context;
  const { failure, lastEndedAt, unsettled } = recordFor(context);
  const deadline = outerDeadline(context);
  if (!unsettled || op !== "action" || deadline === null || cancelled) return false;
  const own = stepDeadline(context);
  return failure?.code === "DEADLINE_EXCEEDED" && lastEndedAt >= deadline &&
    (own === null || deadline < own);
}

/** Ends the step as failed; what undoes or verifies one does not end, but waits for an operator. */
export function fail(
  context: CallContext,
  cause: { readonly code: string; readonly message: string } & Partial<Failure>,
  verified: Outcome | null = null,
): void {
  const { board, step, path, op, cancelled, scope } = context;
  const record = recordFor(context);
  const outcome = verified ?? outcomeSoFar(record);
  const failure = failureOf(cause, { path, attempts: record.attempts, outcome });
  const request = record.input ?? null;
  if (op !== "action") {
    board.record({ kind: "attention_raised", path, op, failure, request });
  } else if (verified === null && outcome === "unknown" && step?.verify) {
    board.record({ kind: "step_doubted", path, op, failure });
  } else {
    const { rounds } = scope;
    const pivot = step?.pivot === true && outcome === "unknown";
    failStep({ board, step, path, op, rounds, cancelled, request, pivot }, failure);
  }
}

/** Ends the step: its service's breaker is not closed, and it may wait no longer. Its last failure's details stay. */
export function refuse(context: CallContext): void {
  const { target: { service }, passage: { breaker } } = context;
  const { failure } = recordFor(context);
  const before = failure === null
    ? ""
    : `. Its last attempt failed with ${failure.code}: ${failure.message}`;
  fail(context, {
    ...failure,
    code: "CIRCUIT_OPEN",
    message: `The circuit breaker of "${service}" is ${standing(breaker)}${before}`,
  });
}

/** How a breaker that lets nobody through stands, and why. */
function standing(breaker: ServiceRef | null): string {
  const { value, context: { openUntil = null } = {} } = breaker?.getSnapshot() ?? {};
  if (value === "forced_open") return "held open by an operator";
  if (value === "half_open") return "half open: its trial calls have not ended yet";
  return openUntil === null
    ? "open: the service says that it is not serving"
    : "open: too many calls failed or were slow, and the service is given time to recover";
}

/** Ends the step: its time was over before there was a free slot. */
export function timeOut(context: CallContext): void {
  const { path, target } = context;
  const { code, message } = stepTimeout(path);
  const why = `: it waited for its turn, since "${target.service}" had as many calls as its ` +
    '"max_concurrent" or "rate_limit" allows';
  fail(context, { ...recordFor(context).failure, code, message: message + why });
}

/** Parks a compensation that waited for its service until it had to give up. */
export function giveUp(context: CallContext): void {
  const { path, target } = context;
  const failure = recordFor(context).failure ?? {
    code: "CIRCUIT_OPEN",
    message: `"${path}" could not call "${target.service}" until give_up_after: its circuit ` +
      'breaker stayed open, or it had as many calls as its "max_concurrent" or "rate_limit" allows',
  };
  fail(context, failure);
}

/** Ends the attempt under way: nobody waits for its answer, and it may have happened. */
export function abandonAttempt(context: CallContext): void {
  const { board, path, op } = context;
  board.record({
    kind: "attempt_ended",
    path,
    op,
    attempt: recordFor(context).attempts,
    code: "CANCELLED",
    outcome: "unknown",
    nextAt: null,
  });
}

/** Ends the step as cancelled. */
export function cancelStep(context: CallContext, verified: Outcome | null = null): void {
  const { board, step, path, op } = context;
  const outcome = verified ?? outcomeSoFar(recordFor(context));
  const pivot = step?.pivot === true && outcome === "unknown";
  board.record({ kind: "step_cancelled", path, op, outcome, ...(pivot && { pivot }) });
}

/** What the step's attempts came to; one that a restart found under way, and that was not made again, is in doubt. */
export function outcomeSoFar({ outcomes, inFlight }: StepRecord): Outcome {
  return outcomeOfAttempts(inFlight ? [...outcomes, "unknown"] : outcomes);
}

/** The earlier of two moments, where `null` is never. */
export function earliest(a: number | null, b: number | null): number | null {
  if (a === null) return b;
  return b === null ? a : Math.min(a, b);
}
