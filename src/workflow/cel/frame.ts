import type { Budget } from "./budget.ts";
import type { Item } from "./item.ts";

/** What one evaluation works with. */
export interface Frame {
  /** The roots' values. */
  readonly roots: Readonly<Record<string, Item>>;
  /** The loop variables' values, outermost first. */
  readonly loops: Item[];
  readonly budget: Budget;
}

/** A compiled expression. @throws {Fault} */
export type Run = (frame: Frame) => Item;

/** One that gives `undefined` where a name, field or item along its path is missing. */
export type Soft = (frame: Frame) => Item | undefined;
