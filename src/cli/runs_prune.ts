/**
 * `maestro runs prune`: drops runs that ended long ago.
 *
 * @module
 */
import { type Io, printJson } from "./io.ts";
import { parseSpan } from "./span_option.ts";
import { openExisting } from "./store_option.ts";
import { count } from "./text.ts";

/** The options of `runs prune`. */
export interface PruneFlags {
  readonly store: string;
  readonly olderThan: string;
  readonly output: "pretty" | "json";
}

/** Drops runs, with their child runs; never one whose root is open. @returns the exit code */
export async function pruneCommand(flags: PruneFlags, io: Io): Promise<number> {
  const span = parseSpan(flags.olderThan, "--older-than");
  const journal = await openExisting(flags.store);
  try {
    const dropped = await journal.prune(Date.now() - span);
    if (flags.output === "json") printJson(io, { dropped });
    else {
      io.stdout.write(
        `Dropped ${count(dropped, "run")} that ended more than ${flags.olderThan} ago\n`,
      );
    }
    return 0;
  } finally {
    await journal.close();
  }
}
