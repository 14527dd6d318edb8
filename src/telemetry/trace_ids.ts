/**
 * The ids of traces and spans. A span's id is made of what it is of, so that a run that goes on in
 * another process goes on in the same tree: whoever ends a step knows the span that it began with.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { beginsTrace } from "../engine/ids.ts";
import type { Op } from "../machines/facts.ts";

/** A W3C trace context, read. */
export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits: the span around. */
  readonly spanId: string;
  /** Somebody records this trace. */
  readonly sampled: boolean;
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/;

/** Reads a `traceparent`; `null` where it is none, and where its ids are all zeros, which stand for none. */
export function readTraceparent(text: string | null): TraceContext | null {
  const [, traceId = "", spanId = "", flags = ""] = TRACEPARENT.exec(text ?? "") ?? [];
  if (!/[1-9a-f]/.test(traceId) || !/[1-9a-f]/.test(spanId)) return null;
  return { traceId, spanId, sampled: (parseInt(flags, 16) & 1) === 1 };
}

/**
 * Whether a run's spans are recorded: where a caller's span is around it, as that one's are; else so
 * many of all traces, told by their ids, so that every process decides alike.
 */
export function isRecorded(
  traceparent: string,
  { traceId, sampled }: TraceContext,
  ratio: number,
): boolean {
  if (!sampled || !beginsTrace(traceparent)) return sampled;
  return parseInt(traceId.slice(0, 8), 16) < ratio * 2 ** 32;
}

/** Writes a `traceparent`. */
export function writeTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
}

/** What a run's own span is of. */
export function runKey(runId: string): string {
  return runId;
}

/** What a step's span is of, what undoes it, or what settles it. */
export function stepKey(runId: string, path: string, op: Op): string {
  return `${runId}/${path}/${op}`;
}

/** What an attempt's span is of. */
export function attemptKey(runId: string, path: string, op: Op, attempt: number): string {
  return `${stepKey(runId, path, op)}#${attempt}`;
}

/** What a rollback's span is of. */
export function rollbackKey(runId: string): string {
  return `${runId}//rollback`;
}

/** The id of a span: the same wherever it is asked for. */
export function spanIdOf(key: string): string {
  return createHash("sha1").update(key).digest("hex").slice(0, 16);
}

/** The id of a run's own span: where the trace begins with it, the one that its `traceparent` names. */
export function runSpanId(runId: string, traceparent: string): string {
  const own = !runId.includes("/") && beginsTrace(traceparent);
  return own ? traceparent.slice(36, 52) : spanIdOf(runKey(runId));
}

/** The id of the span around a run's own; `null`: its trace begins with it. */
export function aroundRun(runId: string, traceparent: string): string | null {
  const slash = runId.lastIndexOf("/");
  if (slash >= 0) {
    const path = runId.slice(slash + 1).replace(/#\d+$/, ""); // a child that was started again
    return spanIdOf(stepKey(runId.slice(0, slash), path, "action"));
  }
  return beginsTrace(traceparent) ? null : traceparent.slice(36, 52);
}
