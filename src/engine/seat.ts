import type { MaestroError } from "../errors.ts";
import type { Happening } from "./happening.ts";
import type { RunReport } from "./report.ts";

/** Most runs are followed by nobody: they share this. */
const NOBODY: ReadonlySet<never> = new Set();

/** A run that is awake. */
interface Seated {
  report(): RunReport;
}

/** Those who hear of every run of an engine. */
export interface EngineListeners {
  readonly onHappening?: ((event: Happening) => void) | undefined;
  readonly onStopped?: ((runId: string, error: MaestroError) => void) | undefined;
}

/**
 * What a run that sleeps holds its place by: loosely, unless somebody listens there. Of a hundred
 * thousand runs that sleep most were started by somebody who has long gone.
 */
export class Hold {
  readonly #loose: WeakRef<Seat>;
  #firm: Seat | null = null;

  constructor(seat: Seat) {
    this.#loose = new WeakRef(seat);
  }

  /** The place; `null`: nobody knew of it any more. */
  get seat(): Seat | null {
    return this.#firm ?? this.#loose.deref() ?? null;
  }

  /** Somebody listens at the place. */
  fasten(seat: Seat): void {
    this.#firm = seat;
  }
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
  readonly #listeners: EngineListeners;
  #followers: ReadonlySet<(event: Happening) => void> = NOBODY;
  /** Those who wait, where somebody does. */
  #waiting: PromiseWithResolvers<RunReport> | null = null;
  /** It has ended, or waits for an operator. */
  #isSettled = false;
  /** What a sleeping run's report says, as text: many may sleep, and few are asked. */
  #asleep: string | null = null;
  #hold: Hold | null = null;

  constructor(
    /** The run's id. */
    readonly id: string,
    /** Hears of everything that happens in the run; `null`: nobody does. */
    hear: ((event: Happening) => void) | null,
    listeners: EngineListeners = {},
  ) {
    this.#hear = hear;
    this.#listeners = listeners;
  }

  /** Where the run stands, as far as it is durable. */
  report(): RunReport {
    if (this.#live !== null) return this.#live.report();
    return JSON.parse(this.#asleep ?? "null"); // it fell asleep here
  }

  /** Resolves when the run has ended, or waits for an operator. */
  result(): Promise<RunReport> {
    if (this.#isSettled) return Promise.resolve(this.report());
    this.#hold?.fasten(this);
    if (this.#waiting === null) {
      this.#waiting = Promise.withResolvers();
      this.#waiting.promise.catch(() => {}); // who asked may have gone
      if (this.stopped !== null) this.#waiting.reject(this.stopped);
    }
    return this.#waiting.promise;
  }

  /** Calls back with everything that happens from now on; the returned function ends that. */
  follow(listener: (event: Happening) => void): () => void {
    this.#followers = new Set([...this.#followers, listener]);
    this.#hold?.fasten(this);
    return () => {
      this.#followers = new Set([...this.#followers].filter((other) => other !== listener));
    };
  }

  /** Tells those who listen; what one of them throws is its own affair, and stops neither run nor others. */
  tell(event: Happening): void {
    const { onHappening } = this.#listeners;
    if (onHappening !== undefined) tell(onHappening, event);
    if (this.#hear !== null) tell(this.#hear, event);
    for (const follower of this.#followers) tell(follower, event);
  }

  /** It has ended, or waits for an operator. */
  settle(): void {
    this.#isSettled = true;
    this.#waiting?.resolve(this.report());
    this.#waiting = null;
  }

  /** It goes on: who asks now is told of what comes. */
  unsettle(): void {
    this.#isSettled = false;
  }

  /** It was stopped where it stands. */
  stop(error: MaestroError): void {
    this.stopped = error;
    this.#waiting?.reject(error);
    this.#listeners.onStopped?.(this.id, error);
  }

  /** It sleeps: nothing of it is needed until it wakes. @returns what it is held by meanwhile */
  sleep(report: RunReport): Hold {
    this.#asleep = JSON.stringify(report);
    this.#live = null;
    const hold = new Hold(this);
    this.#hold = hold;
    const isAlone = this.#waiting === null && this.#hear === null && this.#followers.size === 0;
    if (!isAlone) hold.fasten(this);
    return hold;
  }

  /** It is awake again. */
  wake(live: Seated): void {
    this.#asleep = null;
    this.#hold = null;
    this.#live = live;
  }
}

function tell(listener: (event: Happening) => void, event: Happening): void {
  try {
    listener(event);
  } catch { /* a run must not end because somebody could not hear of it */ }
}
