import { recordOf, type RunState } from "../machines/fold.ts";
import { definitionOf } from "../engine/definition.ts";
import { rollbackPlan } from "../machines/saga.ts";
import type { Workflow } from "../workflow/model.ts";
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
export function statusText(workflow: Workflow, state: RunState, now: number): string {
  const { started, end } = state;
  if (started === null) return "starting";
  const time = formatTime((end?.at ?? now) - started.at);
  const parts = [end === null ? `${progressOf(state)}, ${time}` : `${ENDS[end.status]} in ${time}`];
  const records = [...state.records.values()].filter(({ form, op }) =>
    form === "call" && op === "action"
  );
  const done = records.filter(({ status }) => status === "completed").length;
  parts.push(`${count(done, "call")} done`); // of how many, no one knows before a switch is taken
  const retries = records.reduce((sum, { attempts }) => sum + Math.max(0, attempts - 1), 0);
  if (retries > 0) parts.push(retries === 1 ? "1 retry" : `${retries} retries`);
  // "failed and undone" has said it.
  if (state.rollback !== null && end?.status !== "compensated") {
    parts.push(undoneText(workflow, state));
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

function undoneText(workflow: Workflow, state: RunState): string {
  const { locator } = definitionOf(workflow);
  const plan = rollbackPlan({ state, locate: (path) => locator.find(path) });
  const undone = plan.filter(({ path }) =>
    recordOf(state, path, "compensate")?.status === "completed"
  );
  return `${undone.length} of ${plan.length} undone`;
}
