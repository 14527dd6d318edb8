import type { DatabaseSync } from "node:sqlite";

/** For how long a process is held to be alive after it last said so, in milliseconds (semantics.md §6). */
export const LEASE = 30_000;
/** How often it says so, in milliseconds. */
const RENEW_EVERY = 10_000;

/**
 * A process's right to go on with runs: a row that is renewed, and a lock file that the system
 * unlocks when the process ends, however it ends. So what was killed is known to be dead at once, and
 * what hangs is, when its lease has run out.
 */
export class Lease {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #write: <T>(action: () => T) => Promise<T>;
  #own: { readonly no: number; readonly lock: string; readonly file: Deno.FsFile } | null = null;
  #renewed = { wall: 0, steady: 0 };
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * @param write does something in that transaction
   */
  constructor(path: string, db: DatabaseSync, write: <T>(action: () => T) => Promise<T>) {
    this.#path = path;
    this.#db = db;
    this.#write = write;
  }

  /** This process's number among the owners; `null`: it has owned nothing yet. */
  get no(): number | null {
    return this.#own?.no ?? null;
  }

  /** Takes this process's place among the owners, in a transaction of its own. @returns its number */
  take(name: string): number {
    if (this.#own !== null) return this.#own.no;
    const lock = crypto.randomUUID();
    const file = Deno.openSync(this.#fileOf(lock), { create: true, write: true });
    let no: number;
    try {
      file.lockSync(true);
      const now = moment();
      ({ no } = this.#db.prepare(
        "INSERT INTO owners (name, lock, expires_at) VALUES (?, ?, ?) RETURNING no",
      ).get(name, lock, now.wall + LEASE) as { no: number });
      this.#renewed = now;
    } catch (thrown) {
      file.close();
      removeQuietly(this.#fileOf(lock));
      throw thrown;
    }
    this.#own = { no, lock, file };
    this.#timer = setInterval(() => this.#renew(name), RENEW_EVERY);
    Deno.unrefTimer(this.#timer as unknown as number);
    return no;
  }

  /** Whether the lease has not run out: by the wall's clock, by which others judge, and by one that can't be set. */
  get holds(): boolean {
    const { wall, steady } = this.#renewed;
    return Math.abs(Date.now() - wall) < LEASE && performance.now() - steady < LEASE;
  }

  /** Whether an owner is alive. Asks the system, so it takes some microseconds. */
  isAlive(no: number): boolean {
    if (no === this.#own?.no) return true;
    const owner = this.#db.prepare("SELECT lock, expires_at FROM owners WHERE no = ?").get(no) as
      | { lock: string; expires_at: number }
      | undefined;
    if (owner === undefined) return false;
    const left = owner.expires_at - Date.now();
    // One that ends later than any could was written before the clock was set back.
    return left > 0 && left <= LEASE && isLocked(this.#fileOf(owner.lock));
  }

  /** Forgets an owner that is dead, in the transaction of this moment. */
  bury(no: number): void {
    const row = this.#db.prepare("DELETE FROM owners WHERE no = ? RETURNING lock").get(no) as
      | { lock: string }
      | undefined;
    if (row !== undefined) removeQuietly(this.#fileOf(row.lock));
  }

  /** Gives up this process's place, in the transaction of this moment. */
  release(): void {
    clearInterval(this.#timer);
    if (this.#own === null) return;
    const { no, lock, file } = this.#own;
    this.#own = null;
    try {
      this.#db.prepare("DELETE FROM owners WHERE no = ?").run(no);
    } finally {
      removeQuietly(this.#fileOf(lock));
      file.close();
    }
  }

  #renew(name: string): void {
    const own = this.#own;
    if (own === null) return;
    const now = moment();
    this.#write(() => {
      this.#db.prepare(
        "INSERT INTO owners (no, name, lock, expires_at) VALUES (?1, ?2, ?3, ?4) " +
          "ON CONFLICT (no) DO UPDATE SET expires_at = ?4",
      ).run(own.no, name, own.lock, now.wall + LEASE);
    }).then(() => this.#renewed = now, () => {}); // a store that can't be written shows where facts are written
  }

  #fileOf(lock: string): string {
    return `${this.#path}-owner-${lock}`;
  }
}

function moment(): { readonly wall: number; readonly steady: number } {
  return { wall: Date.now(), steady: performance.now() };
}

/** Whether a process holds the lock of a file; where that can't be told, the lease alone decides. */
function isLocked(path: string): boolean {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { write: true });
  } catch {
    return true;
  }
  try {
    return !file.tryLockSync(true);
  } finally {
    file.close();
  }
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch { /* it is gone, or stays: it means nothing any more */ }
}
