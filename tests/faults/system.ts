/** What tests ask of the system: a disk of its own, rights taken away. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";

/** Runs a program of the system. @returns whether it did what it was asked for */
export async function system(...[program = "", ...args]: readonly string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(program, { args, stderr: "null" }).output();
    return success;
  } catch {
    return false;
  }
}

/** A disk of its own size. */
export class Disk implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @returns `null` where none can be had */
  static async of(folder: string, size: string): Promise<Disk | null> {
    const made = await system("mount", "-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder);
    return made ? new Disk(folder) : null;
  }

  async resize(size: string): Promise<void> {
    assert.ok(await system("mount", "-o", `remount,size=${size}`, this.#folder));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await system("umount", this.#folder);
  }
}

/** Runs a program without root's right to write what may not be written. */
export const WEAK = [
  "setpriv",
  "--bounding-set=-dac_override,-dac_read_search",
  "--inh-caps=-dac_override,-dac_read_search",
];

/** Says loudly that something could not be tried. */
export function skipped(what: string): void {
  console.warn(`SKIPPED: ${what} can't be tried here; run the tests as root on Linux`);
}

/** Freezes a process, but not in the middle of a transaction: that would hold everybody up. */
export async function freeze(process: { kill(signal: Deno.Signal): void }, store: string) {
  const db = new DatabaseSync(store, { timeout: 0 });
  try {
    for (;;) {
      process.kill("SIGSTOP");
      await new Promise((resolve) => setTimeout(resolve, 10)); // it takes a moment
      try {
        return db.exec("BEGIN IMMEDIATE; ROLLBACK");
      } catch {
        process.kill("SIGCONT");
      }
    }
  } finally {
    db.close();
  }
}
