import { DatabaseSync, type DatabaseSyncOptions } from "node:sqlite";
import { dirname } from "node:path";
import { MaestroError } from "../../errors.ts";
import { storeFailed } from "./faults.ts";
import { MIGRATIONS } from "./migrations.ts";

/** Marks a SQLite file as a store of Maestro: "MAES" in ASCII. */
const APPLICATION_ID = 0x4d414553;

/** How many pages of 4 KiB gather in the log before they are moved into the file: SQLite's own 1,000 are soon full. */
const PAGES_BEFORE_CHECKPOINT = 4_000;

/** How often it is tried to have a new store keep a log: each time another process was faster. */
const MOST_TRIES = 100;

/** The connections to one store. */
export interface Connections {
  /** Writes, and sees what it has not committed yet. */
  readonly writer: DatabaseSync;
  /** Sees only what is committed. */
  readonly reader: DatabaseSync;
}

/**
 * Opens a store and brings an older one up to date.
 *
 * @param mustExist where there is none, it is not made
 * @param timeout for how long another process's transaction is waited for, in milliseconds
 * @throws {MaestroError} `STORE_FAILED`; a store that a newer program wrote is not touched
 */
export function openStore(path: string, mustExist: boolean, timeout: number): Connections {
  let writer: DatabaseSync | undefined;
  try {
    const there = statOf(path);
    if (there?.isDirectory) {
      throw refused(`Cannot use "${path}" as a store: it is a folder; name a file in it`);
    }
    if (mustExist && (there?.size ?? 0) === 0) throw refused(`There is no store at "${path}"`);
    Deno.mkdirSync(dirname(path), { recursive: true });
    // Who closes a file last moves its log into it, unless he only reads.
    if (statOf(`${path}-wal`) !== null) check(path, { readOnly: true, timeout });
    writer = new DatabaseSync(path, { timeout });
    checkOurs(path, writer);
    keepLog(writer);
    writer.exec(
      "PRAGMA synchronous = FULL; PRAGMA cache_size = -16000; " +
        `PRAGMA wal_autocheckpoint = ${PAGES_BEFORE_CHECKPOINT}`,
    );
    migrate(path, writer);
    return { writer, reader: new DatabaseSync(path, { readOnly: true, timeout }) };
  } catch (thrown) {
    writer?.close();
    throw storeFailed(path, thrown);
  }
}

/** What there is at a path; `null`: nothing. */
function statOf(path: string): Deno.FileInfo | null {
  try {
    return Deno.statSync(path);
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return null;
    throw thrown;
  }
}

function check(path: string, options: DatabaseSyncOptions): void {
  const db = new DatabaseSync(path, options);
  try {
    checkOurs(path, db);
  } finally {
    db.close();
  }
}

/** Refuses what this program must not touch; as one look, while another process may be making the tables. */
function checkOurs(path: string, db: DatabaseSync): void {
  db.exec("BEGIN");
  if (versionOf(path, db) === 0) checkEmpty(path, db);
  db.exec("COMMIT");
}

/** Where several processes make a store at once, SQLite refuses all but one, instead of waiting. */
function keepLog(db: DatabaseSync): void {
  for (let tries = 1;; tries++) {
    try {
      return db.exec("PRAGMA journal_mode = WAL");
    } catch (thrown) {
      if (tries === MOST_TRIES || !/is locked/.test(String(thrown))) throw thrown;
      db.exec("BEGIN EXCLUSIVE; COMMIT"); // which does wait
    }
  }
}

/** The version of a store; 0 of an empty file. */
function versionOf(path: string, db: DatabaseSync): number {
  const version = pragma(db, "user_version");
  const isOurs = pragma(db, "application_id") === APPLICATION_ID;
  if (version !== 0 && !isOurs) throw foreign(path);
  if (version <= MIGRATIONS.length) return version;
  throw refused(
    `Cannot use the store "${path}": a newer Maestro wrote it (version ${version}; this program knows up to ${MIGRATIONS.length}); use that one, or name another store`,
  );
}

/** A file without a version must be empty: tables in it are somebody else's. */
function checkEmpty(path: string, db: DatabaseSync): void {
  const { tables } = db.prepare("SELECT count(*) AS tables FROM sqlite_schema").get() as {
    tables: number;
  };
  if (tables > 0) throw foreign(path);
}

function foreign(path: string): MaestroError {
  return refused(
    `Cannot use "${path}" as a store: it is another program's database; name another file`,
  );
}

function refused(message: string): MaestroError {
  return new MaestroError("STORE_FAILED", message);
}

/** Two processes may open a new store at once: the second finds it made. */
function migrate(path: string, db: DatabaseSync): void {
  if (versionOf(path, db) === MIGRATIONS.length) return;
  db.exec("BEGIN IMMEDIATE");
  try {
    const from = versionOf(path, db);
    for (const step of MIGRATIONS.slice(from)) db.exec(step);
    db.exec(
      `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${MIGRATIONS.length}`,
    );
    db.exec("COMMIT");
  } catch (thrown) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw thrown;
  }
}

function pragma(db: DatabaseSync, name: string): number {
  const row = db.prepare(`PRAGMA ${name}`).get() as Record<string, number>;
  return row[name] ?? 0;
}
