import type { DatabaseSync } from "node:sqlite";
import { COLUMNS } from "./list.ts";

/** What is written, prepared once. */
export function writeStatements(db: DatabaseSync) {
  return {
    insertText: db.prepare("INSERT INTO texts (digest, text) VALUES (?, ?) ON CONFLICT DO NOTHING"),
    hasText: db.prepare("SELECT 1 FROM texts WHERE digest = ?"),
    insertRun: db.prepare(
      "INSERT INTO runs (id, root, workflow, version, correlation_id, status, started_at, owner, token, texts) " +
        "VALUES (?, ?, ?, ?, ?, 'running', ?, ?, 1, ?) RETURNING no",
    ),
    runById: db.prepare("SELECT no, owner, token FROM runs WHERE id = ?"),
    takeRun: db.prepare("UPDATE runs SET owner = ?, token = token + 1 WHERE no = ?"),
    /** Of a root: a child run goes with it, also one that has ended, and may have to be undone. */
    takeChildren: db.prepare("UPDATE runs SET owner = ?, token = token + 1 WHERE root = ?"),
    takeTheirChildren: db.prepare(
      "UPDATE runs SET owner = ?1, token = token + 1 WHERE owner IS NOT ?1 AND root IN " +
        "(SELECT no FROM runs WHERE ended_at IS NULL AND owner = ?1)",
    ),
    tokenOf: db.prepare("SELECT token FROM runs WHERE no = ?"),
    insertMoment: db.prepare("INSERT INTO moments (run, seq, facts) VALUES (?, ?, ?)"),
    moveRun: db.prepare(
      "UPDATE runs SET status = ?, ended_at = ?, asleep = ?, sleeps_until = ? WHERE no = ?",
    ),
    /** Adds one to the digests of a run's texts. */
    addText: db.prepare(
      "UPDATE runs SET texts = json_insert(texts, '$[#]', ?1) WHERE no = ?2 " +
        "AND NOT EXISTS (SELECT 1 FROM json_each(texts) WHERE value = ?1)",
    ),
    insertCommand: db.prepare(
      "INSERT INTO inbox (run, command, posted_at) VALUES (?, ?, ?) RETURNING no",
    ),
    answerCommand: db.prepare("UPDATE inbox SET answer = ? WHERE no = ?"),
    dropCommand: db.prepare("DELETE FROM inbox WHERE no = ?"),
    /** Those that were answered, and those for runs that have ended. */
    dropOldCommands: db.prepare(
      "DELETE FROM inbox WHERE posted_at < ? AND (answer IS NOT NULL OR run IN " +
        "(SELECT no FROM runs WHERE ended_at IS NOT NULL))",
    ),
    owners: db.prepare("SELECT no FROM owners"),
    openOwners: db.prepare("SELECT DISTINCT owner FROM runs WHERE ended_at IS NULL"),
    /** With a JSON list of the owners that are dead. */
    takeOpenRuns: db.prepare(
      "UPDATE runs SET owner = ?, token = token + 1 WHERE ended_at IS NULL " +
        "AND (owner IS NULL OR owner IN (SELECT value FROM json_each(?)))",
    ),
    /** Of other connections: it changes where another process has written. */
    version: db.prepare("PRAGMA data_version"),
  };
}

/** What is read, prepared once. */
export function readStatements(db: DatabaseSync) {
  return {
    runById: db.prepare("SELECT no FROM runs WHERE id = ?"),
    summary: db.prepare(`SELECT ${COLUMNS} FROM runs WHERE id = ?`),
    /** From the moment in which a fact comes. */
    moments: db.prepare(
      "SELECT facts FROM moments WHERE run = ?1 AND seq >= " +
        "(SELECT max(seq) FROM moments WHERE run = ?1 AND seq <= ?2) ORDER BY seq LIMIT 1000",
    ),
    momentsAfter: db.prepare(
      "SELECT m.no, r.id, m.facts FROM moments m JOIN runs r ON r.no = m.run " +
        "WHERE m.no > ? ORDER BY m.no LIMIT ?",
    ),
    newestMoment: db.prepare("SELECT coalesce(max(no), 0) AS no FROM moments"),
    counts: db.prepare("SELECT status, runs FROM run_counts WHERE runs > 0"),
    text: db.prepare("SELECT text FROM texts WHERE digest = ?"),
    answer: db.prepare("SELECT answer FROM inbox WHERE no = ?"),
    openCommands: db.prepare(
      "SELECT i.no, r.id, i.command FROM inbox i JOIN runs r ON r.no = i.run " +
        "WHERE i.answer IS NULL AND r.owner = ? ORDER BY i.no",
    ),
    adopted: db.prepare(
      "SELECT no, id, token, status, asleep, sleeps_until FROM runs " +
        "WHERE ended_at IS NULL AND root IS NULL AND owner = ? AND no > ? ORDER BY no LIMIT 1000",
    ),
    pages: db.prepare(
      "SELECT page_count, freelist_count, page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
    ),
  };
}

/** See {@linkcode writeStatements}. */
export type WriteStatements = ReturnType<typeof writeStatements>;

/** See {@linkcode readStatements}. */
export type ReadStatements = ReturnType<typeof readStatements>;
