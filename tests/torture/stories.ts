/**
 * What can become of an order: what goes wrong with it, how it may end, and what stands then.
 *
 * @module
 */
import type { Json } from "../../mod.ts";
import type { Troubles } from "./bank.ts";
import type { Order } from "./victim.ts";

/** One thing that an order can go through. */
export interface Story {
  /** Over the input of an order that nothing befalls. */
  readonly input?: Readonly<Record<string, Json>>;
  readonly troubles?: Troubles;
  /** How the run may end, however often it is killed. */
  readonly ends: readonly string[];
  /** The run's time, in milliseconds. */
  readonly timeout?: number;
  /** A user cancels the run once it has so many facts. */
  readonly cancelAt?: number;
  /** Somebody sends it this signal. */
  readonly signal?: string;
}

const PARCELS = ["a", "b", "c"];

/** Compensations that fail before they are done. */
const RESISTING: Troubles = {
  "compensate open": "resist",
  "compensate hold": "resist",
  "compensate pack-b": "resist",
  "compensate note-c": "resist",
  "compensate number": "resist",
};

/** By name. */
export const STORIES = {
  completes: { ends: ["completed"], input: { express: true } },
  pays: { ends: ["completed"], input: { pivot: true } },
  late: { ends: ["compensated"], troubles: { "action confirm": "refuse" } },
  resisting: {
    ends: ["compensated"],
    input: { express: true },
    troubles: { ...RESISTING, "action confirm": "refuse" },
  },
  parallel: { ends: ["compensated"], troubles: { "action points": "refuse" } },
  foreach: { ends: ["compensated"], troubles: { "action pack-b": "refuse" } },
  caught: { ends: ["completed"], troubles: { "action wrap": "refuse" } },
  caught_in_doubt: { ends: ["completed"], troubles: { "action wrap": "lose" } },
  caught_late: {
    ends: ["compensated"],
    troubles: { "action wrap": "refuse", "action confirm": "refuse", "compensate gift": "resist" },
  },
  child: {
    ends: ["compensated"],
    troubles: { "action file": "refuse", "compensate number": "resist" },
  },
  child_in_doubt: { ends: ["compensated"], troubles: { "action file": "lose" } },
  lost: { ends: ["compensated"], troubles: { "action drive": "lose" } },
  found: { ends: ["completed"], troubles: { "action charge": "lose" } },
  found_at_pivot: {
    ends: ["completed"],
    input: { pivot: true },
    troubles: { "action charge": "lose" },
  },
  missing: { ends: ["compensated"], troubles: { "action charge": "fail" } },
  step_timeout: {
    ends: ["compensated"],
    input: { dawdle: true },
    troubles: { "action dawdle": "linger" },
  },
  // A retry that would come after the deadline is not waited for: then the run fails before it.
  run_timeout: {
    ends: ["timed_out", "compensated"],
    timeout: 400,
    troubles: { "action duty": "linger" },
  },
  run_timeout_late: {
    ends: ["timed_out", "compensated"],
    timeout: 900,
    troubles: { "action drive": "hang" },
  },
  cancelled_early: { ends: ["cancelled"], cancelAt: 12, troubles: { "compensate open": "resist" } },
  cancelled: { ends: ["cancelled"], cancelAt: 60 },
  cancelled_or_paid: { ends: ["cancelled", "completed"], input: { pivot: true }, cancelAt: 99 },
  at_most_once: { ends: ["completed", "compensated"], input: { once: true } },
  naps: { ends: ["completed"], input: { nap: true } },
  naps_late: {
    ends: ["compensated"],
    input: { nap: true },
    troubles: { "action confirm": "refuse" },
  },
  told: { ends: ["completed"], input: { asks: true }, signal: "word" },
  cancelled_by_command: { ends: ["cancelled", "completed"], input: { nap: true } },
  parked: {
    ends: ["compensated"],
    troubles: { "action confirm": "refuse", "compensate hold": "forbid" },
  },
} as const satisfies Record<string, Story>;

/** The name of a story. */
export type StoryName = keyof typeof STORIES;

/** All of them. */
export const STORY_NAMES = Object.keys(STORIES) as StoryName[]; // of an object without other keys

/** A story by its name. */
export function storyOf(name: StoryName): Story {
  return STORIES[name];
}

/** Whether somebody sees to a run of the story, besides the process that it is in. */
export function isWatched(name: StoryName): boolean {
  const { cancelAt, signal } = storyOf(name);
  return cancelAt !== undefined || signal !== undefined || name === "parked";
}

/** A run of the story. */
export function orderOf(name: StoryName, id: string): Order {
  const { input, timeout, cancelAt, signal } = storyOf(name);
  const parts = {
    express: false,
    dawdle: false,
    once: false,
    nap: false,
    asks: false,
    pivot: false,
  };
  return {
    id,
    input: { order: id, parcels: PARCELS, ...parts, ...input },
    timeout,
    cancelAt,
    signal,
    isWatched: isWatched(name),
  };
}

/** Nobody undoes it: it is the last, and whether it is done in the end does not matter. */
export const NEVER_UNDONE = "confirm";

/** The memos of what stands once a run has ended. */
export function standing(name: StoryName, status: string): ReadonlySet<string> {
  if (status !== "completed") return new Set();
  const { input = {}, troubles = {} } = storyOf(name);
  const isCaught = "action wrap" in troubles;
  return new Set([
    ...["open", "hold", "tax", "duty", "points"],
    ...PARCELS.flatMap((parcel) => [`pick-${parcel}`, `pack-${parcel}`]),
    input.express === true ? "fly" : "drive",
    ...(isCaught ? ["voucher", "stamp"] : ["gift", "wrap"]),
    ...(input.once === true ? ["once"] : []),
    ...["number", "file", "charge", NEVER_UNDONE],
  ]);
}
