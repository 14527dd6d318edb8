import type { RunStatus } from "./report.ts";

const EVERY: Readonly<Record<RunStatus, true>> = {
  running: true,
  compensating: true,
  needs_attention: true,
  completed: true,
  failed: true,
  compensated: true,
  cancelled: true,
  timed_out: true,
  incomplete: true,
};

/** Every status, in the order in which a run may come to it. */
export const RUN_STATUSES = Object.keys(EVERY) as readonly RunStatus[]; // the record's keys
