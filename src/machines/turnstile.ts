import type { PoolRule, RateRule } from "../workflow/model.ts";

/** The right to have one call under way. */
export interface Slot {
  /** Frees it for the next in the queue; a second time it does nothing. */
  leave(): void;
}

/** Placeholder until the services branch lands. */
export class Turnstile {
  constructor(_pool: Pick<PoolRule, "maxConcurrent">, _rate: RateRule | null, _clock: unknown) {}
  enter(): Slot | null {
    return { leave() {} };
  }
  queue(_entered: (slot: Slot) => void): () => void {
    return () => {};
  }
}
