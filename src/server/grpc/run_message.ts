/**
 * Runs as the API has them.
 *
 * @module
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type {
  AttentionReport,
  CompensationReport,
  RunReport,
  StepReport,
} from "../../engine/report.ts";
import type {
  AttentionSchema,
  CompensationSchema,
  EventSchema,
  FailureSchema,
  RunSchema,
  StepSchema,
} from "../../gen/maestro/v1/runs_pb.ts";
import type { EventJson, RunSummaryJson } from "../operations.ts";
import { structOf, timeOf, valueOf, valueUnlessNull } from "./json_values.ts";
import { runName, workflowName } from "./names.ts";
import { compensationState, operationOf, outcomeOf, runState, stepState } from "./states.ts";

type Failure = NonNullable<StepReport["error"]>;

/** A whole run. */
export function runMessage(report: RunReport): MessageInitShape<typeof RunSchema> {
  return {
    ...runHead(report),
    ...(report.status === "completed" && { output: valueOf(report.output) }),
    ...failed(report.error),
    attention: report.attention.map(attentionMessage),
    steps: report.steps.map(stepMessage),
  };
}

/** A run in a list. */
export function runSummary(summary: RunSummaryJson): MessageInitShape<typeof RunSchema> {
  const { sleeps_until: until } = summary;
  return { ...runHead(summary), ...(until !== null && { sleepEndTime: timeOf(until) }) };
}

/** What happened. */
export function eventMessage(event: EventJson): MessageInitShape<typeof EventSchema> {
  const { run_id, seq, at, kind, path, op, ...details } = event;
  return {
    run: runName(run_id),
    sequence: BigInt(seq),
    time: timeOf(at),
    kind,
    step: typeof path === "string" ? path : "",
    ...(isOperation(op) && { operation: operationOf(op) }),
    details: structOf(details),
  };
}

function isOperation(op: unknown): op is AttentionReport["op"] {
  return op === "action" || op === "compensate" || op === "verify";
}

/** What a run and its entry in a list have in common. */
function runHead(run: RunReport | RunSummaryJson) {
  return {
    name: runName(run.run_id),
    workflow: workflowName(run.workflow, run.version),
    correlationId: run.correlation_id,
    state: runState(run.status),
    ...times(run),
    ...(run.duration_ms !== null && { duration: durationFromMs(run.duration_ms) }),
  };
}

function stepMessage(step: StepReport): MessageInitShape<typeof StepSchema> {
  const { path, id, kind, attempts, compensation } = step;
  return {
    path,
    id,
    kind,
    state: stepState(step.status),
    outcome: outcomeOf(step.outcome),
    attempts,
    ...times(step),
    ...outputOf(step),
    ...failed(step.error),
    ...(compensation !== null && { compensation: compensationMessage(compensation) }),
  };
}

function outputOf({ output }: StepReport) {
  const { value } = valueUnlessNull(output);
  return value === undefined ? {} : { output: value };
}

function compensationMessage(
  compensation: CompensationReport,
): MessageInitShape<typeof CompensationSchema> {
  const { status, attempts, error } = compensation;
  return { state: compensationState(status), attempts, ...failed(error), ...times(compensation) };
}

function attentionMessage(
  { step, op, error, request }: AttentionReport,
): MessageInitShape<typeof AttentionSchema> {
  const { value } = valueUnlessNull(request);
  return {
    step,
    operation: operationOf(op),
    ...failed(error),
    ...(value !== undefined && { request: value }),
  };
}

function failed(error: Failure | null): { error?: MessageInitShape<typeof FailureSchema> } {
  if (error === null) return {};
  const { outcome, metadata, details, ...rest } = error;
  return {
    error: {
      ...rest,
      outcome: outcomeOf(outcome),
      metadata: { ...metadata },
      details: details.map(structOf),
    },
  };
}

function times({ started_at, finished_at }: {
  readonly started_at: string | null;
  readonly finished_at: string | null;
}) {
  return {
    ...(started_at !== null && { startTime: timeOf(started_at) }),
    ...(finished_at !== null && { endTime: timeOf(finished_at) }),
  };
}
