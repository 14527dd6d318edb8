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
    no INTEGER PRIMARY KEY,
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
    no INTEGER PRIMARY KEY,
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

  -- What happened, one thing a row; \`data\` is the whole of it.
  CREATE TABLE facts (
    no INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (no) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    data TEXT NOT NULL,
    kind TEXT GENERATED ALWAYS AS (data ->> 'kind') VIRTUAL,
    at INTEGER GENERATED ALWAYS AS (data ->> 'at') VIRTUAL,
    UNIQUE (run, seq)
  ) STRICT;

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
];
