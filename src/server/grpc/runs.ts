import { create } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import type { RunStatus } from "../../engine/report.ts";
import { formatDuration } from "../../workflow/durations.ts";
import {
  ResolveStepRequest_Action as Action,
  type Runs,
  RunSchema,
  type StartRunRequest as StartRunMessage,
} from "../../gen/maestro/v1/runs_pb.ts";
import type { Operations, ResolveStepRequest, StartRunRequest } from "../operations.ts";
import { isTraceparent } from "../traceparent.ts";
import { fieldError } from "./field_error.ts";
import { parseFilter } from "./filter.ts";
import { jsonOf, jsonOfStruct } from "./json_values.ts";
import { runIdOf, runName, workflowOf } from "./names.ts";
import { applyReadMask } from "./read_mask.ts";
import type { Asked, Methods } from "./rpc.ts";
import { eventMessage, runMessage, runSummary } from "./run_message.ts";
import { runState } from "./states.ts";

/** `maestro.v1.Runs` over the operations. */
export function runsService(operations: Operations): Methods<typeof Runs> {
  return {
    async startRun(request, asked) {
      return runMessage(await operations.startRun(startOf(request, asked), asked.who));
    },
    async getRun({ name, readMask }) {
      const run = create(RunSchema, runMessage(await operations.getRun(runIdOf(name))));
      return applyReadMask(RunSchema, run, readMask);
    },
    async listRuns({ filter, pageSize, pageToken }) {
      const { runs, next_page_token: nextPageToken } = await operations.listRuns({
        ...parseFilter(filter),
        page_size: pageSize,
        page_token: pageToken,
      });
      return { runs: runs.map(runSummary), nextPageToken };
    },
    async countRuns() {
      const counts = Object.entries(await operations.countRuns());
      return {
        counts: counts.map(([status, count]) => ({
          state: runState(status as RunStatus), // the record's keys
          count: BigInt(count),
        })),
      };
    },
    async *watchRun({ name, after }, { signal }) {
      const from = Number(after);
      if (from < 0 || !Number.isSafeInteger(from)) {
        throw fieldError("after", `${after} is no event's sequence`);
      }
      for await (const event of operations.runEvents(runIdOf(name), { after: from, signal })) {
        yield { event: eventMessage(event) };
      }
    },
    async *watchRuns({ after }, { signal }) {
      const from = after === "" ? {} : { after };
      for await (const { cursor, event } of operations.allEvents({ ...from, signal })) {
        yield { cursor, event: eventMessage(event) };
      }
    },
    async cancelRun({ name }, { who }) {
      return runMessage(await operations.cancelRun(runIdOf(name), who));
    },
    async signalRun({ name, signal, data, requestId }, { who }) {
      if (signal === "") throw fieldError("signal", "it is required");
      const request = {
        name: signal,
        ...(data !== undefined && { data: jsonOf(data, "data") }),
        ...(requestId !== "" && { signal_id: requestId }),
      };
      return runMessage(await operations.signalRun(runIdOf(name), request, who));
    },
    async resolveStep({ name, step, action, input, output, reason, requestId }, { who }) {
      if (step === "") throw fieldError("step", "it is required");
      if (reason === "") throw fieldError("reason", "it is required, for the record");
      const request: ResolveStepRequest = {
        step,
        action: actionOf(action),
        reason,
        ...(input !== undefined && { input: jsonOf(input, "input") }),
        ...(output !== undefined && { output: jsonOf(output, "output") }),
        ...(requestId !== "" && { resolution_id: requestId }),
      };
      return runMessage(await operations.resolveStep(runIdOf(name), request, who));
    },
    async resumeRun({ name }, { who }) {
      return runMessage(await operations.resumeRun(runIdOf(name), who));
    },
    async resumeRuns(_, { who }) {
      const { resumed, sleeping, failed } = await operations.resumeRuns(who);
      return {
        runs: resumed.map(runName),
        sleepingCount: BigInt(sleeping),
        failedRuns: failed.map(({ run_id, ...why }) => ({ run: runName(run_id), ...why })),
      };
    },
    async pruneRuns({ olderThan }, { who }) {
      if (olderThan === undefined) throw fieldError("older_than", "it is required");
      const span = Math.ceil(durationMs(olderThan));
      if (span < 0) throw fieldError("older_than", "it lies in the past");
      const request = { older_than: formatDuration(span) };
      const { dropped, more } = await operations.pruneRuns(request, who);
      return { droppedCount: BigInt(dropped), more };
    },
  };
}

function startOf(request: StartRunMessage, { header }: Asked): StartRunRequest {
  const { workflow, input, runId, correlationId, timeout } = request;
  const traceparent = header("traceparent");
  const milliseconds = timeout === undefined ? null : Math.ceil(durationMs(timeout));
  if (milliseconds !== null && milliseconds <= 0) {
    throw fieldError("timeout", "no run ends in no time");
  }
  return {
    ...workflowOf(workflow, "workflow"),
    ...(input !== undefined && { input: jsonOfStruct(input, "input") }),
    ...(runId !== "" && { run_id: runId }),
    ...(correlationId !== "" && { correlation_id: correlationId }),
    ...(milliseconds !== null && { timeout: formatDuration(milliseconds) }),
    // What is no trace context starts a trace of its own.
    ...(traceparent !== undefined && isTraceparent(traceparent) && { traceparent }),
  };
}

function actionOf(action: Action): ResolveStepRequest["action"] {
  switch (action) {
    case Action.RETRY:
      return "retry";
    case Action.SKIP:
      return "skip";
    case Action.ABORT:
      return "abort";
    default:
      throw fieldError("action", "it is required: RETRY, SKIP or ABORT");
  }
}
