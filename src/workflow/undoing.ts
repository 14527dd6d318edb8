/**
 * What a rollback would undo, in the order in which it would come to it, and how such parts are put
 * together.
 *
 * @module
 */
import type { Step } from "./model.ts";

/**
 * Whether a step was done when the rollback comes to it: `done`: it was; `perhaps`: it may have been, and
 * else there is nothing to undo; `unknown`: only if the outcome of its call is not known.
 */
export type Certainty = "done" | "perhaps" | "unknown";

/** Which rounds of a loop. */
export type Rounds = "all" | "earlier" | "others";

/** Something that a rollback undoes, or a group of such things. */
export type Undoing =
  /** One step, by its `compensate`. */
  | {
    readonly kind: "step";
    /** Its path in the workflow; in a loop the round is left open: `ship[].label`. */
    readonly step: string;
    /** The calls that undo it, `payments.Refund`, in order. */
    readonly by: readonly string[];
    readonly when: Certainty;
    /**
     * Set where its outcome may be unknown, and the compensation can't be made then, since it reads the
     * answer that there is none of: by this name. The run waits for an operator then.
     */
    readonly reads: string | null;
  }
  /** A child run, by its own compensations. */
  | {
    readonly kind: "child";
    readonly step: string;
    readonly workflow: string;
    readonly when: Certainty;
    readonly undo: readonly Undoing[];
  }
  /** Rounds of a loop: the last round first, or, where they ran side by side, what completed last first. */
  | {
    readonly kind: "rounds";
    readonly step: string;
    /** All that were begun, or, where one of them fails, those before it, or those beside it. */
    readonly rounds: Rounds;
    readonly order: "last_round_first" | "last_completed_first";
    readonly undo: readonly Undoing[];
  }
  /** Branches that ran side by side: what completed last first, each branch in its order. */
  | {
    readonly kind: "branches";
    readonly step: string;
    readonly branches: readonly (readonly Undoing[])[];
  }
  /** What one of the branches of a `switch`, or of the entries of a `catch`, did; or nothing. */
  | {
    readonly kind: "one_of";
    readonly step: string;
    readonly of: "switch" | "catch";
    readonly ways: readonly (readonly Undoing[])[];
  };

/** A call that nothing undoes. */
export interface Standing {
  readonly step: string;
  readonly when: Certainty;
}

/** What is undone, in order, and what is not. */
export interface Undone {
  readonly undo: readonly Undoing[];
  readonly stays: readonly Standing[];
}

/** There is nothing to undo. */
export const NOTHING: Undone = { undo: [], stays: [] };

/** One after the other. */
export function inOrder(...parts: readonly Undone[]): Undone {
  return {
    undo: parts.flatMap(({ undo }) => undo),
    stays: parts.flatMap(({ stays }) => stays),
  };
}

/** The same, where it is not known how much of it was done. */
export function perhaps({ undo, stays }: Undone, doubtful: Doubts | null = null): Undone {
  return {
    undo: undo.map((each) => softened(each, doubtful)),
    stays: stays.map(({ step, when }) => ({ step, when: when === "done" ? "perhaps" : when })),
  };
}

/** Why the compensation of a step can't be made when its outcome is unknown; `null`: it can. */
export type Doubts = (step: string) => string | null;

function softened(undoing: Undoing, doubtful: Doubts | null): Undoing {
  const all = (list: readonly Undoing[]) => list.map((each) => softened(each, doubtful));
  switch (undoing.kind) {
    case "step": {
      const reads = undoing.reads ?? doubtful?.(undoing.step) ?? null;
      return { ...undoing, when: undoing.when === "done" ? "perhaps" : undoing.when, reads };
    }
    case "child":
      return { ...undoing, when: "perhaps" }; // its own steps are as it left them
    case "rounds":
      return { ...undoing, undo: all(undoing.undo) };
    case "branches":
      return { ...undoing, branches: undoing.branches.map(all) };
    case "one_of":
      return { ...undoing, ways: undoing.ways.map(all) };
  }
}

/** Side by side: a group, or, where there is only one with something to undo, that one. */
export function sideBySide(step: string, branches: readonly Undone[]): Undone {
  const full = branches.map(({ undo }) => undo).filter((undo) => undo.length > 0);
  return {
    undo: full.length > 1 ? [{ kind: "branches", step, branches: full }] : full.flat(),
    stays: branches.flatMap(({ stays }) => stays),
  };
}

/** One of several, or none. */
export function oneOf(step: string, of: "switch" | "catch", ways: readonly Undone[]): Undone {
  const full = ways.map(({ undo }) => undo).filter((undo) => undo.length > 0);
  return {
    undo: full.length === 0 ? [] : [{ kind: "one_of", step, of, ways: full }],
    stays: ways.flatMap((way) => perhaps(way).stays),
  };
}

/** Rounds of a loop. */
export function roundsOf(
  step: Extract<Step, { kind: "foreach" | "repeat" }>,
  which: Rounds,
  { undo, stays }: Undone,
): Undone {
  if (undo.length === 0) return { undo, stays };
  const order = step.kind === "foreach" && step.concurrency > 1
    ? "last_completed_first"
    : "last_round_first";
  return { undo: [{ kind: "rounds", step: step.path, rounds: which, order, undo }], stays };
}
