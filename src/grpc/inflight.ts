/** What can be ended early: a call, or a conversation. */
export interface Cancellable {
  cancel(): void;
}

/** For how long what was cancelled is waited for, in milliseconds. */
const CANCELLING = 1_000;

/** What is under way, so that closing can wait for it. */
export class InFlight {
  readonly #calls = new Set<Cancellable>();
  readonly #whole: InFlight | null;
  #drained = Promise.withResolvers<void>();

  /** @param whole hears of everything too: this one is a part of it */
  constructor(whole: InFlight | null = null) {
    this.#whole = whole;
  }

  /** How much is under way. */
  get size(): number {
    return this.#calls.size;
  }

  /** Counts something until it is {@linkcode InFlight.end ended}. */
  begin(call: Cancellable): void {
    this.#calls.add(call);
    this.#whole?.begin(call);
  }

  /** Counts it no more. */
  end(call: Cancellable): void {
    if (!this.#calls.delete(call)) return;
    if (this.#calls.size === 0) this.#drained.resolve();
    this.#whole?.end(call);
  }

  /**
   * Waits until nothing is under way; what still is after so many milliseconds is cancelled. What
   * can't even be cancelled is not waited for.
   */
  async drain(patience: number): Promise<void> {
    if (this.#calls.size === 0) return;
    this.#drained = Promise.withResolvers();
    let timer = setTimeout(() => {
      timer = setTimeout(this.#drained.resolve, CANCELLING);
      this.#calls.forEach((call) => call.cancel());
    }, patience);
    await this.#drained.promise;
    clearTimeout(timer);
  }
}
