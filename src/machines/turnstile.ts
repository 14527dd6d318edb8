import type { PoolRule, RateRule } from "../workflow/service_rules.ts";
import { Line } from "./line.ts";
import { RateWindow } from "./rate.ts";

/** What a turnstile knows of time. */
export interface TurnstileClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back at a moment; the returned function takes that back. */
  wake(dueAt: number, callback: () => void): () => void;
  /** Calls back once all that follows from the present moment has happened. */
  soon(callback: () => void): void;
}

/** One call's place among those under way. */
export interface Slot {
  /** The call has ended. A second time has no effect. */
  leave(): void;
}

/**
 * Where calls of a service go through one by one: at most `max_concurrent` are under way, at most
 * `rate_limit` begin in its time, and the others queue, first come, first served.
 */
export class Turnstile {
  readonly #most: number;
  readonly #rate: RateWindow | null;
  readonly #clock: TurnstileClock;
  readonly #line = new Line<(slot: Slot) => void>();
  #inFlight = 0;
  /** Somebody is being let in: what happens meanwhile is looked at when that is done. */
  #turning = false;
  /** {@linkcode TurnstileClock.soon} has been asked. */
  #turnsSoon = false;
  #alarm: { readonly dueAt: number; readonly takeBack: () => void } | null = null;

  constructor(
    pool: Pick<PoolRule, "maxConcurrent">,
    rate: RateRule | null,
    clock: TurnstileClock,
  ) {
    this.#most = pool.maxConcurrent;
    this.#rate = rate === null ? null : new RateWindow(rate);
    this.#clock = clock;
  }

  /** Calls under way. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Calls in the queue. */
  get waiting(): number {
    return this.#line.length;
  }

  /** Goes through at once; `null` where one has to queue. Never overtakes those who wait. */
  enter(): Slot | null {
    return this.#line.length === 0 && this.#wait() === 0 ? this.#admit() : null;
  }

  /**
   * Queues.
   *
   * @param entered is called back when it is one's turn, and never from within this call
   * @returns leaves the queue; has no effect once it was one's turn
   */
  queue(entered: (slot: Slot) => void): () => void {
    let isWaiting = true;
    const standing = this.#line.join((slot) => {
      isWaiting = false;
      entered(slot);
    });
    this.#setAlarm();
    return () => {
      if (!isWaiting) return;
      isWaiting = false;
      this.#line.leave(standing);
      this.#setAlarm();
    };
  }

  /** How long until one more may go through, in milliseconds; `null`: until another one leaves. */
  #wait(): number | null {
    if (this.#inFlight >= this.#most) return null;
    return this.#rate === null ? 0 : this.#rate.wait(this.#clock.now());
  }

  #admit(): Slot {
    this.#rate?.begin(this.#clock.now());
    this.#inFlight++;
    return new Place(this.#left);
  }

  /** The next one goes in when it is clear what follows: a call that fails may end those who wait. */
  readonly #left = (): void => {
    this.#inFlight--;
    if (this.#turnsSoon || this.#line.length === 0) return;
    this.#turnsSoon = true;
    this.#clock.soon(() => {
      this.#turnsSoon = false;
      this.#turn();
    });
  };

  /** Lets in whoever may go, one after the other: a call that ends at once must not nest. */
  #turn(): void {
    if (this.#turning || this.#line.length === 0) return;
    this.#turning = true;
    try {
      while (this.#line.length > 0 && this.#wait() === 0) {
        const slot = this.#admit();
        this.#line.next()?.(slot);
      }
    } finally {
      this.#turning = false;
      this.#setAlarm();
    }
  }

  /** Wakes when the first in the queue may go, where no call's end does. */
  #setAlarm(): void {
    const wait = this.#line.length === 0 ? null : this.#wait();
    const dueAt = wait === null ? Infinity : this.#clock.now() + wait;
    if (this.#alarm !== null) {
      // An alarm that comes too early is set anew then; too late is one after the clock jumped back.
      if (wait !== null && this.#alarm.dueAt <= dueAt) return;
      this.#alarm.takeBack();
      this.#alarm = null;
    }
    if (wait === null) return;
    const takeBack = this.#clock.wake(dueAt, () => {
      this.#alarm = null;
      this.#turn();
    });
    this.#alarm = { dueAt, takeBack };
  }
}

/** The one use of a place. */
class Place implements Slot {
  #left: (() => void) | null;

  constructor(left: () => void) {
    this.#left = left;
  }

  leave(): void {
    const left = this.#left;
    this.#left = null;
    left?.();
  }
}
