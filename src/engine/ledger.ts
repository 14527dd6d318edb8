import { MaestroError } from "../errors.ts";
import type { Fact, FactBody } from "../machines/facts.ts";
import { applyFact, type RunState } from "../machines/fold.ts";
import type { Claim, Clock, Journal } from "./doors.ts";
import { encodeFact } from "./fact_codec.ts";

/** What a {@linkcode Ledger} needs. */
export interface LedgerOptions {
  readonly journal: Journal;
  readonly claim: Claim;
  readonly state: RunState;
  readonly clock: Clock;
  /** Hears of facts once they are durable, in order. */
  readonly onDurable: (facts: readonly Fact[]) => void;
  /** Hears, once, that the journal has failed: nothing more will be durable. */
  readonly onBroken: (error: MaestroError) => void;
}

/**
 * A run's pen: gives facts their number and time, moves the fold on, and writes what comes in one
 * moment to the journal as one.
 */
export class Ledger {
  readonly #options: LedgerOptions;
  #pending: Fact[] = [];
  #lastAt = 0;
  #writing: Promise<void> | null = null;
  #broken: MaestroError | null = null;

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  /** Adds a fact; returns its time. It never goes back, even where the clock does. */
  record(body: FactBody): number {
    const { state, clock } = this.#options;
    const at = this.#lastAt = Math.max(clock.now(), this.#lastAt);
    const fact: Fact = { v: 1, seq: state.seq + 1, at, ...body };
    applyFact(state, fact);
    this.#pending.push(fact);
    this.#writing ??= this.#write();
    return at;
  }

  /** Resolves once every fact so far is durable. @throws {MaestroError} where it can't be */
  async durable(): Promise<void> {
    if (this.#writing !== null) await this.#writing;
    if (this.#broken !== null) throw this.#broken;
  }

  /** Writes nothing more: the run goes on elsewhere, or later. */
  abandon(error: MaestroError): void {
    this.#broken ??= error;
    this.#pending = [];
  }

  async #write(): Promise<void> {
    const { journal, claim, onDurable, onBroken } = this.#options;
    await undefined; // what is recorded in the same moment goes along
    try {
      while (this.#pending.length > 0) {
        const facts = this.#pending;
        this.#pending = [];
        if (this.#broken !== null) return;
        await journal.append(claim, facts.map(encodeFact));
        if (this.#broken === null) onDurable(facts);
      }
    } catch (thrown) {
      const error = MaestroError.from(thrown, "STORE_FAILED");
      const told = this.#broken !== null;
      this.abandon(error);
      if (!told) onBroken(error);
    } finally {
      this.#writing = null;
    }
  }
}
