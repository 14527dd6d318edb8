import type { DatabaseSync } from "node:sqlite";
import { storeFailed } from "./faults.ts";
import type { Timing } from "./timing.ts";

/** A file that the system unlocks when the process ends, however it ends. */
interface Lock {
  readonly name: string;
  readonly file: Deno.FsFile;
}

interface Moment {
  readonly wall: number;
  readonly steady: number;
}

/**
 * A process's right to go on with runs: a row that is renewed, and a lock file that the system
 * unlocks when the process ends, however it ends. So what was killed is known to be dead at once, and
 * what hangs is, when its lease has run out.
 */
export class Lease {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #write: <T>(action: () => T) => Promise<T>;
  readonly #timing: Timing;
  #own: { readonly no: number; readonly name: string; readonly lock: Lock } | null = null;
  #renewed: Moment = { wall: 0, steady: 0 };
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * @param write does something in the transaction of this moment
   */
  constructor(
    path: string,
    db: DatabaseSync,
    timing: Timing,
    write: <T>(action: () => T) => Promise<T>,
  ) {
    this.#path = path;
    this.#db = db;
    this.#timing = timing;
    this.#write = write;
  }

  /** This process's number among the owners; `null`: it has owned nothing yet. */
  get no(): number | null {
    return this.#own?.no ?? null;
  }

  /** Takes this process's place among the owners, in a transaction of its own. @returns its number */
  take(name: string): number {
    if (this.#own !== null) return this.#own.no;
    const lock = this.#makeLock();
    const now = this.#moment();
    try {
      const { no } = this.#db.prepare(
        "INSERT INTO owners (name, lock, expires_at) VALUES (?, ?, ?) RETURNING no",
      ).get(name, lock.name, this.#endOf(now)) as { no: number };
      this.#own = { no, name, lock };
    } catch (thrown) {
      this.#drop(lock);
      throw thrown;
    }
    this.#renewed = now;
    this.#timer = setInterval(() => this.#renew(), this.#timing.renewEvery);
    Deno.unrefTimer(this.#timer as unknown as number);
    return this.#own.no;
  }

  /** Whether the lease has not run out: by the wall's clock, by which others judge, and by one that can't be set. */
  get holds(): boolean {
    const { lease } = this.#timing;
    const { wall, steady } = this.#moment();
    return Math.abs(wall - this.#renewed.wall) < lease && steady - this.#renewed.steady < lease;
  }

  /** Whether an owner is alive. Asks the system, so it takes some microseconds. */
  isAlive(no: number): boolean {
    if (no === this.#own?.no) return true;
    const owner = this.#db.prepare("SELECT lock, expires_at FROM owners WHERE no = ?").get(no) as
      | { lock: string; expires_at: number }
      | undefined;
    if (owner === undefined) return false;
    const { wall, lease } = this.#timing;
    const left = owner.expires_at - wall();
    // One that ends later than any could was written before the clock was set back.
    return left > 0 && left <= lease && isLocked(this.#fileOf(owner.lock));
  }

  /** Forgets an owner that is dead, in the transaction of this moment. */
  bury(no: number): void {
    const row = this.#db.prepare("DELETE FROM owners WHERE no = ? RETURNING lock").get(no) as
      | { lock: string }
      | undefined;
    if (row === undefined) return;
    const file = this.#fileOf(row.lock);
    this.#write(() => {}).then(() => removeQuietly(file), () => {}); // taken back, the row still needs it
  }

  /** Gives up this process's place, in a transaction of its own. */
  release(): void {
    clearInterval(this.#timer);
    if (this.#own === null) return;
    const { no, lock } = this.#own;
    this.#own = null;
    try {
      this.#db.prepare("DELETE FROM owners WHERE no = ?").run(no);
      removeQuietly(this.#fileOf(lock.name));
    } finally {
      lock.file.close();
    }
  }

  #renew(): void {
    const own = this.#own;
    if (own === null) return;
    const now = this.#moment();
    this.#write(() => {
      const { changes } = this.#db.prepare("UPDATE owners SET expires_at = ? WHERE no = ?")
        .run(this.#endOf(now), own.no);
      if (changes === 0) this.#comeBack(own, now);
    }).then(() => this.#renewed = now, () => {}); // a store that can't be written shows where facts are written
  }

  /** It hung, and was taken for dead, and its lock file thrown away. */
  #comeBack({ no, name, lock }: { no: number; name: string; lock: Lock }, now: Moment): void {
    const made = this.#makeLock();
    this.#own = { no, name, lock: made };
    this.#drop(lock);
    this.#db.prepare("INSERT INTO owners (no, name, lock, expires_at) VALUES (?, ?, ?, ?)")
      .run(no, name, made.name, this.#endOf(now));
  }

  #moment(): Moment {
    const { wall, steady } = this.#timing;
    return { wall: wall(), steady: steady() };
  }

  #endOf({ wall }: Moment): number {
    return wall + this.#timing.lease;
  }

  #makeLock(): Lock {
    const name = crypto.randomUUID();
    try {
      const file = Deno.openSync(this.#fileOf(name), { create: true, write: true });
      file.lockSync(true);
      return { name, file };
    } catch (thrown) {
      throw storeFailed(this.#path, thrown);
    }
  }

  #drop({ name, file }: Lock): void {
    removeQuietly(this.#fileOf(name));
    file.close();
  }

  #fileOf(lock: string): string {
    return `${this.#path}-owner-${lock}`;
  }
}

/**
 * Whether a process holds the lock of a file. Without the file nobody does: the store is a copy, say.
 * Where it can't be told, the lease alone decides.
 */
function isLocked(path: string): boolean {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { write: true });
  } catch (thrown) {
    return !(thrown instanceof Deno.errors.NotFound);
  }
  try {
    return !file.tryLockSync(false); // shared: who looks at the same time is no owner
  } finally {
    file.close();
  }
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch { /* it is gone, or stays: it means nothing any more */ }
}
