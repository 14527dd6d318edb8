import type { MaestroError } from "../errors.ts";
import type { Happening } from "./happening.ts";
import type { RunReport } from "./report.ts";

/** Most runs are followed by nobody: they share this. */
const NOBODY: ReadonlySet<never> = new Set();

/** A run that is awake. */
interface Seated {
  report(): RunReport;
}

/**
 * A run's place in this process, which stays the same while the run sleeps and wakes: those who wait
 * for it and follow it, and the run itself while it is awake.
 */
export class Seat {
  /** The run, while it is awake, and after its end. */
  #live: Seated | null = null;
  /** Why the run was stopped here, where it was. */
  stopped: MaestroError | null = null;
  readonly #hear: ((event: Happening) => void) | null;
  readonly #onStopped: ((runId: string, error: MaestroError) => void) | undefined;
  #followers: ReadonlySet<(event: Happening) => void> = NOBODY;
  #settled = Promise.withResolvers<RunReport>();
  /** Those who waited have been told: who waits now is told of what comes. */
  #isSettled = false;
  /** What a sleeping run's report says, as text: many may sleep, and few are asked. */
  #asleep: string | null = null;

  constructor(
    /** The run's id. */
    readonly id: string,
    /** Hears of everything that happens in the run; `null`: nobody does. */
    hear: ((event: Happening) => void) | null,
    onStopped?: (runId: string, error: MaestroError) => void,
  ) {
    this.#hear = hear;
    this.#onStopped = onStopped;
    this.#settled.promise.catch(() => {}); // nobody may be waiting
  }

  /** Where the run stands, as far as it is durable. */
  report(): RunReport {
    if (this.#live !== null) return this.#live.report();
    return JSON.parse(this.#asleep ?? "null"); // it fell asleep here
  }

  /** Resolves when the run has ended, or waits for an operator. */
  result(): Promise<RunReport> {
    return this.#settled.promise;
  }

  /** Calls back with everything that happens from now on; the returned function ends that. */
  follow(listener: (event: Happening) => void): () => void {
    this.#followers = new Set([...this.#followers, listener]);
    return () => {
      this.#followers = new Set([...this.#followers].filter((other) => other !== listener));
    };
  }

  /** Tells those who listen; what one of them throws is its own affair, and stops neither run nor others. */
  tell(event: Happening): void {
    if (this.#hear !== null) tell(this.#hear, event);
    for (const follower of this.#followers) tell(follower, event);
  }

  /** It has ended, or waits for an operator. */
  settle(report: () => RunReport): void {
    this.#isSettled = true;
    this.#settled.resolve(report());
  }

  /** It goes on: who waits now is told of what comes. */
  unsettle(): void {
    if (!this.#isSettled) return; // who waits still does
    this.#isSettled = false;
    this.#settled = Promise.withResolvers<RunReport>();
    this.#settled.promise.catch(() => {});
  }

  /** It was stopped where it stands. */
  stop(error: MaestroError): void {
    this.stopped = error;
    this.#settled.reject(error);
    this.#onStopped?.(this.id, error);
  }

  /** It sleeps: nothing of it is needed until it wakes. */
  sleep(report: RunReport): void {
    this.#asleep = JSON.stringify(report);
    this.#live = null;
  }

  /** It is awake again. */
  wake(live: Seated): void {
    this.#asleep = null;
    this.#live = live;
  }
}

function tell(listener: (event: Happening) => void, event: Happening): void {
  try {
    listener(event);
  } catch { /* a run must not end because somebody could not hear of it */ }
}
