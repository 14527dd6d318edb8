import type { Journal, Moment, StoredFact } from "../engine/doors.ts";
import { eventJson } from "../engine/event_json.ts";
import type { FactReader, StoredFacts } from "../engine/stored_facts.ts";
import type { EventJson } from "./operations.ts";

/** How many runs are known at a time: of one that is not, what came before has to be looked at again. */
const KNOWN = 10_000;

interface Known {
  readonly reader: FactReader;
  /** Reads one moment after the other. */
  reading: Promise<unknown>;
}

/** Reads the moments of all runs; each once, however many listen. */
export class MomentReader {
  readonly #journal: Pick<Journal, "read">;
  readonly #facts: StoredFacts;
  readonly #runs = new Map<string, Known>();
  readonly #read = new WeakMap<Moment, Promise<readonly EventJson[]>>();

  constructor(journal: Pick<Journal, "read">, facts: StoredFacts) {
    this.#journal = journal;
    this.#facts = facts;
  }

  /** What happened in a moment. */
  read(moment: Moment): Promise<readonly EventJson[]> {
    let reading = this.#read.get(moment);
    if (reading === undefined) this.#read.set(moment, reading = this.#next(moment));
    return reading;
  }

  #next({ runId, facts }: Moment): Promise<readonly EventJson[]> {
    const known = this.#runs.get(runId) ?? this.#begin(runId, facts[0]?.seq ?? 1);
    this.#keep(runId, known);
    const reading = known.reading.then(async () => {
      const events: EventJson[] = [];
      for (const fact of facts) events.push(await readEvent(known.reader, runId, fact));
      return events;
    });
    known.reading = reading.catch(() => {});
    if (facts.at(-1)?.kind === "run_ended") this.#runs.delete(runId);
    return reading;
  }

  /** @param before the facts before this one have not been read */
  #begin(runId: string, before: number): Known {
    const reader = this.#facts.reader(runId);
    return { reader, reading: this.#catchUp(reader, runId, before) };
  }

  /** Of too many, the one of which nothing was heard for longest is forgotten. */
  #keep(runId: string, known: Known): void {
    this.#runs.delete(runId);
    this.#runs.set(runId, known);
    if (this.#runs.size > KNOWN) this.#runs.delete(this.#runs.keys().next().value ?? "");
  }

  async #catchUp(reader: FactReader, runId: string, before: number): Promise<void> {
    if (before <= 1) return;
    for await (const fact of this.#journal.read(runId)) {
      if (fact.seq >= before) return;
      await reader.read(fact);
    }
  }
}

/** A fact as the APIs tell it. What only the engine needs is left out: digests, and what `.env` was. */
export async function readEvent(
  reader: FactReader,
  runId: string,
  stored: StoredFact,
): Promise<EventJson> {
  const fact = await reader.read(stored);
  const event = eventJson(runId, fact) as Record<string, EventJson[string]>; // a fact is a map
  delete event["env"];
  delete event["schemas"];
  return event as EventJson; // every fact has these
}
