import type { DatabaseSync, StatementSync } from "node:sqlite";
import { setImmediate } from "node:timers";
import type { RunQuery, RunSummary } from "../../engine/doors.ts";
import type { RunStatus } from "../../engine/report.ts";
import { MaestroError } from "../../errors.ts";

/** What is read of a run that is listed or found. */
export const COLUMNS =
  "id, workflow, version, correlation_id, status, started_at, ended_at, asleep, " +
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

/** How many runs are searched for a text at once: others, who are served by the same thread, must not wait. */
const SEARCHED_AT_ONCE = 20_000;

/** What a run must be to fit: in SQL, and what its place holders stand for. */
class Conditions {
  readonly #parts: string[] = [];
  readonly values: (string | number)[] = [];

  want(condition: string, ...values: (string | number)[]): this {
    this.#parts.push(condition);
    this.values.push(...values);
    return this;
  }

  and(condition: string, ...values: (string | number)[]): Conditions {
    const more = new Conditions();
    more.#parts.push(...this.#parts);
    more.values.push(...this.values);
    return more.want(condition, ...values);
  }

  get sql(): string {
    return this.#parts.join(" AND ");
  }
}

/** The root runs that fit, the newest first. */
export async function listRuns(
  db: DatabaseSync,
  query: RunQuery,
  isAlive: IsAlive,
): Promise<RunSummary[]> {
  const { limit = 100, text } = query;
  const wanted = conditionsOf(query);
  const rows = text === undefined
    ? select(db, wanted, limit)
    : await search(db, wanted, text, limit);
  return rows.map((row) => summaryOf(row, isAlive));
}

function conditionsOf({ status, workflow, since, until, after }: RunQuery): Conditions {
  const wanted = new Conditions().want("root IS NULL");
  if (status !== undefined) wanted.want("status = ?", status);
  if (workflow !== undefined) wanted.want("workflow = ?", workflow);
  if (since !== undefined) wanted.want("started_at >= ?", since);
  if (until !== undefined) wanted.want("started_at < ?", until);
  if (after !== undefined) {
    wanted.want("(started_at, no) < (SELECT started_at, no FROM runs WHERE id = ?)", after);
  }
  return wanted;
}

function select(db: DatabaseSync, { sql, values }: Conditions, limit: number): Row[] {
  return db.prepare(
    `SELECT ${COLUMNS} FROM runs WHERE ${sql} ORDER BY started_at DESC, no DESC LIMIT ?`,
  ).all(...values, limit) as unknown as Row[];
}

/** No index finds a text that stands anywhere in an id: so many runs are looked at, one part after the other. */
async function search(
  db: DatabaseSync,
  wanted: Conditions,
  text: string,
  limit: number,
): Promise<Row[]> {
  const found: Row[] = [];
  for (let rest = wanted;;) {
    const last = lastOfPart(db, rest);
    const part = last === undefined ? rest : rest.and("(started_at, no) >= (?, ?)", ...last);
    const fits = part.and("(instr(id, ?) > 0 OR instr(correlation_id, ?) > 0)", text, text);
    found.push(...select(db, fits, limit - found.length));
    if (last === undefined || found.length >= limit) return found;
    rest = wanted.and("(started_at, no) < (?, ?)", ...last);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

function lastOfPart(db: DatabaseSync, { sql, values }: Conditions): [number, number] | undefined {
  const row = db.prepare(
    `SELECT started_at, no FROM runs WHERE ${sql} ` +
      "ORDER BY started_at DESC, no DESC LIMIT 1 OFFSET ?",
  ).get(...values, SEARCHED_AT_ONCE - 1) as { started_at: number; no: number } | undefined;
  return row && [row.started_at, row.no];
}

/** One run, also a child run. @param find finds its {@linkcode COLUMNS} by its id */
export function findRun(find: StatementSync, runId: string, isAlive: IsAlive): RunSummary {
  const row = find.get(runId);
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
