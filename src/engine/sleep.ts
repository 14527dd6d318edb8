import { isLeftToOthers, type RunState, type StepRecord } from "../machines/records.ts";

/** A run that only waits needs no actor if it does so for longer than this, in milliseconds. */
export const NAP = 1_000;

/**
 * When a run goes on by itself, where it only waits, and for long, in milliseconds since the epoch.
 *
 * @param next when it next wants to be woken; `null`: never
 * @returns `null`: when a signal or an operator's word comes; `undefined`: it does something
 */
export function sleepsUntil(
  state: RunState,
  next: number | null,
  now: number,
): number | null | undefined {
  if (state.end !== null || state.underWay.size === 0) return undefined;
  for (const key of state.underWay) {
    const record = state.records.get(key);
    if (record !== undefined && !onlyWaits(state, record)) return undefined;
  }
  return next === null || next - now > NAP ? next : undefined;
}

/** It waits for a moment, a signal or an operator, or for what has a record of its own. */
function onlyWaits(state: RunState, record: StepRecord): boolean {
  return record.attention !== null || record.form === "wait" || record.form === "await_signal" ||
    isLeftToOthers(state, record);
}
