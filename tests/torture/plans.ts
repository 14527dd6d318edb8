/**
 * How processes are to be killed.
 *
 * @module
 */
import { xorshift } from "../support/random.ts";
import { type Fall, MOMENTS } from "./deadly_journal.ts";
import { isWatched, STORY_NAMES, type StoryName } from "./stories.ts";

/** How the lives of one store go. */
export interface Plan {
  readonly name: string;
  /** Of what goes wrong at its bank now and then. */
  readonly seed: number;
  /** What runs. */
  readonly program: "victim" | "maestro";
  /** Until the last life, the victim's journal says that it has written, and has not. @default false */
  readonly lies?: boolean;
  /**
   * The next life; `null`: there is none, but one in which all comes to its end.
   *
   * @param struck whether death struck in the life before, or that came to its own end
   */
  next(life: number, struck: boolean): LifePlan | null;
}

/** What a life begins with, besides what is left of earlier ones, and how it ends. */
export interface LifePlan {
  readonly begin: readonly StoryName[];
  /** `maestro` is to cancel what is meant to be cancelled so. @default false */
  readonly cancels?: boolean;
  readonly end: End;
}

/** How a process ends. */
export type End =
  /** In a write of the last run begun and its child, or of any. */
  | { readonly kind: "write"; readonly of: "last" | "any"; readonly fall: Omit<Fall, "run"> }
  /** Killed from outside, so many milliseconds after so many calls; with none, after its start. */
  | { readonly kind: "outside"; readonly calls: number; readonly after: number }
  /** By itself. */
  | { readonly kind: "peace" };

/** The story that is swept first: a saga that comes about but for its last step, and is hard to undo. */
const SWEPT = "resisting";
/** The story whose runs are cancelled by a command. */
export const CANCELLED = "cancelled_by_command";
/** Lives of a store that is left to chance. */
const LIVES = 25;
/** The longest delay of a death within a write, in microseconds: about what a write takes. */
const WRITE = 1_500;

/** Endless: first every write of a saga, in every way; then other stories in turn, and chance. */
export function* plansOf(seed: number): Generator<Plan, never> {
  for (const moment of MOMENTS) yield sweep(SWEPT, moment, seed);
  const others = STORY_NAMES.filter((name) => name !== SWEPT);
  const sweeps = MOMENTS.flatMap((moment) => others.map((story) => [story, moment] as const));
  for (let round = 0;; round++) {
    yield chance(seed + round);
    yield commands(seed + round);
    yield chance(-seed - round);
    const [story, moment] = sweeps[round % sweeps.length] ?? [SWEPT, "before"];
    yield sweep(story, moment, seed + round);
  }
}

/** A run of the story in each life, and death at its first write, its second, and so on to the last. */
export function sweep(story: StoryName, moment: Fall["moment"], seed: number): Plan {
  const random = xorshift(seed);
  return {
    name: `${moment} every write of "${story}", seed ${seed}`,
    seed,
    program: "victim",
    next(life, struck) {
      if (life > 1 && !struck) return null; // it had fewer writes
      const fall = { write: life, moment, delay: random() * WRITE };
      return { begin: [story], end: { kind: "write", of: "last", fall } };
    },
  };
}

/** Runs of any story, and death at any moment. */
export function chance(seed: number): Plan {
  const random = xorshift(seed);
  return {
    name: `chance ${seed}`,
    seed,
    program: "victim",
    next(life) {
      if (life > LIVES) return null;
      const begin = Array.from({ length: below(random, 3) }, () => pick(random, STORY_NAMES));
      if (random() < 0.6) return { begin, end: fromOutside(random, 600) };
      const moment = pick(random, MOMENTS);
      const fall = { write: 1 + below(random, 120), moment, delay: random() * WRITE };
      return { begin, end: { kind: "write", of: "any", fall } };
    },
  };
}

/** The command line: `run`, `runs resume` and `runs cancel`, each killed at any moment. */
export function commands(seed: number): Plan {
  const random = xorshift(seed);
  const others = STORY_NAMES.filter((name) => !isWatched(name) && name !== CANCELLED);
  return {
    name: `commands ${seed}`,
    seed,
    program: "maestro",
    next(life) {
      if (life > LIVES / 2) return null;
      const cancels = random() < 0.3;
      const begun = random() < 0.3 ? CANCELLED : pick(random, others);
      const begin = life === 1 || random() < 0.5 ? [begun] : [];
      return { begin, cancels, end: fromOutside(random, 1_200) };
    },
  };
}

/** Mostly at work; now and then while it starts, which takes so many milliseconds at most. */
function fromOutside(random: () => number, start: number): End {
  const calls = random() < 0.3 ? 0 : 1 + below(random, 30);
  return { kind: "outside", calls, after: random() * (calls === 0 ? start : 20) };
}

function below(random: () => number, limit: number): number {
  return Math.floor(random() * limit);
}

function pick<T>(random: () => number, from: readonly T[]): T {
  return from[below(random, from.length)]!; // none that is given is empty
}
