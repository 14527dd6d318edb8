/** Has what goes by the same key done one after the other. */
export class Turns {
  /** By key, the end of what came last. */
  readonly #last = new Map<string, Promise<void>>();

  /** Does something once all that came before it under its key is over, well or not. */
  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const { promise: over, resolve } = Promise.withResolvers<void>();
    this.#last.set(key, over);
    try {
      await before;
      return await work();
    } finally {
      if (this.#last.get(key) === over) this.#last.delete(key);
      resolve();
    }
  }
}
