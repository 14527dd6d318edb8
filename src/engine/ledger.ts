import { MaestroError } from "../errors.ts";
import type { Fact, FactBody } from "../machines/facts.ts";
import { applyFact } from "../machines/fold.ts";
import type { RunState } from "../machines/records.ts";
import type { Claim, Clock, Journal, Standing } from "./doors.ts";
import { encodeFact } from "./fact_codec.ts";

/** What a {@linkcode Ledger} needs. */
export interface LedgerOptions {
  readonly journal: Journal;
  readonly claim: Claim;
  readonly state: RunState;
  readonly clock: Clock;
  /** Where the run stands now, for the journal. */
  readonly standing: () => Standing;
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
  /** Where the run stands by what the journal was told last. */
  #stood: Standing | null = null;
  #isToStand = false;

  constructor(options: LedgerOptions) {
    this.#options = options;
    if (options.state.started === null) this.#stood = BEGUN;
  }

  /** Adds a fact. Its time never goes back, even where the clock does. */
  record(body: FactBody): void {
    const { state, clock } = this.#options;
    const at = Math.max(clock.now(), state.at);
    const fact: Fact = { v: 1, seq: state.seq + 1, at, ...body };
    applyFact(state, fact);
    this.#pending.push(fact);
    if (this.#state === "idle") this.#due();
  }

  /** Nothing is pending, and nothing is being written. */
  get isIdle(): boolean {
    return this.#state === "idle";
  }

  /** Tells the journal where the run stands, where that has changed without a fact of its own. */
  stand(): void {
    this.#isToStand = true;
    if (this.#state === "idle") this.#due();
  }

  /**
   * Calls back once every fact so far is durable and the run is known to be ours: whoever was held
   * up for longer than its lease lasts may have lost it.
   */
  whenMaySend(callback: () => void): void {
    this.whenDurable(() => {
      const { journal, claim } = this.#options;
      if (journal.holds(claim)) return callback();
      journal.append(claim, []).then(
        () => this.whenDurable(callback),
        (thrown) => this.#fail(thrown),
      );
    });
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

  #due(): void {
    this.#state = "due";
    queueMicrotask(() => this.#write()); // what is recorded in the same moment goes along
  }

  #write(): void {
    const isAsked = this.#broken === null && (this.#pending.length > 0 || this.#isToStand);
    const standing = isAsked ? this.#newStanding() : undefined;
    this.#isToStand = false;
    if (!isAsked || this.#pending.length === 0 && standing === undefined) {
      this.#state = "idle";
      return;
    }
    const { journal, claim } = this.#options;
    const facts = this.#pending;
    this.#pending = [];
    this.#written = this.#next;
    this.#next = [];
    this.#state = "writing";
    const fail = (thrown: unknown) => this.#fail(thrown);
    try {
      journal.append(claim, facts.map(encodeFact), standing).then(() => this.#succeed(facts), fail);
    } catch (thrown) {
      fail(thrown);
    }
  }

  /** Where the run stands, if that has changed since the journal was told. */
  #newStanding(): Standing | undefined {
    const standing = this.#options.standing();
    const before = this.#stood;
    if (
      before !== null && before.status === standing.status &&
      before.endedAt === standing.endedAt && before.sleepsUntil === standing.sleepsUntil
    ) return undefined;
    this.#stood = standing;
    return standing;
  }

  #succeed(facts: readonly Fact[]): void {
    if (this.#broken !== null) return;
    this.#options.onDurable(facts);
    const waiters = this.#written;
    this.#written = [];
    this.#write();
    for (const { done } of waiters) done();
  }

  #fail(thrown: unknown): void {
    if (this.#broken !== null) return;
    const error = MaestroError.from(thrown, "STORE_FAILED");
    this.abandon(error);
    this.#options.onBroken(error);
  }
}

/** Where a journal takes a new run to stand. */
const BEGUN: Standing = { status: "running", endedAt: null, sleepsUntil: undefined };

/** Who wants to know that facts are durable, or that they can't be. */
interface Waiter {
  readonly done: () => void;
  readonly failed: (error: MaestroError) => void;
}
