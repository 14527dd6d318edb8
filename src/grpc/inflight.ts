import { Bag, type Bagged } from "../engine/bag.ts";

/** What can be ended early: a call, or a conversation. */
export interface Cancellable extends Bagged {
  cancel(): void;
}

/** Something to be counted that ends by a function of its own. */
export function cancellable(cancel: () => void): Cancellable {
  return { cancel, place: -1 };
}

/** For how long what was cancelled is waited for, in milliseconds. */
const CANCELLING = 1_000;

/** What is under way on one channel, so that closing can wait for it. */
export class InFlight {
  readonly #calls = new Bag<Cancellable>();
  #drained = Promise.withResolvers<void>();

  /** How much is under way. */
  get size(): number {
    return this.#calls.size;
  }

  /** Counts something until it is {@linkcode InFlight.end ended}. */
  begin(call: Cancellable): void {
    this.#calls.add(call);
  }

  /** Counts it no more. */
  end(call: Cancellable): void {
    if (this.#calls.delete(call) && this.#calls.size === 0) this.#drained.resolve();
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
      for (const call of this.#calls) call.cancel();
    }, patience);
    await this.#drained.promise;
    clearTimeout(timer);
  }
}
