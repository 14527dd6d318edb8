/**
 * Episodes as OpenTelemetry's spans.
 *
 * @module
 */
import type { HrTime, SpanContext } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { type Attributes, callAttributes, stepName } from "./attributes.ts";
import type { CallNames } from "./call_names.ts";
import type { FollowedRun } from "./episode_feed.ts";
import type { Episode } from "./episodes.ts";
import {
  aroundRun,
  isRecorded,
  readTraceparent,
  runKey,
  runSpanId,
  spanIdOf,
} from "./trace_ids.ts";

// OpenTelemetry's numbers for them: its module need not be loaded for these.
const INTERNAL = 0;
const CLIENT = 2;
const UNSET = 0;
const ERROR = 2;
const SAMPLED = 1;

/** What spans are made with. */
export interface SpanMaker {
  readonly names: CallNames;
  readonly resource: Resource;
  readonly scope: { readonly name: string; readonly version: string };
  /** How many of the traces that begin here are recorded, from 0 to 1. */
  readonly ratio: number;
}

/** The span of an episode; `null` where nobody records the trace, or it is unknown. */
export function spanOf(
  run: FollowedRun,
  episode: Episode,
  { names, resource, scope, ratio }: SpanMaker,
): ReadableSpan | null {
  const { runId, traceparent } = run;
  const trace = readTraceparent(traceparent);
  if (trace === null || traceparent === null || !isRecorded(traceparent, trace, ratio)) return null;
  const idOf = (key: string) =>
    key === runKey(runId) ? runSpanId(runId, traceparent) : spanIdOf(key);
  const contextOf = (spanId: string): SpanContext => ({
    traceId: trace.traceId,
    spanId,
    traceFlags: SAMPLED,
  });
  const around = episode.around === null ? aroundRun(runId, traceparent) : idOf(episode.around);
  const from = episode.from ?? episode.to;
  const context = contextOf(idOf(episode.key));
  return {
    name: nameOf(run, episode, names),
    kind: episode.of === "attempt" ? CLIENT : INTERNAL,
    spanContext: () => context,
    ...(around !== null && { parentSpanContext: contextOf(around) }),
    startTime: timeOf(from),
    endTime: timeOf(episode.to),
    duration: timeOf(episode.to - from),
    ended: true,
    status: { code: episode.code === null ? UNSET : ERROR },
    attributes: attributesOf(run, episode, names),
    links: [],
    events: episode.marks.map(({ name, at, attributes }) => ({
      name,
      time: timeOf(at),
      ...(attributes && { attributes }),
      droppedAttributesCount: 0,
    })),
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function nameOf({ workflow }: FollowedRun, episode: Episode, names: CallNames): string {
  switch (episode.of) {
    case "run":
      return `run ${workflow.name}`;
    case "rollback":
      return `rollback ${workflow.name}`;
    case "step":
      return `${episode.op === "action" ? "step" : episode.op} ${stepName(workflow, episode.path)}`;
    case "attempt":
      return String(callAttributes(workflow, episode, names)?.["rpc.method"] ?? episode.path);
  }
}

function attributesOf(
  { runId, workflow }: FollowedRun,
  episode: Episode,
  names: CallNames,
): Attributes {
  const { of, path, op, form, attempts, status, code } = episode;
  const run = { "maestro.run.id": runId, "maestro.workflow": workflow.name };
  const failed: Attributes = code === null ? {} : { "error.type": code };
  if (of === "run" || of === "rollback") {
    return {
      ...run,
      ...(workflow.version !== null && { "maestro.workflow.version": workflow.version }),
      "maestro.run.status": status,
      ...failed,
    };
  }
  const step = { ...run, "maestro.step": path, "maestro.step.op": op };
  if (of === "attempt") {
    return {
      ...step,
      "maestro.attempt": attempts,
      ...callAttributes(workflow, episode, names),
    };
  }
  return {
    ...step,
    ...(form !== null && { "maestro.step.form": form }),
    ...(attempts > 0 && { "maestro.step.attempts": attempts }),
    "maestro.step.status": status,
    ...failed,
  };
}

function timeOf(milliseconds: number): HrTime {
  return [Math.floor(milliseconds / 1000), Math.round((milliseconds % 1000) * 1e6)];
}
