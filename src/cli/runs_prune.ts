/**
 * `maestro runs prune`: drops runs that ended long ago.
 *
 * @module
 */
import { type Io, printJson } from "./io.ts";
import { type PlaceFlags, serverOf } from "./place.ts";
import { parseSpan } from "./span_option.ts";
import { openExisting } from "./store_option.ts";
import { count } from "./text.ts";

/** The options of `runs prune`. */
export interface PruneFlags extends PlaceFlags {
  readonly olderThan: string;
  readonly output: "pretty" | "json";
}

/** Drops runs, with their child runs; never one whose root is open. @returns the exit code */
export async function pruneCommand(flags: PruneFlags, io: Io): Promise<number> {
  const span = parseSpan(flags.olderThan, "--older-than");
  const dropped = await prune(flags, span);
  if (flags.output === "json") printJson(io, { dropped });
  else {
    io.stdout.write(
      `Dropped ${count(dropped, "run")} that ended more than ${flags.olderThan} ago\n`,
    );
  }
  return 0;
}

async function prune(flags: PruneFlags, span: number): Promise<number> {
  const server = serverOf(flags);
  if (server !== null) return await (await import("./remote/prune.ts")).remotePrune(server, span);
  const journal = await openExisting(flags.store);
  try {
    return await journal.prune(Date.now() - span);
  } finally {
    await journal.close();
  }
}
