import type { Json } from "../workflow/json.ts";
import type { StoredFact } from "./doors.ts";
import type { Journal } from "./doors.ts";
import type { Happening, LiveRun, Resolution } from "./live_run.ts";
import type { RunReport } from "./report.ts";

/** A run, as those who started it hold it. */
export class Run {
  readonly #live: LiveRun;
  readonly #journal: Journal;

  /** Made by {@linkcode Engine.start} and {@linkcode Engine.resume}. */
  constructor(live: LiveRun, journal: Journal) {
    this.#live = live;
    this.#journal = journal;
  }

  /** The run's id. */
  get id(): string {
    return this.#live.id;
  }

  /**
   * Resolves when the run has ended, or waits for an operator (`needs_attention`).
   *
   * @throws {MaestroError} `STORE_FAILED`, `CLAIM_LOST` or `ENGINE_CLOSED`: the run stopped before its end
   */
  result(): Promise<RunReport> {
    return this.#live.result();
  }

  /** Where the run stands now. */
  report(): RunReport {
    return this.#live.report();
  }

  /** Calls back with every fact and notice from now on; the returned function ends that. */
  follow(listener: (event: Happening) => void): () => void {
    return this.#live.follow(listener);
  }

  /** The run's facts so far, as the journal keeps them. */
  facts(): AsyncIterable<StoredFact> {
    return this.#journal.read(this.id);
  }

  /**
   * Stops the run and rolls it back; has no effect once it does so, or has ended.
   *
   * @throws {MaestroError} `RUN_NOT_ACTIVE` past its pivot, after which there is no way back
   */
  cancel(by?: string): void {
    this.#live.cancel(by ?? null);
  }

  /**
   * Hands a signal in, for an `await_signal` of that name, also one that comes later.
   *
   * @param id tells signals apart: a second one with the same id is none. Default: a new one
   * @throws {MaestroError} `RUN_NOT_ACTIVE` where the run has ended
   */
  signal(name: string, payload: Json = {}, id: string = crypto.randomUUID()): void {
    this.#live.signal(name, payload, id);
  }

  /**
   * Gets a parked step going again.
   *
   * @throws {MaestroError} `RUN_NOT_ACTIVE` where no such step waits for an operator
   */
  resolve(resolution: Resolution): void {
    this.#live.resolve(resolution);
  }
}
