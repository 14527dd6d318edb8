import type { DatabaseSync } from "node:sqlite";
import type { RunQuery, RunSummary } from "../../engine/doors.ts";
import type { RunStatus } from "../../engine/report.ts";
import { MaestroError } from "../../errors.ts";

const COLUMNS = "id, workflow, version, correlation_id, status, started_at, ended_at, asleep, " +
  "sleeps_until, owner";

interface Row {
  readonly id: string;
  readonly workflow: string;
  readonly version: string | null;
  readonly correlation_id: string;
  readonly status: RunStatus;
  readonly started_at: number;
  readonly ended_at: number | null;
  readonly asleep: number;
  readonly sleeps_until: number | null;
  readonly owner: number | null;
}

type IsAlive = (owner: number) => boolean;

/** The root runs that fit, the newest first. */
export function listRuns(db: DatabaseSync, query: RunQuery, isAlive: IsAlive): RunSummary[] {
  const { status, workflow, since, limit = 100, after } = query;
  const wanted: string[] = [];
  const values: (string | number)[] = [];
  const want = (condition: string, ...more: (string | number)[]) => {
    wanted.push(condition);
    values.push(...more);
  };
  if (status !== undefined) want("status = ?", status);
  if (workflow !== undefined) want("workflow = ?", workflow);
  if (since !== undefined) want("started_at >= ?", since);
  if (after !== undefined) {
    want("(started_at, no) < (SELECT started_at, no FROM runs WHERE id = ?)", after);
  }
  const rows = db.prepare(
    `SELECT ${COLUMNS} FROM runs WHERE ${["root IS NULL", ...wanted].join(" AND ")} ` +
      "ORDER BY started_at DESC, no DESC LIMIT ?",
  ).all(...values, limit);
  return (rows as unknown as Row[]).map((row) => summaryOf(row, isAlive));
}

/** One run, also a child run. */
export function findRun(db: DatabaseSync, runId: string, isAlive: IsAlive): RunSummary {
  const row = db.prepare(`SELECT ${COLUMNS} FROM runs WHERE id = ?`).get(runId);
  if (row === undefined) throw new MaestroError("RUN_NOT_FOUND", `There is no run "${runId}"`);
  return summaryOf(row as unknown as Row, isAlive);
}

function summaryOf(row: Row, isAlive: IsAlive): RunSummary {
  return {
    runId: row.id,
    workflow: row.workflow,
    version: row.version,
    correlationId: row.correlation_id,
    status: row.status,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    sleepsUntil: row.asleep === 0 ? undefined : row.sleeps_until,
    owned: row.ended_at === null && row.owner !== null && isAlive(row.owner),
  };
}
