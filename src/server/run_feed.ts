import { setImmediate } from "node:timers";
import type { Journal, Moment } from "../engine/doors.ts";

/** How often it is looked whether another process has written, in milliseconds. */
const LOOK_EVERY = 100;

/** How many moments are read at once. */
const AT_ONCE = 500;

type Hear = (moment: Moment) => void;

/**
 * The journal's tail: tells those who listen what became durable, in that order, whichever process
 * wrote it. Reads nothing while nobody listens.
 */
export class RunFeed {
  readonly #journal: Pick<Journal, "moments" | "newest">;
  readonly #all = new Set<Hear>();
  readonly #byRun = new Map<string, Set<Hear>>();
  /** The last moment that was told. */
  #told = 0;
  #reading: Promise<void> | null = null;
  #isDue = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(journal: Pick<Journal, "moments" | "newest">) {
    this.#journal = journal;
  }

  /** Something has become durable: it is told in a moment, with what else did, and not only when it is looked next. */
  wake(): void {
    if (this.#timer === undefined || this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => this.#reading ??= this.#read());
  }

  /**
   * Listens to all runs, or to one. What became durable before this resolves is in the journal; what
   * does afterwards is told.
   *
   * @returns ends it, and the number of the last moment that is not told
   */
  async listen(
    hear: Hear,
    runId?: string,
  ): Promise<{ readonly stop: () => void; readonly after: number }> {
    if (this.#timer === undefined) await this.#begin();
    const after = this.#told;
    const listeners = runId === undefined ? this.#all : this.#listenersOf(runId);
    listeners.add(hear);
    const stop = () => {
      listeners.delete(hear);
      if (runId !== undefined && listeners.size === 0 && this.#byRun.get(runId) === listeners) {
        this.#byRun.delete(runId);
      }
      if (this.#all.size === 0 && this.#byRun.size === 0) this.close();
    };
    return { stop, after };
  }

  /** Reads nothing more. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #begin(): Promise<void> {
    const newest = await this.#journal.newest();
    if (this.#timer !== undefined) return; // two began at once
    this.#told = newest;
    this.#timer = setInterval(() => this.wake(), LOOK_EVERY);
  }

  #listenersOf(runId: string): Set<Hear> {
    const known = this.#byRun.get(runId);
    if (known !== undefined) return known;
    const made = new Set<Hear>();
    this.#byRun.set(runId, made);
    return made;
  }

  async #read(): Promise<void> {
    try {
      while (this.#isDue && this.#timer !== undefined) {
        this.#isDue = false;
        const moments = await this.#journal.moments(this.#told, AT_ONCE);
        for (const moment of moments) this.#tell(moment);
        if (moments.length < AT_ONCE) continue;
        this.#isDue = true;
        await new Promise<void>((resolve) => setImmediate(resolve)); // others have their turn
      }
    } catch {
      // A store that can't be read shows where facts are written; what comes is read the next time.
    } finally {
      this.#isDue = false;
      this.#reading = null;
    }
  }

  #tell(moment: Moment): void {
    this.#told = moment.number;
    for (const hear of this.#all) hear(moment);
    for (const hear of this.#byRun.get(moment.runId) ?? []) hear(moment);
  }
}
