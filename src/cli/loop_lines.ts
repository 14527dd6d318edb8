/**
 * Lines about loops: the steps of the first rounds are told one by one, those of the others only where
 * something goes wrong.
 *
 * @module
 */
import type { Happening } from "../engine/happening.ts";
import { recordOf, type RunState } from "../machines/records.ts";
import { numeral } from "./loop_look.ts";

/** Of so many rounds every step is told. */
const MOST_TOLD = 10;

/** Whether a step stands in a round beyond those that are told. */
export function isCrowded(state: RunState, path: string): boolean {
  for (const match of path.matchAll(/\[(\d+)\]/g)) {
    if (Number(match[1]) < MOST_TOLD) continue;
    const loop = path.slice(0, match.index);
    const record = recordOf(state, loop) ?? recordOf(state, loop, "compensate");
    if ((record?.rounds.begun ?? 0) > 0) return true; // others are places: `steps[12]`
  }
  return false;
}

/** How many rounds are over, told now and then: at 10, 20, …, 100, 200, and so on. */
export function roundsLine(state: RunState, event: Happening): string | null {
  if (event.kind !== "step_completed" || !event.path.endsWith("]")) return null;
  const path = event.path.slice(0, event.path.lastIndexOf("["));
  const loop = recordOf(state, path, event.op);
  if (loop === undefined || loop.rounds.begun === 0) return null;
  const done = loop.rounds.begun - loop.rounds.open.size;
  if (done < MOST_TOLD || done % 10 ** Math.floor(Math.log10(done)) !== 0) return null;
  const total = Array.isArray(loop.input) ? ` of ${numeral(loop.input.length)}` : "";
  return `${path}: ${numeral(done)}${total} rounds have ended`;
}
