/**
 * What commands need of the place where runs are, whether that is a store or a server.
 *
 * @module
 */
import type { Journal } from "../engine/doors.ts";
import type { Engine } from "../engine/engine.ts";

/** Runs that can be looked at. */
export type RunsView = Pick<Journal, "read" | "kept" | "list" | "find" | "size" | "close">;

/** What can be wanted of a run. */
export type Operator = Pick<Engine, "cancel" | "signal" | "resolve" | "resume">;
