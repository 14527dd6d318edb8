import type { ErrorCode } from "../errors.ts";
import type { RunStatus } from "../engine/report.ts";

/** What the program's exit codes mean. */
export const EXIT = {
  completed: 0,
  /** Failed, compensated, cancelled or timed out; also a defect of the program. */
  failed: 1,
  /** Wrong usage, invalid workflow or input: nothing was run. */
  invalid: 2,
  /** Needs attention, or incomplete. */
  open: 3,
  /** The store can't be read or written. */
  store: 4,
  /** Left by a second Ctrl-C. */
  interrupted: 130,
  /** Ended by SIGTERM. */
  terminated: 143,
} as const;

/** The exit code of a run's end. */
export function exitCodeOfRun(status: RunStatus): number {
  if (status === "completed") return EXIT.completed;
  return status === "needs_attention" || status === "incomplete" ? EXIT.open : EXIT.failed;
}

/** The exit code of an error that is no run's end. */
export function exitCodeOfError(code: ErrorCode): number {
  switch (code) {
    case "STORE_FAILED":
    case "CLAIM_LOST":
      return EXIT.store;
    case "INTERNAL":
    case "ENGINE_CLOSED":
      return EXIT.failed;
    default:
      return EXIT.invalid;
  }
}
