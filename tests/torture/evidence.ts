/**
 * What is known of a store, its processes and its bank when all is over.
 *
 * @module
 */
import type { StoredFact } from "../../mod.ts";
import type { Arrival, Effect } from "./bank.ts";
import type { Fall, Noted } from "./deadly_journal.ts";
import type { StoryName } from "./stories.ts";

/** All facts of a store, by run. */
export type Facts = ReadonlyMap<string, readonly StoredFact[]>;

/** How a process came to its end: killed from outside, or by itself at a write. */
export type Death = "outside" | Fall["moment"];

/** One life of a process, and the store as it began and ended. */
export interface Life {
  readonly number: number;
  /** `null`: it ended when all was done. */
  readonly death: Death | null;
  readonly before: Facts;
  readonly after: Facts;
  readonly noted: readonly Noted[];
  /** What arrived at the bank from it. */
  readonly arrivals: readonly Arrival[];
  /** How runs have ended, by what it said itself. */
  readonly told: ReadonlyMap<string, string>;
}

/** What is left when all runs have ended. */
export interface Remains {
  /** What each run was to go through. */
  readonly stories: ReadonlyMap<string, StoryName>;
  readonly facts: Facts;
  readonly arrivals: readonly Arrival[];
  readonly effects: readonly Effect[];
}

/** All that is known of a store and its bank. */
export interface Evidence {
  readonly lives: readonly Life[];
  readonly remains: Remains;
}

/** The facts by which a step is over. */
export const STEP_ENDS: ReadonlySet<string> = new Set([
  "step_completed",
  "step_failed",
  "step_caught",
  "step_cancelled",
]);
