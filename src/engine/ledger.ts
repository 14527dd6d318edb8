import { MaestroError } from "../errors.ts";
import type { Fact, FactBody } from "../machines/facts.ts";
import { applyFact } from "../machines/fold.ts";
import type { RunState } from "../machines/records.ts";
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
  /** Who waits until what is pending is durable; `#written` likewise, for what is being written. */
  #next: Waiter[] = [];
  #written: Waiter[] = [];
  #state: "idle" | "due" | "writing" = "idle";
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
    if (this.#state !== "idle") return;
    this.#state = "due";
    queueMicrotask(() => this.#write()); // what is recorded in the same moment goes along
  }

  /** Calls back once every fact so far is durable; never, where it can't be. */
  whenDurable(callback: () => void): void {
    this.#wait({ done: callback, failed: () => {} });
  }

  /** Resolves once every fact so far is durable. @throws {MaestroError} where it can't be */
  durable(): Promise<void> {
    return new Promise((done, failed) => this.#wait({ done, failed }));
  }

  /** Writes nothing more: the run goes on elsewhere, or later. */
  abandon(error: MaestroError): void {
    if (this.#broken !== null) return;
    this.#broken = error;
    this.#pending = [];
    for (const waiter of [...this.#written, ...this.#next]) waiter.failed(error);
    this.#written = [];
    this.#next = [];
  }

  #wait(waiter: Waiter): void {
    if (this.#broken !== null) waiter.failed(this.#broken);
    else if (this.#pending.length > 0) this.#next.push(waiter);
    else if (this.#state === "writing") this.#written.push(waiter);
    else queueMicrotask(waiter.done);
  }

  #write(): void {
    if (this.#broken !== null || this.#pending.length === 0) {
      this.#state = "idle";
      return;
    }
    const { journal, claim } = this.#options;
    const facts = this.#pending;
    this.#pending = [];
    this.#written = this.#next;
    this.#next = [];
    this.#state = "writing";
    const fail = (thrown: unknown) => this.#break(MaestroError.from(thrown, "STORE_FAILED"));
    try {
      journal.append(claim, facts.map(encodeFact)).then(() => this.#succeed(facts), fail);
    } catch (thrown) {
      fail(thrown);
    }
  }

  #succeed(facts: readonly Fact[]): void {
    if (this.#broken !== null) return;
    this.#options.onDurable(facts);
    const waiters = this.#written;
    this.#written = [];
    this.#write();
    for (const { done } of waiters) done();
  }

  #break(error: MaestroError): void {
    if (this.#broken !== null) return;
    this.abandon(error);
    this.#options.onBroken(error);
  }
}

/** Who wants to know that facts are durable, or that they can't be. */
interface Waiter {
  readonly done: () => void;
  readonly failed: (error: MaestroError) => void;
}
