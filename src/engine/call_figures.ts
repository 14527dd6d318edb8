/** How many of the latest calls tell how long calls take. */
const LATEST = 256;

/** What came of a service's calls. */
export interface CallFigures {
  /** Those that were made since this process first reached the service. */
  readonly made: number;
  /** Those of them that were not answered with OK. */
  readonly failed: number;
  /** How long half of the latest took at most, in milliseconds; `null`: none was made. */
  readonly p50: number | null;
  /** How long all but the slowest hundredth of the latest took, in milliseconds; `null`: none was made. */
  readonly p99: number | null;
}

/** Counts a service's calls, and remembers how long the latest took. */
export class CallCounter {
  readonly #latest: number[] = [];
  #made = 0;
  #failed = 0;

  /** @param duration in milliseconds */
  record(code: string, duration: number): void {
    this.#latest[this.#made++ % LATEST] = duration;
    if (code !== "OK") this.#failed++;
  }

  /** As they stand now. */
  figures(): CallFigures {
    const sorted = this.#latest.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? null;
    return { made: this.#made, failed: this.#failed, p50: at(0.5), p99: at(0.99) };
  }
}
