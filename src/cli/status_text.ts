import { recordOf, type RunState } from "../machines/fold.ts";
import { rollbackPlan } from "../machines/saga.ts";
import { eachStep } from "../workflow/calls.ts";
import type { Step } from "../workflow/model.ts";
import type { Tone } from "./palette.ts";
import { count, formatTime } from "./text.ts";

/** The sign and tone of a run that has ended or waits for an operator; `null` while it goes on. */
export function endLook({ end, attention }: RunState): { glyph: string; tone: Tone } | null {
  if (end === null) return attention.size > 0 ? { glyph: "!", tone: "bad" } : null;
  if (end.status === "completed") return { glyph: "✓", tone: "good" };
  if (end.status === "compensated" || end.status === "cancelled") {
    return { glyph: "↩", tone: "undo" };
  }
  return { glyph: "✗", tone: "bad" };
}

/** Where a run stands, in one line. */
export function statusText(steps: readonly Step[], state: RunState, now: number): string {
  const { started, end } = state;
  if (started === null) return "starting";
  const time = formatTime((end?.at ?? now) - started.at);
  const parts = [end === null ? `${progressOf(state)}, ${time}` : `${ENDS[end.status]} in ${time}`];
  const calls = [...eachStep(steps, false)].filter(({ kind }) => kind === "call");
  const records = calls.flatMap(({ path }) => recordOf(state, path) ?? []);
  const done = records.filter(({ status }) => status === "completed").length;
  parts.push(`${count(done, "call")} done`); // of how many, no one knows before a switch is taken
  const retries = records.reduce((sum, { attempts }) => sum + Math.max(0, attempts - 1), 0);
  if (retries > 0) parts.push(retries === 1 ? "1 retry" : `${retries} retries`);
  // "failed and undone" has said it.
  if (state.rollback !== null && end?.status !== "compensated") {
    parts.push(undoneText(steps, state));
  }
  return parts.join(" · ");
}

const ENDS = {
  completed: "completed",
  failed: "failed",
  compensated: "failed and undone",
  cancelled: "cancelled",
  timed_out: "timed out",
  incomplete: "ended incomplete",
} as const;

function progressOf({ attention, rollback, cancel }: RunState): string {
  if (attention.size > 0) return "waits for an operator";
  if (rollback !== null) return "rolling back";
  if (cancel !== null) {
    return cancel.reason === "timed_out" ? "out of time, stopping" : "cancelling";
  }
  return "running";
}

function undoneText(steps: readonly Step[], state: RunState): string {
  const plan = rollbackPlan(steps, state);
  const undone = plan.filter(({ path }) =>
    recordOf(state, path, "compensate")?.status === "completed"
  );
  return `${undone.length} of ${plan.length} undone`;
}
