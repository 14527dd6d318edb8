import type { BudgetRule } from "../workflow/service_rules.ts";

/** A6 counts with three decimal places and ignores further ones: here, whole thousandths. */
const THOUSANDTHS = 1_000;

/**
 * The budget of a service's retries, shared by all who call it: the throttle of gRPC proposal A6
 * (semantics.md §1). Where most calls fail, retries would only add to the load.
 */
export class RetryBudget {
  readonly #most: number;
  readonly #gain: number;
  #left: number;

  constructor(rule: BudgetRule) {
    this.#most = thousandths(rule.maxTokens);
    this.#gain = thousandths(rule.tokenRatio);
    this.#left = this.#most;
  }

  /** A retryable failure: it takes one token, down to none. */
  failed(): void {
    this.#left = Math.max(0, this.#left - THOUSANDTHS);
  }

  /** A success: it gives back the rule's `tokenRatio`, up to `maxTokens`. */
  succeeded(): void {
    this.#left = Math.min(this.#most, this.#left + this.#gain);
  }

  /** Whether a retry may be made: it needs more than half of the tokens. */
  get allows(): boolean {
    return this.#left * 2 > this.#most;
  }

  /** What is left. */
  get tokens(): number {
    return this.#left / THOUSANDTHS;
  }
}

/** 0.029 · 1000 is a little less than 29 in floating point, and stands for 29 all the same. */
function thousandths(tokens: number): number {
  return Math.floor(tokens * THOUSANDTHS + 1e-6);
}
