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
  /** Resolves once what is pending is durable; `#written` likewise, for what is being written. */
  #next = Promise.withResolvers<void>();
  #written: Promise<void> = Promise.resolve();
  #writing = false;
  #broken: MaestroError | null = null;

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  /** Adds a fact. Its time never goes back, even where the clock does. */
  record(body: FactBody): void {
    const { state, clock } = this.#options;
    const at = Math.max(clock.now(), state.at);
    const fact: Fact = { v: 1, seq: state.seq + 1, at, ...body };
    applyFact(state, fact);
    this.#pending.push(fact);
    if (!this.#writing) void this.#write();
  }

  /** Resolves once every fact so far is durable. @throws {MaestroError} where it can't be */
  async durable(): Promise<void> {
    if (this.#broken === null) {
      await (this.#pending.length > 0 ? this.#next.promise : this.#written);
    }
    if (this.#broken !== null) throw this.#broken;
  }

  /** Writes nothing more: the run goes on elsewhere, or later. */
  abandon(error: MaestroError): void {
    this.#broken ??= error;
    this.#pending = [];
    this.#next.resolve(); // whoever waits for it asks next whether the pen is broken
  }

  async #write(): Promise<void> {
    const { journal, claim, onDurable } = this.#options;
    this.#writing = true;
    await undefined; // what is recorded in the same moment goes along
    while (this.#broken === null && this.#pending.length > 0) {
      const facts = this.#pending;
      const written = this.#next;
      this.#pending = [];
      this.#next = Promise.withResolvers();
      this.#written = written.promise;
      try {
        await journal.append(claim, facts.map(encodeFact));
        if (this.#broken === null) onDurable(facts);
      } catch (thrown) {
        this.#break(MaestroError.from(thrown, "STORE_FAILED"));
      }
      written.resolve();
    }
    this.#writing = false;
  }

  #break(error: MaestroError): void {
    if (this.#broken !== null) return;
    this.abandon(error);
    this.#options.onBroken(error);
  }
}
