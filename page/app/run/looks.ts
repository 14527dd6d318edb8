import type { RunModel, StepRecord, StepState } from "./run_model.ts";
import { recordKey } from "./run_model.ts";

/** How a step is shown: its own state, or how far it is undone. */
export type Look = StepState | "pending" | "not_reached" | "undoing" | "undone";

/** How one step of the graph stands. */
export interface NodeStatus {
  readonly look: Look;
  /** A few words beside it: attempts, rounds; `""`: none. */
  readonly note: string;
  /** How far it is undone; `null`: nothing undoes it, or nothing has yet. */
  readonly undo: { readonly look: Look; readonly order: number } | null;
}

/** What a look is called. */
export const LOOK_NAMES: Readonly<Record<Look, string>> = {
  pending: "not started",
  not_reached: "not reached",
  running: "running",
  backing_off: "backing off",
  waiting: "waiting",
  completed: "completed",
  caught: "failed, caught",
  failed: "failed",
  skipped: "skipped",
  cancelled: "cancelled",
  parked: "needs attention",
  undoing: "being undone",
  undone: "undone",
};

/** How one step of a run is shown. */
export function lookOf(model: RunModel, record: StepRecord): Look {
  if (record.op !== "action") return record.state;
  const undo = model.records.get(recordKey(record.path, "compensate"));
  if (undo === undefined) return record.state;
  if (undo.state === "completed" || undo.state === "skipped") return "undone";
  return undo.state === "parked" ? "parked" : "undoing";
}

/** Of a step's rounds together: what wants to be seen most comes first. */
const BY_WEIGHT: readonly Look[] = [
  "parked",
  "undoing",
  "backing_off",
  "running",
  "waiting",
  "failed",
  "undone",
  "cancelled",
  "caught",
  "completed",
  "skipped",
];

/** One look for many. */
export function heaviest(looks: readonly Look[]): Look | null {
  return BY_WEIGHT.find((look) => looks.includes(look)) ?? null;
}
