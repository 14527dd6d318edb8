/**
 * Where a run stands, as people and programs read it: the object of `--output json`.
 *
 * @module
 */
import type { Failure } from "../machines/failure.ts";
import { recordOf, type RunState, type StepRecord } from "../machines/fold.ts";
import type { EndStatus } from "../machines/facts.ts";
import type { Outcome } from "../machines/outcome.ts";
import { rollbackPlan } from "../machines/saga.ts";
import { eachStep } from "../workflow/calls.ts";
import type { Json } from "../workflow/json.ts";
import type { Step, Workflow } from "../workflow/model.ts";
import { toJson } from "../workflow/value.ts";

/** Where a run stands: its end, or `running`, `compensating` or `needs_attention` before that. */
export type RunStatus = EndStatus | "running" | "compensating" | "needs_attention";

/** A run, as `--output json` prints it. Times are RFC 3339, values are ProtoJSON. */
export interface RunReport {
  readonly run_id: string;
  readonly workflow: string;
  readonly version: string | null;
  readonly correlation_id: string;
  readonly status: RunStatus;
  /** What the run returned; `null` where it did not complete. */
  readonly output: Json;
  readonly error: Failure | null;
  /** What waits for an operator. */
  readonly attention: readonly AttentionReport[];
  readonly started_at: string;
  readonly finished_at: string | null;
  readonly duration_ms: number | null;
  /** Every started or skipped call and set step, in order of start. */
  readonly steps: readonly StepReport[];
}

/** One parked step. */
export interface AttentionReport {
  readonly step: string;
  readonly op: string;
  readonly error: Failure;
  readonly request: Json;
}

/** One step. */
export interface StepReport {
  readonly path: string;
  readonly id: string;
  readonly kind: string;
  readonly status: StepRecord["status"];
  readonly outcome: Outcome | null;
  readonly attempts: number;
  readonly started_at: string;
  readonly finished_at: string | null;
  readonly output: Json;
  readonly error: Failure | null;
  /** `null` until a rollback concerns the step. */
  readonly compensation: CompensationReport | null;
}

/** How far a step is undone. */
export interface CompensationReport {
  readonly status: "pending" | "running" | "done" | "parked" | "skipped";
  readonly attempts: number;
  readonly error: Failure | null;
  readonly started_at: string | null;
  readonly finished_at: string | null;
}

/** The report of a run from where it stands. */
export function reportOf(workflow: Workflow, state: RunState): RunReport {
  const { started, end } = state;
  if (started === null) throw new Error("The run has not started");
  const undone = state.rollback === null
    ? new Set<string>()
    : new Set(rollbackPlan(workflow.steps, state).map((step) => step.path));
  const steps = new Map<string, Step>();
  for (const step of eachStep(workflow.steps, false)) steps.set(step.path, step);
  return {
    run_id: started.runId,
    workflow: started.workflow,
    version: started.version,
    correlation_id: started.correlationId,
    status: statusOf(state),
    output: end?.output === undefined ? null : toJson(end.output),
    error: end?.failure ?? causeOf(state),
    attention: attentionOf(state),
    started_at: timeOf(started.at),
    finished_at: end === null ? null : timeOf(end.at),
    duration_ms: end === null ? null : end.at - started.at,
    steps: [...state.records.values()].flatMap((record) => {
      const step = record.op === "action" ? steps.get(record.path) : undefined;
      return step === undefined || !REPORTED.has(step.kind)
        ? []
        : [stepReport(step, record, state, undone)];
    }),
  };
}

/** The kinds of steps that a report lists: those that do something by themselves. */
const REPORTED: ReadonlySet<Step["kind"]> = new Set(["call", "set"]);

/** Where a run stands, in one word. */
export function statusOf(state: RunState): RunStatus {
  if (state.end !== null) return state.end.status;
  if (state.attention.size > 0) return "needs_attention";
  return state.rollback === null ? "running" : "compensating";
}

/** Why a run that has not ended yet turned back. */
function causeOf(state: RunState): Failure | null {
  return state.rollback === null ? null : recordOf(state, "")?.failure ?? null;
}

function attentionOf(state: RunState): AttentionReport[] {
  return [...state.attention].flatMap((key) => {
    const record = state.records.get(key);
    if (record === undefined || record.attention === null) return [];
    const { failure, request } = record.attention;
    return [{ step: record.path, op: record.op, error: failure, request: toJson(request) }];
  });
}

function stepReport(
  step: Step,
  record: StepRecord,
  state: RunState,
  undone: ReadonlySet<string>,
): StepReport {
  return {
    path: record.path,
    id: step.id,
    kind: step.kind,
    status: record.status,
    outcome: record.outcome,
    attempts: record.attempts,
    started_at: timeOf(record.startedAt),
    finished_at: record.endedAt === null ? null : timeOf(record.endedAt),
    output: record.output === undefined ? null : toJson(record.output),
    error: record.failure,
    compensation: undone.has(record.path) ? compensationReport(state, record.path) : null,
  };
}

function compensationReport(state: RunState, path: string): CompensationReport {
  const record = recordOf(state, path, "compensate");
  if (record === undefined) {
    return { status: "pending", attempts: 0, error: null, started_at: null, finished_at: null };
  }
  const status = compensationStatus(state, record);
  return {
    status,
    attempts: attemptsOf(state, record),
    error: status === "done" ? null : record.attention?.failure ?? record.failure,
    started_at: timeOf(record.startedAt),
    finished_at: record.endedAt === null ? null : timeOf(record.endedAt),
  };
}

function compensationStatus(state: RunState, record: StepRecord): CompensationReport["status"] {
  if (record.status === "completed") return "done";
  if (record.status === "skipped") return "skipped";
  const parked = record.attention !== null || record.resolved === "abort" ||
    [...state.attention].some((key) => key.startsWith(`${record.path}.compensate[`));
  return parked ? "parked" : "running";
}

/** Its own attempts, and those of the steps it consists of. */
function attemptsOf(state: RunState, record: StepRecord): number {
  let attempts = record.attempts;
  for (const inner of state.records.values()) {
    if (inner.path.startsWith(`${record.path}.compensate[`)) attempts += inner.attempts;
  }
  return attempts;
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
