/**
 * What stands in rows, and how values are put there.
 *
 * @module
 */
import type { StoredFact } from "../../engine/doors.ts";
import type { RunStatus } from "../../engine/report.ts";
import { MaestroError } from "../../errors.ts";

/** Of `runs`: whose a run is. */
export interface RunRow {
  readonly no: number;
  readonly owner: number | null;
  readonly token: number;
}

/** Of `runs`: one that was taken over. */
export interface AdoptedRow {
  readonly no: number;
  readonly id: string;
  readonly token: number;
  readonly status: RunStatus;
  readonly asleep: number;
  readonly sleeps_until: number | null;
}

/** Of `moments`, with its run's id. */
export interface MomentRow {
  readonly no: number;
  readonly id: string;
  readonly facts: string;
}

/** The facts of a moment; `null`: they are no JSON. */
export function jsonOf(facts: string): StoredFact[] | null {
  try {
    return JSON.parse(facts);
  } catch {
    return null;
  }
}

/** The farthest moment there is in JavaScript, in milliseconds since the epoch. */
const MOST = 8.64e15;

/** Clocks may tell parts of a millisecond; the tables hold whole ones. */
export function whole(milliseconds: number | null): number | null {
  if (milliseconds === null || Number.isNaN(milliseconds)) return null;
  return Math.max(-MOST, Math.min(MOST, Math.round(milliseconds)));
}

/** That there is no such run. */
export function missing(runId: string): MaestroError {
  return new MaestroError("RUN_NOT_FOUND", `There is no run "${runId}"`);
}
