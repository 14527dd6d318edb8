/**
 * Workflows as the API has them.
 *
 * @module
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Problem } from "../../errors.ts";
import {
  Problem_Severity,
  type ProblemSchema,
  Schedule_Overlap,
  type ScheduleSchema,
  type WorkflowSchema,
} from "../../gen/maestro/v1/workflows_pb.ts";
import type { ScheduleView, WorkflowDetail, WorkflowSummary } from "../operations.ts";
import { timeOf, valueOf } from "./json_values.ts";
import { workflowName } from "./names.ts";

/** A workflow with what it says. */
export function workflowMessage(workflow: WorkflowDetail): MessageInitShape<typeof WorkflowSchema> {
  const { text, input_schema: schema } = workflow;
  return {
    ...workflowSummary(workflow),
    definition: text,
    ...(schema !== null && { inputSchema: valueOf(schema) }),
  };
}

/** A workflow in a list. */
export function workflowSummary(
  workflow: WorkflowSummary,
): MessageInitShape<typeof WorkflowSchema> {
  const { name, version, description, file, startable, problems, loaded_at, schedule } = workflow;
  return {
    name: workflowName(name, version),
    displayName: name,
    version: version ?? "",
    description: description ?? "",
    file,
    startable,
    problems: problems.map(problemMessage),
    ...(loaded_at !== null && { loadTime: timeOf(loaded_at) }),
    ...(schedule !== null && { schedule: scheduleMessage(schedule) }),
  };
}

/** One thing to mend. */
export function problemMessage(
  { severity, code, message, file, line, column }: Problem,
): MessageInitShape<typeof ProblemSchema> {
  return {
    severity: severity === "error" ? Problem_Severity.ERROR : Problem_Severity.WARNING,
    code,
    message,
    file: file ?? "",
    line: line ?? 0,
    column: column ?? 0,
  };
}

function scheduleMessage(
  { cron, timezone, overlap, next_times }: ScheduleView,
): MessageInitShape<typeof ScheduleSchema> {
  return {
    cron,
    timeZone: timezone,
    overlap: overlap === "skip" ? Schedule_Overlap.SKIP : Schedule_Overlap.ALLOW,
    nextTimes: next_times.map(timeOf),
  };
}
