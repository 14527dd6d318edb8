/**
 * What waits for one who takes it when there is time.
 *
 * @module
 */

/** A queue that is read with `for await`. */
export class Inbox<T> implements AsyncIterable<T> {
  #items: T[] = [];
  #isOver = false;
  #wake: (() => void) | null = null;

  /** How many wait. */
  get size(): number {
    return this.#items.length;
  }

  /** Puts one in. */
  put(item: T): void {
    if (this.#isOver) return;
    this.#items.push(item);
    this.#wake?.();
  }

  /** There is nothing more to come; what waits is still given out. */
  end(): void {
    this.#isOver = true;
    this.#wake?.();
  }

  /** Gives out what was put in, in that order, until the end. */
  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (;;) {
      const items = this.#items;
      this.#items = [];
      yield* items;
      if (this.#items.length > 0) continue;
      if (this.#isOver) return;
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = null;
    }
  }
}
