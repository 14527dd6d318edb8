import type { Clock } from "./doors.ts";

/** The moments at which one run wants to be woken. */
export class Alarms {
  readonly #clock: Clock;
  readonly #set = new Set<{ readonly dueAt: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The next of them, in milliseconds since the epoch; `null`: there is none. */
  get next(): number | null {
    if (this.#set.size === 0) return null;
    return Math.min(...[...this.#set].map(({ dueAt }) => dueAt));
  }

  /** Calls back at a moment; the returned function takes that back. */
  at(dueAt: number, callback: () => void): () => void {
    const alarm = { dueAt };
    this.#set.add(alarm);
    const takeBack = this.#clock.at(dueAt, () => {
      this.#set.delete(alarm);
      callback();
    });
    return () => {
      this.#set.delete(alarm);
      takeBack();
    };
  }
}
