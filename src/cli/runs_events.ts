/**
 * `maestro runs events`: what has happened in one run.
 *
 * @module
 */
import { Beginnings } from "../engine/beginnings.ts";
import type { Journal } from "../engine/doors.ts";
import type { Fact } from "../machines/facts.ts";
import { eventJson } from "./event_json.ts";
import { eventLine } from "./event_line.ts";
import type { Io } from "./io.ts";
import { readFact } from "./read_fact.ts";
import { openExisting } from "./store_option.ts";

/** The options of `runs events`. */
export interface EventsFlags {
  readonly store: string;
  readonly follow?: true | undefined;
  readonly output: "pretty" | "json";
}

/** How often it is looked for news, in milliseconds. */
const LOOK_EVERY = 200;

/** Prints a run's facts, one a line. @returns the exit code */
export async function eventsCommand(id: string, flags: EventsFlags, io: Io): Promise<number> {
  const journal = await openExisting(flags.store);
  try {
    const facts = flags.follow ? follow(journal, id, () => io.stdout.isGone()) : read(journal, id);
    for await (const fact of facts) {
      const line = flags.output === "json"
        ? JSON.stringify(eventJson(id, fact))
        : eventLine(id, fact);
      io.stdout.write(`${line}\n`);
    }
    return 0;
  } finally {
    await journal.close();
  }
}

async function* read(journal: Journal, id: string, after = 0): AsyncGenerator<Fact> {
  const beginnings = new Beginnings(journal);
  for await (const stored of journal.read(id, after)) yield await readFact(beginnings, id, stored);
}

/** What there is, and what comes, until the run has ended or nobody reads any more. */
async function* follow(
  journal: Journal,
  id: string,
  isGone: () => boolean,
): AsyncGenerator<Fact> {
  for (let last = 0; !isGone();) {
    let ended = false;
    for await (const fact of read(journal, id, last)) {
      yield fact;
      last = fact.seq;
      ended = fact.kind === "run_ended";
    }
    if (ended) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  }
}
