/**
 * `maestro runs list`: the runs that there are.
 *
 * @module
 */
import type { JournalSize, RunQuery, RunSummary } from "../engine/doors.ts";
import { MaestroError } from "../errors.ts";
import { summaryJson } from "../server/run_summary.ts";
import { type Io, printJson } from "./io.ts";
import { openRuns, type PlaceFlags } from "./place.ts";
import { paintWith } from "./palette.ts";
import { runTable } from "./run_table.ts";
import { parseSpan } from "./span_option.ts";
import { parseStatus } from "./status_option.ts";

/** The options of `runs list`. */
export interface ListFlags extends PlaceFlags {
  readonly status?: string | undefined;
  readonly workflow?: string | undefined;
  readonly since?: string | undefined;
  readonly limit: string;
  readonly output: "pretty" | "json";
}

/** Prints the runs that fit, the newest first. @returns the exit code */
export async function listCommand(flags: ListFlags, io: Io): Promise<number> {
  const limit = parseLimit(flags.limit);
  const query = queryOf(flags);
  const journal = await openRuns(flags);
  try {
    const found = await journal.list({ ...query, limit: limit + 1 });
    const runs = found.slice(0, limit);
    const size = await journal.size();
    if (flags.output === "json") {
      const store = size === null ? null : { bytes: size.bytes, free_bytes: size.free };
      printJson(io, { runs: runs.map(shownJson), store, server: flags.server ?? null });
      return 0;
    }
    const now = Date.now();
    if (runs.length === 0) io.stderr.write("No runs\n");
    else io.stdout.write(runTable(runs, now, paintWith(io.stdout.colour)));
    if (found.length > limit) {
      io.stderr.write(`There are more than ${limit}: see --limit, or narrow it down\n`);
    }
    if (size !== null) io.stderr.write(`${sizeText(size)}\n`);
    return 0;
  } finally {
    await journal.close();
  }
}

function queryOf({ status, workflow, since }: ListFlags): RunQuery {
  return {
    ...(status !== undefined && { status: parseStatus(status) }),
    ...(workflow !== undefined && { workflow }),
    ...(since !== undefined && { since: Date.now() - parseSpan(since, "--since") }),
  };
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (/^\d+$/.test(text) && limit > 0 && Number.isSafeInteger(limit)) return limit;
  throw new MaestroError(
    "USAGE",
    `Cannot use --limit "${text}": it is how many runs are listed at most, so a whole number from 1`,
  );
}

function shownJson(run: RunSummary) {
  const { sleeps: _, ...shown } = summaryJson(run);
  return shown;
}

const MEBIBYTE = 1024 * 1024;
/** From here on, in bytes, free room is worth a word. */
const MUCH = 64 * MEBIBYTE;

function sizeText({ bytes, free }: JournalSize): string {
  const size = `The store has ${mebibytes(bytes)}`;
  if (free <= MUCH || free * 4 <= bytes) return size;
  return `${size}, ${
    mebibytes(free)
  } of them free; give them back with SQLite's VACUUM, see docs/operations.md`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / MEBIBYTE).toFixed(1)} MiB`;
}
