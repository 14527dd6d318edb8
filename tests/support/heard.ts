/**
 * Waits for what is told, or becomes so, in its own time.
 *
 * @module
 */
import assert from "node:assert/strict";

/** Things that were told, in order. */
export class Heard<T> {
  readonly all: T[] = [];
  #told = Promise.withResolvers<void>();

  /** To be handed to whoever tells. */
  readonly hear = (what: T): void => {
    this.all.push(what);
    this.#told.resolve();
    this.#told = Promise.withResolvers();
  };

  /** Waits until so many things have been told, and gives them all. */
  async count(count: number): Promise<readonly T[]> {
    while (this.all.length < count) await this.#told.promise;
    return this.all;
  }
}

/** Waits until something is so; gives up after a time that no machine needs. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  patience = 30_000,
): Promise<void> {
  const end = performance.now() + patience;
  while (!(await isSo())) {
    assert(performance.now() < end, `It never came about that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
