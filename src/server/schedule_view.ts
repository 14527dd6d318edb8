import { nextMoments } from "../workflow/cron.ts";
import type { Workflow } from "../workflow/model.ts";
import type { ScheduleView } from "./operations.ts";

/** How many of the next times are told. */
const TOLD = 5;

/** When a workflow starts by itself; `null`: it doesn't. */
export function scheduleView({ schedule }: Workflow, now = Date.now()): ScheduleView | null {
  if (schedule === null) return null;
  const { cron, timezone, overlap } = schedule;
  const next = nextMoments(schedule, now, TOLD).map((moment) => new Date(moment).toISOString());
  return { cron, timezone, overlap, next_times: next };
}
