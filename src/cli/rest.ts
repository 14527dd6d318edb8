import { NAP } from "../engine/sleep.ts";
import { isLeftToOthers, type StepRecord } from "../machines/records.ts";
import type { RunView } from "./run_view.ts";

/** Whether a run goes no further without an operator: all that is under way in it, and below it, is parked. */
export function isParked(view: RunView): boolean {
  return everyOpen(view, () => false);
}

/** Whether a run only waits, for long: for a moment, a signal or an operator, also where its child runs do. */
export function onlyWaits(view: RunView, now: number): boolean {
  return everyOpen(
    view,
    ({ form, dueAt }) => form === "await_signal" || form === "wait" && (dueAt ?? now) - now > NAP,
  );
}

function everyOpen(view: RunView, waits: (record: StepRecord) => boolean): boolean {
  const { state, children } = view;
  for (const key of state.underWay) {
    const record = state.records.get(key);
    if (record === undefined || record.attention !== null || isLeftToOthers(state, record)) {
      continue;
    }
    if (waits(record)) continue;
    const child = record.form === "workflow" ? children.get(record.path) : undefined;
    if (child === undefined || child.state.end !== null || !everyOpen(child, waits)) return false;
  }
  return state.underWay.size > 0; // else it is between two steps
}
