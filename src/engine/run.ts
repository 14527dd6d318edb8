import type { Json } from "../workflow/json.ts";
import type { Command } from "./commands.ts";
import type { Journal, StoredFact } from "./doors.ts";
import type { Happening } from "./happening.ts";
import type { Resolution } from "./resolution.ts";
import type { RunReport } from "./report.ts";
import type { Seat } from "./seat.ts";

/** A run, as those who started it hold it. */
export class Run {
  readonly #seat: Seat;
  readonly #journal: Journal;
  readonly #act: (command: Command) => Promise<void>;

  /** Made by {@linkcode Engine.start} and {@linkcode Engine.resume}. */
  constructor(seat: Seat, journal: Journal, act: (command: Command) => Promise<void>) {
    this.#seat = seat;
    this.#journal = journal;
    this.#act = (command) => seat.stopped === null ? act(command) : Promise.reject(seat.stopped);
  }

  /** The run's id. */
  get id(): string {
    return this.#seat.id;
  }

  /**
   * Resolves when the run has ended, or waits for an operator (`needs_attention`).
   *
   * @throws {MaestroError} `STORE_FAILED`, `CLAIM_LOST` or `ENGINE_CLOSED`: the run stopped before its end
   */
  result(): Promise<RunReport> {
    return this.#seat.result();
  }

  /** Where the run stands now. */
  report(): RunReport {
    return this.#seat.report();
  }

  /** Calls back with every fact and notice from now on; the returned function ends that. */
  follow(listener: (event: Happening) => void): () => void {
    return this.#seat.follow(listener);
  }

  /** The run's facts so far, as the journal keeps them. */
  facts(): AsyncIterable<StoredFact> {
    return this.#journal.read(this.id);
  }

  /**
   * Stops the run and rolls it back; has no effect once it does so, or has ended. Resolves once that is
   * durable.
   *
   * @throws {MaestroError} `RUN_NOT_ACTIVE` past its pivot, after which there is no way back
   */
  cancel(by: string | null = null): Promise<void> {
    return this.#act({ kind: "cancel", by });
  }

  /**
   * Hands a signal in, for an `await_signal` of that name, also one that comes later. Resolves once
   * that is durable.
   *
   * @param id tells signals apart: a second one with the same id is none. Default: a new one
   * @throws {MaestroError} `RUN_NOT_ACTIVE` where the run has ended
   */
  signal(name: string, payload: Json = {}, id: string = crypto.randomUUID()): Promise<void> {
    return this.#act({ kind: "signal", name, payload, id });
  }

  /**
   * Gets a parked step going again. Resolves once that is durable.
   *
   * @throws {MaestroError} `RUN_NOT_ACTIVE` where no such step waits for an operator
   */
  resolve(resolution: Resolution): Promise<void> {
    return this.#act({ kind: "resolve", resolution });
  }
}
