import type { Journal, Moment } from "../engine/doors.ts";
import type { StoredFacts } from "../engine/stored_facts.ts";
import { MaestroError } from "../errors.ts";
import { Inbox } from "./inbox.ts";
import { type MomentReader, readEvent } from "./moment_reader.ts";
import type { EventJson } from "./operations.ts";
import type { RunFeed } from "./run_feed.ts";

/** How many moments may wait for one reader: one who is that far behind is cut off, and can ask again. */
const MAY_WAIT = 10_000;

/** How many moments are read at once. */
const AT_ONCE = 500;

/** What the events come from. */
export interface EventSource {
  readonly journal: Journal;
  readonly feed: RunFeed;
  readonly facts: StoredFacts;
  readonly moments: MomentReader;
}

/** A run's events in order, those after a number, until its end. @throws {MaestroError} `RUN_NOT_FOUND` */
export async function* eventsOfRun(
  { journal, feed, facts: stored }: EventSource,
  runId: string,
  { after = 0, signal }: { readonly after?: number; readonly signal: AbortSignal },
): AsyncIterable<EventJson> {
  using tail = await Tail.of(feed, signal, runId);
  const { endedAt } = await journal.find(runId);
  const reader = stored.reader(runId);
  let last = 0;
  for await (const fact of journal.read(runId)) {
    if (signal.aborted) return;
    const event = await readEvent(reader, runId, fact);
    last = fact.seq;
    if (last > after) yield event;
    if (fact.kind === "run_ended" && endedAt === null) return;
  }
  if (endedAt !== null) return;
  for await (const { facts } of tail) {
    for (const fact of facts.filter(({ seq }) => seq > last)) {
      last = fact.seq;
      const event = await readEvent(reader, runId, fact);
      if (last > after) yield event;
      if (fact.kind === "run_ended") return;
    }
  }
}

/**
 * The events of all runs in the order in which they became durable, with the cursor to go on from.
 *
 * @throws {MaestroError} `USAGE`, at once, where `after` is no cursor
 */
export function eventsOfAll(
  source: EventSource,
  { after, signal }: { readonly after?: string; readonly signal: AbortSignal },
): AsyncIterable<{ readonly cursor: string; readonly event: EventJson }> {
  return eventsAfter(source, after === undefined ? null : readCursor(after), signal);
}

async function* eventsAfter(
  source: EventSource,
  from: Cursor | null,
  signal: AbortSignal,
): AsyncIterable<{ readonly cursor: string; readonly event: EventJson }> {
  const { journal, feed } = source;
  using tail = await Tail.of(feed, signal);
  for (let last = from === null ? tail.after : from.moment - 1; last < tail.after;) {
    const moments = await journal.moments(last, AT_ONCE);
    for (const moment of moments) {
      if (signal.aborted) return;
      if (moment.number <= tail.after) {
        yield* eventsOf(moment, await readable(source, moment), from);
      }
    }
    last = moments.at(-1)?.number ?? tail.after;
  }
  for await (const moment of tail) yield* eventsOf(moment, await readable(source, moment), from);
}

/** What happened in a moment; nothing where its run can't be read, as that run's own events say: the others go on. */
async function readable(
  { journal, moments: reader }: EventSource,
  moment: Moment,
): Promise<readonly EventJson[]> {
  try {
    return await reader.read(moment);
  } catch {
    await journal.newest(); // fails where it is the store that can't be read
    return [];
  }
}

/** What becomes durable from now on, for one reader. */
class Tail implements AsyncIterable<Moment> {
  readonly #inbox = new Inbox<Moment>();
  readonly #signal: AbortSignal;
  #stop = () => {};
  #isBehind = false;
  /** The last moment that does not come. */
  after = 0;

  private constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  static async of(feed: RunFeed, signal: AbortSignal, runId?: string): Promise<Tail> {
    const tail = new Tail(signal);
    const { stop, after } = await feed.listen(tail.#put, runId);
    tail.after = after;
    tail.#stop = stop;
    signal.addEventListener("abort", tail.#end);
    if (signal.aborted) tail.#end();
    return tail;
  }

  readonly #put = (moment: Moment): void => {
    this.#isBehind ||= this.#inbox.size >= MAY_WAIT;
    if (this.#isBehind) this.#end();
    else this.#inbox.put(moment);
  };

  readonly #end = (): void => this.#inbox.end();

  async *[Symbol.asyncIterator](): AsyncIterator<Moment> {
    yield* this.#inbox;
    if (!this.#isBehind) return;
    throw new MaestroError(
      "OVERLOADED",
      `Cannot wait any longer for whoever reads: ${MAY_WAIT} events have not been read; go on from the last one that was`,
    );
  }

  [Symbol.dispose](): void {
    this.#stop();
    this.#signal.removeEventListener("abort", this.#end);
  }
}

function* eventsOf({ number }: Moment, events: readonly EventJson[], from: Cursor | null) {
  if (from !== null && number < from.moment) return;
  for (const event of events) {
    if (number === from?.moment && event.seq <= from.seq) continue;
    yield { cursor: `${number}.${event.seq}`, event };
  }
}

/** Where a list of all events was left: a fact in a moment. */
interface Cursor {
  readonly moment: number;
  readonly seq: number;
}

function readCursor(text: string): Cursor {
  const [, moment, seq] = /^(\d{1,15})\.(\d{1,15})$/.exec(text) ?? [];
  if (moment !== undefined) return { moment: Number(moment), seq: Number(seq) };
  throw new MaestroError(
    "USAGE",
    `Cannot go on after ${JSON.stringify(text.slice(0, 40))}: it is no id of an event`,
  );
}
