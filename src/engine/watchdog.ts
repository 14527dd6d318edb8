import { Bag, type Bagged } from "./bag.ts";
import type { Clock } from "./doors.ts";

/** Something that must have ended by a moment. */
export interface Watched extends Bagged {
  readonly dueAt: number;
  overdue(): void;
}

/**
 * Barks where something has not ended by its moment. One timer serves for all that is watched:
 * nearly everything ends in time, and a timer each would cost more than the rest of the watching.
 */
export class Watchdog {
  readonly #clock: Clock;
  readonly #watched = new Bag<Watched>();
  #armedFor = Infinity;
  #disarm = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Watches until it is {@linkcode Watchdog.release released}, or overdue. */
  watch(watched: Watched): void {
    this.#watched.add(watched);
    if (watched.dueAt < this.#armedFor) this.#arm(watched.dueAt);
  }

  /** It has ended. */
  release(watched: Watched): void {
    if (this.#watched.delete(watched) && this.#watched.size === 0) this.#stop();
  }

  #arm(dueAt: number): void {
    this.#stop();
    this.#armedFor = dueAt;
    this.#disarm = this.#clock.at(dueAt, () => this.#look());
  }

  #stop(): void {
    this.#armedFor = Infinity;
    this.#disarm();
    this.#disarm = () => {};
  }

  #look(): void {
    this.#armedFor = Infinity;
    const now = this.#clock.now();
    let next = Infinity;
    for (const watched of this.#watched) {
      if (watched.dueAt > now) next = Math.min(next, watched.dueAt);
      else if (this.#watched.delete(watched)) watched.overdue();
    }
    if (next < this.#armedFor) this.#arm(next);
  }
}
