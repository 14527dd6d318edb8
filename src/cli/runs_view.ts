import type { Journal } from "../engine/doors.ts";
import type { Engine } from "../engine/engine.ts";

/** Runs that can be looked at, wherever they are. */
export type RunsView = Pick<Journal, "read" | "kept" | "list" | "find" | "size" | "close">;

/** What can be wanted of a run, wherever it is. */
export type Operator = Pick<Engine, "cancel" | "signal" | "resolve" | "resume">;
