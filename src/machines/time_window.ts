import type { ResultWindow, WindowFigures } from "./result_window.ts";

/** Results that came in about the same moment. */
interface Part {
  /** When the first of them came. */
  since: number;
  calls: number;
  failures: number;
  slow: number;
}

/** A time window is kept in this many parts, so that its size does not grow with the traffic. */
const PARTS = 60;

/** There are never more parts: all but the newest are younger than the window, and a part's length apart. */
const MOST_PARTS = PARTS + 1;

/** The results of the last so many milliseconds; those of one part are forgotten together. */
export class TimeWindow implements ResultWindow {
  readonly #length: number;
  /** A ring: the parts in use begin at `#first`, oldest first. */
  readonly #parts: Part[] = [];
  #first = 0;
  #used = 0;
  readonly #total: Part = empty(0);

  constructor(milliseconds: number) {
    this.#length = milliseconds;
  }

  get calls(): number {
    return this.#total.calls;
  }

  get failures(): number {
    return this.#total.failures;
  }

  get slow(): number {
    return this.#total.slow;
  }

  add(at: number, failure: boolean, slow: boolean): void {
    this.#forget(at);
    const newest = this.#used === 0 ? null : this.#part(this.#used - 1);
    const isNew = newest === null || at - newest.since >= this.#length / PARTS;
    count(isNew ? this.#begin(at) : newest, failure, slow);
    count(this.#total, failure, slow);
  }

  figures(now: number): WindowFigures {
    let { calls, failures, slow } = this.#total;
    for (let index = 0; index < this.#used; index++) {
      const part = this.#part(index);
      if (!this.#isOver(part, now)) break;
      calls -= part.calls;
      failures -= part.failures;
      slow -= part.slow;
    }
    return { calls, failures, slow };
  }

  clear(): void {
    this.#used = 0;
    Object.assign(this.#total, empty(0));
  }

  #forget(now: number): void {
    const total = this.#total;
    while (this.#used > 0) {
      const oldest = this.#part(0);
      if (!this.#isOver(oldest, now)) break;
      total.calls -= oldest.calls;
      total.failures -= oldest.failures;
      total.slow -= oldest.slow;
      this.#first = (this.#first + 1) % MOST_PARTS;
      this.#used--;
    }
    this.#followBack(now);
  }

  /** After a clock that jumped back, what is known is taken to be that much older. */
  #followBack(now: number): void {
    if (this.#used === 0) return;
    const ahead = this.#part(this.#used - 1).since - now;
    if (ahead <= this.#length / PARTS) return; // answers of one moment come in any order
    for (let index = 0; index < this.#used; index++) this.#part(index).since -= ahead;
  }

  #isOver({ since }: Part, now: number): boolean {
    return since <= now - this.#length;
  }

  #begin(at: number): Part {
    const part = this.#part(this.#used++);
    Object.assign(part, empty(at));
    return part;
  }

  #part(index: number): Part {
    return this.#parts[(this.#first + index) % MOST_PARTS] ??= empty(0);
  }
}

function empty(since: number): Part {
  return { since, calls: 0, failures: 0, slow: 0 };
}

function count(part: Part, failure: boolean, slow: boolean): void {
  part.calls++;
  if (failure) part.failures++;
  if (slow) part.slow++;
}
