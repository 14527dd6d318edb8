/** How many are remembered: many runs go by the same definition, or the same schemas. */
const REMEMBERED = 200;

/** The newest few, by digest, or by several. */
export class Remembered<T> {
  readonly #byDigest = new Map<string, T>();

  /** What was set last. */
  get(digest: string): T | undefined {
    return this.#byDigest.get(digest);
  }

  /** Remembers it, and forgets the oldest where they are too many. @returns what was set */
  set(digest: string, value: T): T {
    this.#byDigest.set(digest, value);
    if (this.#byDigest.size > REMEMBERED) {
      this.#byDigest.delete(this.#byDigest.keys().next().value ?? "");
    }
    return value;
  }
}
