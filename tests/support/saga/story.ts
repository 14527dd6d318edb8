/** What the model tells stories with. */
import type { Entry } from "./tree.ts";

/** By time; what is sent in one moment by its key. */
export function inOrder(a: Sent, b: Sent): number {
  return a.at - b.at || (a.key < b.key ? -1 : 1);
}

/** A call that reaches a service. */
export interface Sent {
  readonly at: number;
  readonly key: string;
  readonly attempt: number;
}

/** How a run ends. */
export interface Story {
  readonly status: string;
  readonly end: number;
  readonly sent: readonly Sent[];
  /** Two things happened in one moment, so that their order means nothing. */
  readonly tied: boolean;
}

/** What comes from outside, besides replies. */
export interface Disturbance {
  /** When somebody cancels the run. */
  readonly cancelAt: number;
  /** When the process ends and another goes on. */
  readonly restartAt: number;
}

/** What a run consists of while it is told. */
export interface Run {
  readonly id: string;
  /** When its own time is up. */
  readonly deadline: number;
}

/** Where and when a step is told. */
export interface Around {
  readonly run: Run;
  readonly at: number;
  /** From when on what is around it is failing, cancelled or out of time. */
  readonly stop: number;
  /** When the first of the blocks around it is out of time. */
  readonly blocks: number;
  /** The pivot is behind. */
  readonly past: boolean;
  /** The path of the block, with what joins a step's id to it. */
  readonly prefix: string;
  /** The `catch` lists around. */
  readonly catches: readonly (readonly Entry[])[];
}

export interface Failure {
  readonly code: string;
  readonly outcome: string;
}

/** Something that happened, or may have, and how it is undone. */
export interface Effect {
  readonly at: number;
  readonly undo: (from: number) => Undone;
  undone: boolean;
  /** It is not undone, or not wholly. */
  stands: boolean;
}

/** What a call, or a child run, came to. */
export interface Came {
  readonly outcome: string;
  /** `null`: nothing undoes it. */
  readonly effect: Effect | null;
}

export interface Undone {
  readonly end: number;
  readonly sent: readonly Sent[];
  readonly left: "nothing" | "skipped" | "aborted";
}

export interface Pivot {
  readonly from: number;
  readonly to: number;
  readonly passed: boolean;
}

export interface Ended {
  readonly end: number;
  readonly how: "completed" | "failed" | "cancelled";
  readonly failure: Failure | null;
  readonly effects: readonly Effect[];
  /** All that was called. */
  readonly came: readonly Came[];
  readonly sent: readonly Sent[];
  readonly pivot: Pivot | null;
  /** It ends the run, as completed. */
  readonly returns: boolean;
  /** When an operator ended the run; `Infinity`: never. */
  readonly abortedAt: number;
  /** An operator left something undone that a `catch`, or a child run, was to undo. */
  readonly skipped: boolean;
}

export const OUT_OF_TIME: Failure = { code: "STEP_TIMEOUT", outcome: "not_sent" };

export function done(at: number): Ended {
  return {
    end: at,
    how: "completed",
    failure: null,
    effects: [],
    came: [],
    sent: [],
    pivot: null,
    returns: false,
    abortedAt: Infinity,
    skipped: false,
  };
}

export function failed(at: number, failure: Failure): Ended {
  return { ...done(at), how: "failed", failure };
}

/** What happened before, and what came of the step after it. */
export function after(before: Ended, next: Ended): Ended {
  return {
    ...next,
    effects: [...before.effects, ...next.effects],
    came: [...before.came, ...next.came],
    sent: [...before.sent, ...next.sent],
    pivot: before.pivot?.passed ? before.pivot : next.pivot ?? before.pivot,
    abortedAt: Math.min(before.abortedAt, next.abortedAt),
    skipped: before.skipped || next.skipped,
  };
}

/** Undoes what is not undone yet, the last first. */
export function undoAll(effects: readonly Effect[], from: number): Undone {
  const sent: Sent[] = [];
  let end = from;
  let left: Undone["left"] = "nothing";
  for (const effect of effects.toSorted((a, b) => b.at - a.at)) {
    if (effect.undone) continue;
    const undone = effect.undo(end);
    effect.undone = true;
    effect.stands = undone.left !== "nothing";
    end = undone.end;
    sent.push(...undone.sent);
    if (undone.left === "aborted") return { end, sent, left: "aborted" };
    if (undone.left === "skipped") left = "skipped";
  }
  return { end, sent, left };
}

export function takes({ codes, outcome }: Entry, failure: Failure): boolean {
  return (codes.length === 0 || codes.includes(failure.code)) &&
    (outcome === null || outcome === failure.outcome);
}

/** What a block came to that fails by itself, from all that was called in it. */
export function wholeOf({ came }: Ended): string {
  return worst(came.map(({ outcome, effect }) => {
    const mayHaveHappened = outcome === "completed" || outcome === "unknown";
    if (!mayHaveHappened) return outcome;
    return effect?.stands === false ? "not_sent" : "unknown";
  }));
}

export function isTransient(code: string): boolean {
  return code === "UNAVAILABLE" || code === "DEADLINE_EXCEEDED";
}

export function worst(outcomes: readonly string[]): string {
  if (outcomes.includes("unknown")) return "unknown";
  return outcomes.includes("rejected") ? "rejected" : "not_sent";
}
