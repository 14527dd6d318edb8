/** A run id: a UUID of version 7 (RFC 9562), so that ids sort by their time. */
export function newRunId(now: number): string {
  const time = now.toString(16).padStart(12, "0");
  const random = crypto.randomUUID(); // its version and variant stand at 14 and 19
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(15)}`;
}

/** A W3C `traceparent` for a trace that begins here, sampled. */
export function newTraceparent(): string {
  const trace = crypto.randomUUID();
  const span = crypto.randomUUID();
  const id = trace.slice(0, 8) + trace.slice(9, 13) + trace.slice(14, 18) + trace.slice(19, 23) +
    trace.slice(24);
  return `00-${id}-${span.slice(0, 8)}${span.slice(24, 32)}-01`;
}

/** Whether a run is the child run of another. */
export function isChildId(runId: string): boolean {
  return runId.includes("/");
}

/** The run at the root of a child run's tree; of any other, itself. */
export function rootIdOf(runId: string): string {
  return runId.split("/", 1)[0] ?? runId;
}
