import type { RateRule } from "../workflow/service_rules.ts";

/**
 * A rate limit as a sliding window: at most so many calls begin in any stretch of its length, and
 * as many may go at once. A bucket that refills would let twice as many through around a refill,
 * and a provider counts those.
 */
export class RateWindow {
  readonly #rule: RateRule;
  /** When calls began, as a ring that grows with the traffic, up to the rule's calls. */
  #times: number[] = [0];
  #first = 0;
  #count = 0;
  /** The clock's last word, and how far it has jumped back so far. */
  #now = -Infinity;
  #lost = 0;

  constructor(rule: RateRule) {
    this.#rule = rule;
  }

  /** How long until one more call may begin, in milliseconds; 0: at once. */
  wait(now: number): number {
    const time = this.#steady(now);
    const { calls, per } = this.#rule;
    while (this.#count > 0 && this.#oldest() + per <= time) {
      this.#first = (this.#first + 1) % this.#times.length;
      this.#count--;
    }
    return this.#count < calls ? 0 : this.#oldest() + per - time;
  }

  /** A call begins. */
  begin(now: number): void {
    const time = this.#steady(now);
    if (this.#count === this.#times.length) this.#grow();
    this.#times[(this.#first + this.#count) % this.#times.length] = time;
    this.#count++;
  }

  #oldest(): number {
    return this.#times[this.#first] ?? 0;
  }

  #grow(): void {
    const { length } = this.#times;
    const inOrder = [...this.#times.slice(this.#first), ...this.#times.slice(0, this.#first)];
    inOrder.length = Math.min(2 * length, Math.max(length + 1, this.#rule.calls));
    this.#times = inOrder.fill(0, length);
    this.#first = 0;
  }

  /** A clock that jumps back stands still here, or nobody would be let in until it has caught up. */
  #steady(now: number): number {
    if (now < this.#now) this.#lost += this.#now - now;
    this.#now = now;
    return now + this.#lost;
  }
}
