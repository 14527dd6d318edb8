import { recordOf, type RunState } from "../machines/records.ts";
import { definitionOf } from "../engine/definition.ts";
import { rollbackPlan, type Undo } from "../machines/undo_plan.ts";
import { END_TEXT } from "./end_text.ts";
import type { Tone } from "./palette.ts";
import { eachView, needsOperator, type RunView } from "./run_view.ts";
import { count, formatTime } from "./text.ts";

/** The sign and tone of a run that has ended or waits for an operator; `null` while it goes on. */
export function endLook(view: RunView): { glyph: string; tone: Tone } | null {
  const { end } = view.state;
  if (end === null) return needsOperator(view) ? { glyph: "!", tone: "bad" } : null;
  if (end.status === "completed") return { glyph: "✓", tone: "good" };
  if (end.status === "compensated" || end.status === "cancelled") {
    return { glyph: "↩", tone: "undo" };
  }
  return { glyph: "✗", tone: "bad" };
}

/** Where a run stands, in one line. */
export function statusText(view: RunView, now: number): string {
  const { state } = view;
  const { started, end } = state;
  if (started === null) return "starting";
  const time = formatTime((end?.at ?? now) - started.at);
  const parts = [
    end === null ? `${progressOf(view)}, ${time}` : `${END_TEXT[end.status]} in ${time}`,
  ];
  const { done, retries } = countCalls(view);
  parts.push(`${count(done, "call")} done`); // of how many, no one knows before a switch is taken
  if (retries > 0) parts.push(retries === 1 ? "1 retry" : `${retries} retries`);
  // "failed and undone" has said it.
  if (state.rollback !== null && end?.status !== "compensated") parts.push(undoneText(view));
  return parts.join(" · ");
}

function progressOf(view: RunView): string {
  const { rollback, cancel, pivot } = view.state;
  if (needsOperator(view)) return "waits for an operator";
  if (rollback !== null) return "rolling back";
  if (cancel !== null) {
    return cancel.reason === "timed_out" ? "out of time, stopping" : "cancelling";
  }
  return pivot === null ? "running" : "running, past the pivot";
}

/** Over the run and its child runs. */
function countCalls(view: RunView): { readonly done: number; readonly retries: number } {
  let done = 0;
  let retries = 0;
  for (const { state } of eachView(view)) {
    for (const { form, op, status, caught, attempts } of state.records.values()) {
      if (form !== "call" || op !== "action") continue;
      if (status === "completed" && caught === null) done++;
      retries += Math.max(0, attempts - 1);
    }
  }
  return { done, retries };
}

/** Once a run rolls back, nothing is added to what it has to undo. */
const plans = new WeakMap<RunState, readonly Undo[]>();

function undoneText({ workflow, state }: RunView): string {
  let plan = plans.get(state);
  if (plan === undefined) {
    const { locator } = definitionOf(workflow);
    plan = rollbackPlan({ state, locate: (path) => locator.find(path) });
    plans.set(state, plan);
  }
  const undone = plan.filter(({ path }) =>
    recordOf(state, path, "compensate")?.status === "completed"
  );
  return `${undone.length} of ${plan.length} undone`;
}
