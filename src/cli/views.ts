/**
 * What commands need of the place where runs are, whether that is a store or a server.
 *
 * @module
 */
import type { Journal, RunQuery, RunSummary } from "../engine/doors.ts";
import type { Engine } from "../engine/engine.ts";
import type { Run } from "../engine/run.ts";

/** Runs that can be looked at. */
export interface RunsView extends Pick<Journal, "read" | "kept" | "find" | "size" | "close"> {
  /** The runs that fit, the newest first; a server goes by tokens of its own from page to page. */
  list(query: Omit<RunQuery, "after">): Promise<readonly RunSummary[]>;
}

/** What can be wanted of a run. */
export interface Operator extends Pick<Engine, "cancel" | "signal" | "resolve"> {
  /** Has a run go on that nobody has. @returns the run, where it goes on here; else `null` */
  resume(runId: string): Promise<Run | null>;
}
