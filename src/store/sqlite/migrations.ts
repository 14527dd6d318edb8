/**
 * The tables, as steps from one version of the store to the next. A step that was released is never
 * changed: stores that it made are out there.
 *
 * @module
 */

/** From version 0, an empty file, to 1, and so on. */
export const MIGRATIONS: readonly string[] = [
  `
  -- A process that goes on with runs. It is alive while its lease lasts and its lock file is locked.
  CREATE TABLE owners (
    -- Never used again: who was taken for dead may come back.
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    lock TEXT NOT NULL UNIQUE,
    expires_at INTEGER NOT NULL
  ) STRICT;

  -- Definitions, environments and schemas, each kept once.
  CREATE TABLE texts (
    digest TEXT NOT NULL UNIQUE,
    text TEXT NOT NULL
  ) STRICT;

  CREATE TABLE runs (
    -- Never used again either: who lost a run that was dropped may not know it yet.
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    -- Of a child run: the run at the root of its tree.
    root INTEGER REFERENCES runs (no) ON DELETE CASCADE,
    workflow TEXT NOT NULL,
    version TEXT,
    correlation_id TEXT NOT NULL,
    status TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    -- It only waits: until a moment, or for a signal or an operator.
    asleep INTEGER NOT NULL DEFAULT 0,
    sleeps_until INTEGER,
    owner INTEGER,
    -- Goes up with every claim: facts of an older one are refused.
    token INTEGER NOT NULL,
    -- The digests of the texts that it needs, as a JSON list.
    texts TEXT NOT NULL
  ) STRICT;
  CREATE INDEX runs_open ON runs (no) WHERE ended_at IS NULL;
  CREATE INDEX runs_by_root ON runs (root) WHERE root IS NOT NULL;
  CREATE INDEX runs_by_start ON runs (started_at) WHERE root IS NULL;
  CREATE INDEX runs_by_status ON runs (status, started_at) WHERE root IS NULL;
  CREATE INDEX runs_by_workflow ON runs (workflow, started_at) WHERE root IS NULL;
  CREATE INDEX runs_by_end ON runs (ended_at) WHERE root IS NULL AND ended_at IS NOT NULL;
  CREATE INDEX runs_by_both ON runs (workflow, status, started_at) WHERE root IS NULL;

  -- What happened: the facts of one run that came in one moment, as a JSON list. \`seq\` is the number
  -- of the first of them. \`no\` is the order over all runs, and no number comes twice.
  CREATE TABLE moments (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL REFERENCES runs (no) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    facts TEXT NOT NULL,
    UNIQUE (run, seq)
  ) STRICT;

  -- The same, one fact a row, for people.
  CREATE VIEW facts AS
    SELECT
      r.id AS run_id,
      f.value ->> 'seq' AS seq,
      strftime('%Y-%m-%dT%H:%M:%fZ', (f.value ->> 'at') / 1000.0, 'unixepoch') AS at,
      f.value ->> 'kind' AS kind,
      f.value ->> 'path' AS path,
      f.value AS fact
    FROM moments m JOIN runs r ON r.no = m.run, json_each(m.facts) f;

  -- What somebody wants of a run that another process goes on with.
  CREATE TABLE inbox (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL REFERENCES runs (no) ON DELETE CASCADE,
    command TEXT NOT NULL,
    posted_at INTEGER NOT NULL,
    answer TEXT
  ) STRICT;
  CREATE INDEX inbox_by_run ON inbox (run);
  `,
  `
  -- How many runs, child runs left out, stand how: a million would take long to be counted.
  CREATE TABLE run_counts (
    status TEXT PRIMARY KEY,
    runs INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO run_counts SELECT status, count(*) FROM runs WHERE root IS NULL GROUP BY status;
  CREATE TRIGGER run_came AFTER INSERT ON runs WHEN NEW.root IS NULL BEGIN
    INSERT INTO run_counts VALUES (NEW.status, 1) ON CONFLICT DO UPDATE SET runs = runs + 1;
  END;
  CREATE TRIGGER run_moved AFTER UPDATE OF status ON runs
    WHEN NEW.root IS NULL AND NEW.status <> OLD.status
  BEGIN
    UPDATE run_counts SET runs = runs - 1 WHERE status = OLD.status;
    INSERT INTO run_counts VALUES (NEW.status, 1) ON CONFLICT DO UPDATE SET runs = runs + 1;
  END;
  CREATE TRIGGER run_went AFTER DELETE ON runs WHEN OLD.root IS NULL BEGIN
    UPDATE run_counts SET runs = runs - 1 WHERE status = OLD.status;
  END;
  `,
];
