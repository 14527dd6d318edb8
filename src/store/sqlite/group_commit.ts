import type { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers";
import { MaestroError } from "../../errors.ts";
import { isLocked, storeFailed } from "./faults.ts";
import { patiently } from "./patiently.ts";

/** Those of this process, by file: one need not wait for another's transaction, but commits it. */
const inThisProcess = new Map<string, Set<GroupCommit>>();

interface Waiter {
  readonly done: () => void;
  readonly failed: (error: MaestroError) => void;
}

/** For how long what comes turn by turn may be gathered, in milliseconds: one commit costs all of it less than several. */
const GATHERED_FOR = 2;

/** What is to be done in a transaction. */
interface Entry {
  readonly perform: () => void;
  readonly failed: (error: MaestroError) => void;
}

/**
 * One transaction for all that comes in the same moment, from however many runs: a commit costs the
 * disk's time, whatever is in it. What comes while it is under way goes into the next one. While
 * another process has the lock, what comes waits together, and holds up nothing else.
 */
export class GroupCommit {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #begin;
  readonly #commit;
  readonly #identity: string;
  /** Those who wait for the open transaction; `null`: none is open. */
  #open: Waiter[] | null = null;
  #openedAt = 0;
  /** Whether more came into the open transaction since it was looked at. */
  #hasMore = false;
  #number = 0;
  #failures = 0;
  readonly #timeout: number;
  /** What waits for the lock; `null`: nothing does. */
  #queue: Entry[] | null = null;

  /** @param timeout for how long another process's transaction is waited for, in milliseconds */
  constructor(path: string, db: DatabaseSync, timeout: number) {
    this.#path = path;
    this.#db = db;
    this.#timeout = timeout;
    db.exec("PRAGMA busy_timeout = 0"); // the thread that would wait has other things to do
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
   * Does something in the transaction of this moment: at once, unless another process has the lock.
   *
   * @param action throws a `MaestroError` only before it has written
   * @returns resolves with what it gave, once it would survive a power cut
   */
  write<T>(action: () => T): Promise<T> {
    return new Promise<T>((resolve, failed) =>
      this.#enter({
        perform: () => {
          const value = action();
          this.#open?.push({ done: () => resolve(value), failed });
        },
        failed,
      })
    );
  }

  /** The same, where nobody waits until it would survive. */
  enter<T>(action: () => T): Promise<T> {
    return new Promise<T>((resolve, failed) =>
      this.#enter({ perform: () => resolve(action()), failed })
    );
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

  #enter(entry: Entry): void {
    if (this.#queue !== null) {
      this.#queue.push(entry);
      return;
    }
    try {
      if (this.#open === null) this.#start();
      else this.#hasMore = true;
    } catch (thrown) {
      this.#queue = [entry];
      if (isLocked(thrown)) void this.#wait();
      else this.#failQueue(thrown);
      return;
    }
    this.#perform(entry);
  }

  #start(): void {
    this.flushOthers();
    this.#begin.run();
    this.#number++;
    this.#open = [];
    this.#openedAt = performance.now();
    this.#hasMore = false;
    const { number } = this;
    setImmediate(() => this.#look(number));
  }

  /** Commits at the end of the turn; where much comes in each turn, after a few of them. */
  #look(number: number): void {
    if (number !== this.#number) return; // that one was committed, since somebody could not wait
    const gathers = this.#hasMore && performance.now() - this.#openedAt < GATHERED_FOR;
    this.#hasMore = false;
    if (gathers) setImmediate(() => this.#look(number));
    else this.flush();
  }

  async #wait(): Promise<void> {
    try {
      await patiently(this.#timeout, () => this.#start());
    } catch (thrown) {
      return this.#failQueue(thrown);
    }
    const entries = this.#queue ?? [];
    this.#queue = null;
    for (const entry of entries) this.#enter(entry);
  }

  #perform({ perform, failed }: Entry): void {
    try {
      perform();
    } catch (thrown) {
      // What was written before it could be half of something.
      if (!(thrown instanceof MaestroError)) this.#fail(thrown);
      failed(storeFailed(this.#path, thrown));
    }
  }

  #failQueue(thrown: unknown): void {
    const entries = this.#queue ?? [];
    this.#queue = null;
    this.#fail(thrown);
    for (const { failed } of entries) failed(storeFailed(this.#path, thrown));
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
