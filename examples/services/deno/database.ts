// One SQLite database holds what the services keep, the barrier's rows and the ledger, so that one
// transaction can cover all three.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Opens the database in `directory`, made when missing. Without one, it is in memory. */
export function openDatabase(directory: string | undefined): DatabaseSync {
  if (directory === undefined) return new DatabaseSync(":memory:");
  mkdirSync(directory, { recursive: true });
  const database = new DatabaseSync(join(directory, "services.db"));
  // FULL: what was committed survives a power cut, not only a crash of the program.
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  return database;
}

/** Does all of `work`, or, when it throws, nothing of it. */
export function transaction<Result>(database: DatabaseSync, work: () => Result): Result {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    waiting.splice(0).forEach((wake) => wake());
    return result;
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

/** Who waits for a transaction to end. */
const waiting: (() => void)[] = [];

/**
 * Comes at once, and again whenever something may have changed, until the signal is aborted. Whoever
 * reads each time misses nothing.
 */
export async function* changes(signal: AbortSignal): AsyncGenerator<void> {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => end());
  while (!signal.aborted) {
    const next = new Promise<void>((wake) => void waiting.push(wake));
    yield;
    await Promise.race([next, ended]);
  }
}
