import type { Tone } from "./palette.ts";

/** One row, before it is laid out. */
export interface Row {
  /** The lines of the tree that lead to it: `│  ├─ `. */
  readonly branch: string;
  readonly glyph: string;
  readonly tone: Tone;
  readonly label: string;
  readonly labelTone: Tone;
  /** What it does: `payments.Charge`, `parallel`. */
  readonly what: string;
  /** How it goes, most important first. */
  readonly details: readonly Detail[];
  /** In milliseconds; `null`: nothing to show. */
  readonly time: number | null;
  /** It is under way now. */
  readonly active: boolean;
}

/** One thing said about a step. */
export interface Detail {
  readonly tone: Tone;
  readonly text: string;
}
