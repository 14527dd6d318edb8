/** A run id: a UUID of version 7 (RFC 9562), so that ids sort by their time. */
export function newRunId(now: number): string {
  const time = now.toString(16).padStart(12, "0");
  const random = crypto.randomUUID(); // its version and variant stand at 14 and 19
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(15)}`;
}

/** A W3C `traceparent` for a trace that begins here, sampled. */
export function newTraceparent(): string {
  return `00-${hex(32)}-${hex(16)}-01`;
}

/** Random hexadecimal digits, at most 32. */
function hex(digits: number): string {
  return crypto.randomUUID().replaceAll("-", "").slice(-digits);
}
