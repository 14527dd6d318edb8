/**
 * `maestro runs show`: where one run stands.
 *
 * @module
 */
import { rootIdOf } from "../engine/ids.ts";
import { type Io, printJson } from "./io.ts";
import { inPlace, openRuns, type PlaceFlags, placeOf } from "./place.ts";
import { StoredRun } from "./stored_run.ts";

/** The options of `runs show`. */
export interface ShowFlags extends PlaceFlags {
  readonly output: "pretty" | "json";
}

/** Prints where a run stands. @returns the exit code */
export async function showCommand(id: string, flags: ShowFlags, io: Io): Promise<number> {
  const journal = await openRuns(flags);
  try {
    const stored = await inPlace(placeOf(flags), StoredRun.read(journal, id));
    if (flags.output === "json") {
      printJson(io, stored.report());
      return 0;
    }
    const { runPage } = await import("./run_page.ts");
    const { owned } = await journal.find(rootIdOf(id));
    io.stdout.write(runPage(stored, { store: placeOf(flags), owned }, Date.now(), io.stdout));
    return 0;
  } finally {
    await journal.close();
  }
}
