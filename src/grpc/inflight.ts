/** What can be ended early: a call, or a conversation. */
export interface Cancellable {
  cancel(): void;
}

/** What is under way, so that closing can wait for it. */
export class InFlight {
  readonly #calls = new Set<Cancellable>();
  #drained = Promise.withResolvers<void>();

  /** Counts something until it is {@linkcode InFlight.end ended}. */
  begin(call: Cancellable): void {
    this.#calls.add(call);
  }

  /** Counts it no more. */
  end(call: Cancellable): void {
    if (this.#calls.delete(call) && this.#calls.size === 0) this.#drained.resolve();
  }

  /** Waits until nothing is under way; what still is after so many milliseconds is cancelled. */
  async drain(patience: number): Promise<void> {
    if (this.#calls.size === 0) return;
    this.#drained = Promise.withResolvers();
    const timer = setTimeout(() => this.#calls.forEach((call) => call.cancel()), patience);
    await this.#drained.promise;
    clearTimeout(timer);
  }
}
