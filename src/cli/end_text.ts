import type { EndStatus } from "../machines/facts.ts";

/** How a run ended, for people. */
export const END_TEXT: Readonly<Record<EndStatus, string>> = {
  completed: "completed",
  failed: "failed",
  compensated: "failed and undone",
  cancelled: "cancelled",
  timed_out: "timed out",
  incomplete: "ended incomplete",
};
