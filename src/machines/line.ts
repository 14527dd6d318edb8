/** One who stands in a {@linkcode Line}. */
export interface Standing<T> {
  readonly value: T;
  before: Standing<T> | null;
  behind: Standing<T> | null;
}

/** First come, first served; who leaves from the middle costs no more than who is served. */
export class Line<T> {
  #first: Standing<T> | null = null;
  #last: Standing<T> | null = null;
  #length = 0;

  /** How many stand in it. */
  get length(): number {
    return this.#length;
  }

  /** Joins at the end. */
  join(value: T): Standing<T> {
    const standing: Standing<T> = { value, before: this.#last, behind: null };
    if (this.#last === null) this.#first = standing;
    else this.#last.behind = standing;
    this.#last = standing;
    this.#length++;
    return standing;
  }

  /** Takes the first one out; `undefined`: nobody stands in it. */
  next(): T | undefined {
    const first = this.#first;
    if (first === null) return undefined;
    this.leave(first);
    return first.value;
  }

  /** Takes out one who stands in it. */
  leave(standing: Standing<T>): void {
    const { before, behind } = standing;
    if (before === null) this.#first = behind;
    else before.behind = behind;
    if (behind === null) this.#last = before;
    else behind.before = before;
    standing.before = null;
    standing.behind = null;
    this.#length--;
  }
}
