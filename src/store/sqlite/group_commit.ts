import type { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers";
import { MaestroError } from "../../errors.ts";
import { storeFailed } from "./faults.ts";

/**
 * Those of this process, by file. One that waits for another's transaction holds up the thread that
 * would commit it: so it commits it itself.
 */
const inThisProcess = new Map<string, Set<GroupCommit>>();

interface Waiter {
  readonly done: () => void;
  readonly failed: (error: MaestroError) => void;
}

/** How much less others wait for a lock that one has waited for in vain. */
const IMPATIENCE = 100;

/**
 * One transaction for all that comes in the same moment, from however many runs: a commit costs the
 * disk's time, whatever is in it. What comes while it is under way goes into the next one.
 */
export class GroupCommit {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #begin;
  readonly #commit;
  readonly #identity: string;
  /** Those who wait for the open transaction; `null`: none is open. */
  #open: Waiter[] | null = null;
  #number = 0;
  #failures = 0;
  readonly #timeout: number;
  #isPatient = true;

  /** @param timeout for how long another process's transaction is waited for, in milliseconds */
  constructor(path: string, db: DatabaseSync, timeout: number) {
    this.#path = path;
    this.#db = db;
    this.#timeout = timeout;
    this.#begin = db.prepare("BEGIN IMMEDIATE");
    this.#commit = db.prepare("COMMIT");
    this.#identity = this.#identify();
    const others = inThisProcess.get(this.#identity);
    if (others === undefined) inThisProcess.set(this.#identity, new Set([this]));
    else others.add(this);
  }

  /** Which transaction it is: they are counted. */
  get number(): number {
    return this.#number;
  }

  /** How many transactions were taken back. */
  get failures(): number {
    return this.#failures;
  }

  /**
   * Does something in the transaction of this moment, at once.
   *
   * @param action throws a `MaestroError` only before it has written
   * @returns resolves with what it gave, once it would survive a power cut
   */
  write<T>(action: () => T): Promise<T> {
    return new Promise<T>((resolve, failed) => {
      const value = this.enter(action);
      this.#open?.push({ done: () => resolve(value), failed });
    });
  }

  /** The same, where nobody waits until it would survive. */
  enter<T>(action: () => T): T {
    try {
      if (this.#open === null) {
        this.flushOthers();
        this.#start();
        this.#number++;
        this.#open = [];
        setImmediate(() => this.flush());
      }
      return action();
    } catch (thrown) {
      // What was written before it could be half of something.
      if (!(thrown instanceof MaestroError)) this.#fail(thrown);
      throw storeFailed(this.#path, thrown);
    }
  }

  /** Commits what is open now. */
  flush(): void {
    const waiters = this.#open;
    if (waiters === null) return;
    try {
      this.#commit.run();
      this.#checkFile();
    } catch (thrown) {
      return this.#fail(thrown);
    }
    this.#open = null;
    for (const { done } of waiters) done();
  }

  /** Lets the others of this process commit what they have open, before their lock is waited for. */
  flushOthers(): void {
    for (const other of inThisProcess.get(this.#identity) ?? []) if (other !== this) other.flush();
  }

  /** Commits what is open, for the last time. */
  close(): void {
    this.flush();
    const all = inThisProcess.get(this.#identity);
    all?.delete(this);
    if (all?.size === 0) inThisProcess.delete(this.#identity);
  }

  /** Nothing else happens while a lock is waited for: many runs must not do so one after the other. */
  #start(): void {
    try {
      this.#begin.run();
      this.#wait(true);
    } catch (thrown) {
      this.#wait(false);
      throw thrown;
    }
  }

  #wait(patiently: boolean): void {
    if (patiently === this.#isPatient) return;
    this.#isPatient = patiently;
    const timeout = patiently ? this.#timeout : Math.ceil(this.#timeout / IMPATIENCE);
    this.#db.exec(`PRAGMA busy_timeout = ${timeout}`);
  }

  #fail(thrown: unknown): void {
    this.#failures++;
    const error = storeFailed(this.#path, thrown);
    const waiters = this.#open ?? [];
    this.#open = null;
    try {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
    } catch { /* SQLite has rolled it back by itself */ }
    for (const { failed } of waiters) failed(error);
  }

  /** What is written into a file that was deleted is gone with the process, though SQLite says nothing. */
  #checkFile(): void {
    if (this.#identify() === this.#identity) return;
    throw new MaestroError(
      "STORE_FAILED",
      `Cannot use the store "${this.#path}": its file was deleted or replaced under the running program; put it back, then go on with what is open`,
    );
  }

  #identify(): string {
    return ["", "-wal", "-shm"].map((end) => {
      try {
        const { dev, ino } = Deno.statSync(this.#path + end);
        return `${dev}:${ino}`;
      } catch {
        return "none";
      }
    }).join();
  }
}
