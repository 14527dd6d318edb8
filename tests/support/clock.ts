import type { Clock } from "../../src/engine/doors.ts";

/** A clock that stands still until it is moved. */
export class FakeClock implements Clock {
  #now: number;
  #waiting: { readonly dueAt: number; readonly callback: () => void }[] = [];

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  at(dueAt: number, callback: () => void): () => void {
    const entry = { dueAt, callback };
    this.#waiting.push(entry);
    return () => this.#waiting = this.#waiting.filter((other) => other !== entry);
  }

  /** How many callbacks are waited for. */
  get timers(): number {
    return this.#waiting.length;
  }

  /** When the next callback is due; `undefined`: nobody waits. */
  get nextDue(): number | undefined {
    return this.#waiting.length === 0
      ? undefined
      : Math.min(...this.#waiting.map((entry) => entry.dueAt));
  }

  /** Moves on by this many milliseconds, calling back whoever is due on the way, in order. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const due = this.#waiting.filter((entry) => entry.dueAt <= end)
        .sort((a, b) => a.dueAt - b.dueAt)[0];
      if (due === undefined) break;
      this.#waiting = this.#waiting.filter((entry) => entry !== due);
      this.#now = Math.max(this.#now, due.dueAt);
      due.callback();
    }
    this.#now = end;
  }
}

/** A clock that jumps to whatever is due next as soon as nothing else goes on. */
export class JumpingClock extends FakeClock {
  #timer: ReturnType<typeof setTimeout> | undefined;

  override at(dueAt: number, callback: () => void): () => void {
    const takeBack = super.at(dueAt, callback);
    this.#wind();
    return () => {
      takeBack();
      if (this.nextDue === undefined) this.stop();
    };
  }

  /** Lets nothing more become due. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wind(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const due = this.nextDue;
      if (due === undefined) return;
      this.advance(Math.max(0, due - this.now()));
      if (this.nextDue !== undefined) this.#wind();
    }, 0);
  }
}
