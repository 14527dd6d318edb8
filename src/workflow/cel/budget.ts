import { Fault } from "./fault.ts";

/**
 * What one evaluation may cost, in steps of very roughly 100 ns: enough to go over the 10,000 messages
 * of a full stream with 200 operations each, and used up within a fraction of a second.
 */
export const MAX_STEPS = 2_000_000;

/** The longest text, in UTF-16 units, and the most bytes that an expression may make. */
export const MAX_TEXT = 8 * 1024 * 1024;

/** The most items that a list or map made by an expression may have. */
export const MAX_ITEMS = 1_000_000;

/** Text and bytes that are handled in about the time of one step. */
const TEXT_PER_STEP = 64;

/** What one evaluation has left to spend. A count, not a clock: it ends the same after a restart. */
export class Budget {
  #left = MAX_STEPS;

  /** @throws {Fault} `runaway` */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) {
      throw new Fault(
        "it takes too many steps; loop over less, or let a service do this",
        "runaway",
      );
    }
  }

  /** For going over text or bytes of this length. @throws {Fault} `runaway` */
  spendText(length: number): void {
    if (length > MAX_TEXT) throw new Fault("it makes a text of more than 8 MiB", "runaway");
    this.spend(length / TEXT_PER_STEP);
  }

  /** For making a list or map of this size. @throws {Fault} `runaway` */
  spendItems(count: number): void {
    if (count > MAX_ITEMS) {
      throw new Fault("it makes a list of more than a million items", "runaway");
    }
    this.spend(count / 8);
  }
}
