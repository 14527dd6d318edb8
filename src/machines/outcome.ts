/**
 * What an attempt, or a whole step, came to (semantics.md §3).
 *
 * - `completed`: it was answered OK
 * - `not_sent`: it provably never left
 * - `rejected`: the service answered that it did nothing
 * - `unknown`: it may have happened
 */
export type Outcome = "completed" | "not_sent" | "rejected" | "unknown";

/** Answers by which a service says that it did nothing (semantics.md §3). */
const REJECTIONS: ReadonlySet<string> = new Set([
  "INVALID_ARGUMENT",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "UNAUTHENTICATED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
]);

/** The outcome of one attempt that left and ended with this gRPC code. */
export function outcomeOfCode(code: string): Outcome {
  if (code === "OK") return "completed";
  return REJECTIONS.has(code) ? "rejected" : "unknown";
}

/** The outcome of a step that failed after these attempts: one attempt in doubt is enough for `unknown`. */
export function outcomeOfAttempts(attempts: readonly Outcome[]): Outcome {
  if (attempts.every((outcome) => outcome === "not_sent")) return "not_sent";
  return attempts.every((outcome) => outcome === "not_sent" || outcome === "rejected")
    ? "rejected"
    : "unknown";
}
