/**
 * What holds where a workflow says nothing. The values are language.md's and semantics.md's; their
 * sources are named there.
 *
 * @module
 */
import type { Place, RetryRule, SagaRule, Schedule } from "./model.ts";
import type { BreakerRule, BudgetRule, HealthRule, PoolRule } from "./service_rules.ts";
import type {
  WrittenBreaker,
  WrittenBudget,
  WrittenHealth,
  WrittenPool,
  WrittenRetry,
} from "./schema_service.ts";
import type { WrittenSchedule } from "./schema_schedule.ts";

/** For one call: 30s. */
export const ATTEMPT_TIMEOUT = 30_000;

/** gRPC's own default for what is received. */
export const MAX_MESSAGE_SIZE = 4 * 1024 * 1024;

/** The most messages that a stream may answer with. */
export const MAX_MESSAGES = 10_000;

const RETRY: RetryRule = {
  attempts: 3,
  backoff: "exponential",
  initialDelay: 500,
  multiplier: 2,
  maxDelay: 10_000,
  jitter: 0.5,
  codes: [],
};

const BREAKER: BreakerRule = {
  failureRate: 50,
  minCalls: 10,
  window: { kind: "time", milliseconds: 60_000 },
  openFor: 15_000,
  maxOpenFor: 120_000,
  halfOpenCalls: 1,
  slowCall: null,
  slowCallRate: 100,
  failureCodes: [],
  onOpen: "wait",
  scope: "service",
};

/** A whole retry rule; with nothing written, one attempt. */
export function retryRule(written: WrittenRetry | undefined): RetryRule {
  return {
    ...delays(written ?? {}, RETRY),
    attempts: written === undefined ? 1 : written.attempts ?? RETRY.attempts,
    codes: written?.codes ?? RETRY.codes,
  };
}

/** A whole rule for compensations: 1s doubling to 60s, without an end. */
export function sagaRule(
  written: {
    readonly retry?: WrittenRetry | undefined;
    readonly give_up_after?: number | undefined;
  } = {},
): SagaRule {
  return {
    retry: delays(written.retry ?? {}, { ...RETRY, initialDelay: 1000, maxDelay: 60_000 }),
    giveUpAfter: written.give_up_after ?? null,
  };
}

/** A whole schedule; `null` where there is none. */
export function scheduleOf(
  written: WrittenSchedule | undefined,
  place: Place,
): Schedule | null {
  if (written === undefined) return null;
  const { cron, timezone = "UTC", input = {}, overlap = "skip" } = written;
  return { cron, timezone, input, overlap, place };
}

function delays(written: WrittenRetry, otherwise: SagaRule["retry"]): SagaRule["retry"] {
  return {
    backoff: written.backoff ?? otherwise.backoff,
    initialDelay: written.initial_delay ?? otherwise.initialDelay,
    multiplier: written.multiplier ?? otherwise.multiplier,
    maxDelay: written.max_delay ?? otherwise.maxDelay,
    jitter: written.jitter ?? otherwise.jitter,
  };
}

/** A whole breaker rule; `null` where it is turned off. */
export function breakerRule(written: WrittenBreaker | undefined): BreakerRule | null {
  if (written === false) return null;
  if (written === undefined || written === true) return BREAKER;
  const { window } = written;
  return {
    failureRate: written.failure_rate ?? BREAKER.failureRate,
    minCalls: written.min_calls ?? BREAKER.minCalls,
    window: window === undefined
      ? BREAKER.window
      : typeof window === "number"
      ? { kind: "time", milliseconds: window }
      : { kind: "count", calls: window.calls },
    openFor: written.open_for ?? BREAKER.openFor,
    maxOpenFor: written.max_open_for ?? Math.max(BREAKER.maxOpenFor, written.open_for ?? 0),
    halfOpenCalls: written.half_open_calls ?? BREAKER.halfOpenCalls,
    slowCall: written.slow_call ?? BREAKER.slowCall,
    slowCallRate: written.slow_call_rate ?? BREAKER.slowCallRate,
    failureCodes: written.failure_codes ?? BREAKER.failureCodes,
    onOpen: written.on_open ?? BREAKER.onOpen,
    scope: written.scope ?? BREAKER.scope,
  };
}

/** A whole budget of retries; with none written there is none. The values are those of A6's example. */
export function budgetRule(written: WrittenBudget | undefined): BudgetRule | null {
  if (written === undefined) return null;
  return { maxTokens: written.max_tokens ?? 100, tokenRatio: written.token_ratio ?? 0.1 };
}

/** A whole pool: one connection, 100 calls at a time. */
export function poolRule(written: WrittenPool | undefined): PoolRule {
  return { channels: written?.channels ?? 1, maxConcurrent: written?.max_concurrent ?? 100 };
}

/** What health is watched; `null`: none. */
export function healthRule(written: WrittenHealth | undefined): HealthRule | null {
  if (written === undefined || written === false) return null;
  return { service: written === true ? "" : written.service };
}
