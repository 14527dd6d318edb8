/** Those who watch runs, in a thread of their own: what they cost is not to slow down whoever measures. */
export class Watchers {
  readonly #worker: Worker;
  #hear: (counted: Watched) => void = () => {};

  /** @param most how many watch at a time */
  constructor(url: string, most: number) {
    this.#worker = new Worker(new URL("watchers_thread.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }) => this.#hear(data);
    this.#worker.postMessage({ url, most });
  }

  /** A run has begun: somebody watches it, if anybody has nothing to do. */
  offer(id: string): void {
    this.#worker.postMessage({ id });
  }

  /** Waits for the ends of all that are watched. @returns how many were, since it was asked the last time */
  ended(): Promise<Watched> {
    const { promise, resolve } = Promise.withResolvers<Watched>();
    this.#hear = resolve;
    this.#worker.postMessage("end");
    return promise;
  }

  close(): void {
    this.#worker.terminate();
  }
}

/** How many runs were seen from their beginning to their end, and at most at a time. */
export interface Watched {
  readonly watched: number;
  readonly atMost: number;
}
