/** A run id: a UUID of version 7 (RFC 9562), so that ids sort by their time. */
export function newRunId(now: number): string {
  const time = now.toString(16).padStart(12, "0");
  const random = crypto.randomUUID(); // its version and variant stand at 14 and 19
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(15)}`;
}

/**
 * A W3C `traceparent` for a trace that begins here, sampled. Its span is the run's own: it has the
 * last half of the trace's id, by which {@linkcode beginsTrace} knows it.
 */
export function newTraceparent(): string {
  const trace = crypto.randomUUID().replaceAll("-", "");
  return `00-${trace}-${trace.slice(16)}-01`;
}

/** Whether a run's `traceparent` was made for it, and no caller's span is around the run. */
export function beginsTrace(traceparent: string): boolean {
  return traceparent.slice(19, 35) === traceparent.slice(36, 52);
}

/** Whether a run is the child run of another. */
export function isChildId(runId: string): boolean {
  return runId.includes("/");
}

/** The run at the root of a child run's tree; of any other, itself. */
export function rootIdOf(runId: string): string {
  return runId.split("/", 1)[0] ?? runId;
}
