/**
 * `maestro runs events`: what has happened in one run.
 *
 * @module
 */
import type { Fact } from "../machines/facts.ts";
import { eventJson } from "../engine/event_json.ts";
import { eventLine } from "./event_line.ts";
import type { Io } from "./io.ts";
import { inPlace, openRuns, type PlaceFlags, placeOf } from "./place.ts";
import { awayText } from "./progress.ts";
import { storedFacts } from "./stored_run.ts";
import type { RunsView } from "./views.ts";

/** The options of `runs events`. */
export interface EventsFlags extends PlaceFlags {
  readonly follow?: true | undefined;
  readonly output: "pretty" | "json";
}

/** How often it is looked for news, in milliseconds. */
const LOOK_EVERY = 200;

/** Prints a run's facts, one a line. @returns the exit code */
export async function eventsCommand(id: string, flags: EventsFlags, io: Io): Promise<number> {
  const { stdout, stderr } = io;
  const onAway = (why: string | null) => stderr.write(`${awayText(why)}\n`);
  const journal = await openRuns(flags, flags.follow && onAway);
  try {
    await inPlace(placeOf(flags), journal.find(id));
    const facts = factsOf(journal, id, flags.follow ?? false, () => stdout.isGone());
    for await (const fact of facts) {
      const line = flags.output === "json"
        ? JSON.stringify(eventJson(id, fact))
        : eventLine(id, fact);
      stdout.write(`${line}\n`);
    }
    return 0;
  } finally {
    await journal.close();
  }
}

/** What there is; to follow, also what comes, until the run has ended or nobody reads any more. */
async function* factsOf(
  journal: RunsView,
  id: string,
  follows: boolean,
  isGone: () => boolean,
): AsyncGenerator<Fact> {
  const reader = storedFacts(journal).reader(id);
  for (let last = 0;;) {
    let ended = false;
    for await (const stored of journal.read(id, last)) {
      const fact = await reader.read(stored);
      yield fact;
      last = fact.seq;
      ended = fact.kind === "run_ended";
    }
    if (ended || !follows || isGone()) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  }
}
