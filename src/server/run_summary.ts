import type { RunSummary } from "../engine/doors.ts";
import type { RunSummaryJson } from "./operations.ts";

/** A run in a list, as the APIs have it. */
export function summaryJson(run: RunSummary): RunSummaryJson {
  const { runId, workflow, version, correlationId, status, startedAt, endedAt, sleepsUntil } = run;
  return {
    run_id: runId,
    workflow,
    version,
    correlation_id: correlationId,
    status,
    started_at: new Date(startedAt).toISOString(),
    finished_at: endedAt === null ? null : new Date(endedAt).toISOString(),
    duration_ms: endedAt === null ? null : endedAt - startedAt,
    sleeps_until: sleepsUntil == null ? null : new Date(sleepsUntil).toISOString(),
    sleeps: sleepsUntil !== undefined,
    owned: run.owned,
  };
}
