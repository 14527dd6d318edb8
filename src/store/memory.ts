import type {
  Claim,
  CommandAnswer,
  Journal,
  Moment,
  NewRun,
  Posted,
  RunQuery,
  RunSummary,
  Standing,
  StoredFact,
} from "../engine/doors.ts";
import type { RunStatus } from "../engine/report.ts";
import { isChildId, rootIdOf } from "../engine/ids.ts";
import { MaestroError } from "../errors.ts";

interface Entry {
  readonly run: NewRun;
  token: number;
  standing: Standing;
  readonly facts: StoredFact[];
  readonly moments: Mutable<Moment>[];
  /** The digests of its texts. */
  readonly texts: string[];
  /** The ids of its child runs, which are kept as long as it is. */
  readonly children: string[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Text {
  readonly text: string;
  /** How many runs need it. */
  needed: number;
}

/** How a journal in memory is made. */
export interface MemoryJournalOptions {
  /** How many ended runs it remembers, the newest; a process that lives long must not fill up. @default 1,000 */
  readonly remember?: number;
}

/**
 * A journal that lasts as long as the process: for tests, and for runs nobody needs to resume. All who
 * use it are in this process, so a newer claim always ends an older one.
 */
export function memoryJournal({ remember = 1_000 }: MemoryJournalOptions = {}): Journal {
  const runs = new Map<string, Entry>();
  const texts = new Map<string, Text>();
  const inbox = new Map<number, CommandAnswer | undefined>();
  const listeners = new Set<(posted: Posted) => Promise<void>>();
  /** What came when; the facts of a run that was forgotten are taken out of it. */
  let moments: Mutable<Moment>[] = [];
  let emptied = 0;
  let newest = 0;
  let posted = 0;
  /** The ids of ended runs that are no children, oldest first; those before `first` are forgotten. */
  let ended: string[] = [];
  let first = 0;

  function entryOf(runId: string): Entry {
    const entry = runs.get(runId);
    if (entry === undefined) throw new MaestroError("RUN_NOT_FOUND", `There is no run "${runId}"`);
    return entry;
  }

  function fenced(claim: Claim): Entry {
    const entry = entryOf(claim.runId);
    if (claim.token === entry.token) return entry;
    throw new MaestroError("CLAIM_LOST", `Another owner has taken over run "${claim.runId}"`);
  }

  function keep(entry: Entry, digest: string, text: string): void {
    if (entry.texts.includes(digest)) return;
    entry.texts.push(digest);
    const known = texts.get(digest);
    if (known === undefined) texts.set(digest, { text, needed: 1 });
    else known.needed++;
  }

  function forget(runId: string): void {
    const entry = runs.get(runId);
    if (entry === undefined) return;
    entry.facts.length = 0; // the map's old tables may hold the entry for a while yet
    for (const moment of entry.moments) moment.facts = [];
    emptied += entry.moments.length;
    if (emptied > moments.length / 2) tidy();
    for (const digest of entry.texts) {
      const known = texts.get(digest);
      if (known !== undefined && --known.needed === 0) texts.delete(digest);
    }
    for (const child of entry.children) forget(child);
    runs.delete(runId);
  }

  function tidy(): void {
    moments = moments.filter(({ facts }) => facts.length > 0);
    emptied = 0;
  }

  function forgetOldest(): void {
    forget(ended[first++] ?? "");
    if (first < 1_000) return;
    ended = ended.slice(first);
    first = 0;
  }

  return {
    create(run, owner) {
      const { runId } = run;
      if (runs.has(runId)) {
        return Promise.reject(
          new MaestroError("RUN_EXISTS", `There is a run "${runId}" already`),
        );
      }
      const entry: Entry = {
        run,
        token: 1,
        standing: { status: "running", endedAt: null, sleepsUntil: undefined },
        facts: [],
        moments: [],
        texts: [],
        children: [],
      };
      for (const { digest, text } of run.texts) keep(entry, digest, text);
      if (isChildId(runId)) runs.get(rootIdOf(runId))?.children.push(runId);
      runs.set(runId, entry);
      return Promise.resolve({ runId, owner, token: 1 });
    },
    claim: (runId, owner) => attempt(() => ({ runId, owner, token: ++entryOf(runId).token })),
    async *adopt(owner) {
      for (const [runId, entry] of [...runs]) {
        const { status, endedAt, sleepsUntil } = entry.standing;
        if (endedAt !== null || isChildId(runId)) continue;
        const claim = { runId, owner, token: ++entry.token };
        yield { claim, status, sleepsUntil };
      }
    },
    holds: () => true,
    append: (claim, facts, standing) =>
      attempt(() => {
        const entry = fenced(claim);
        for (const fact of facts) entry.facts.push(fact);
        if (facts.length > 0) {
          const moment = { number: ++newest, runId: claim.runId, facts };
          entry.moments.push(moment);
          moments.push(moment);
        }
        if (standing === undefined) return;
        entry.standing = standing;
        if (standing.endedAt === null || isChildId(claim.runId)) return;
        ended.push(claim.runId);
        if (ended.length - first > remember) forgetOldest();
      }),
    async *read(runId, after = 0) {
      yield* entryOf(runId).facts.filter(({ seq }) => seq > after);
    },
    keep: (claim, { digest, text }) => attempt(() => keep(fenced(claim), digest, text)),
    kept: (digest) => Promise.resolve(texts.get(digest)?.text),
    post: (runId, command) =>
      attempt(() => {
        entryOf(runId);
        const number = ++posted;
        inbox.set(number, undefined);
        queueMicrotask(() => {
          for (const hear of listeners) hear({ number, runId, command }).catch(() => {});
        });
        return number;
      }),
    listen(hear) {
      listeners.add(hear);
      return () => listeners.delete(hear);
    },
    answer: (number, answer) =>
      attempt(() => void (inbox.has(number) && inbox.set(number, answer))),
    answerTo(number) {
      const answer = inbox.get(number);
      if (answer !== undefined) inbox.delete(number);
      return Promise.resolve(answer);
    },
    list: (query) =>
      attempt(() => {
        const all = [...runs.values()].filter(({ run }) => !isChildId(run.runId)).reverse();
        return pageOf(all.map(summaryOf), query);
      }),
    find: (runId) => attempt(() => summaryOf(entryOf(runId))),
    counts: () =>
      attempt(() => {
        const counts: Partial<Record<RunStatus, number>> = {};
        for (const { run, standing: { status } } of runs.values()) {
          if (!isChildId(run.runId)) counts[status] = (counts[status] ?? 0) + 1;
        }
        return counts;
      }),
    moments: (after, limit) =>
      attempt(() => {
        const found: Moment[] = [];
        for (let at = placeAfter(moments, after); found.length < limit; at++) {
          const moment = moments[at];
          if (moment === undefined) break;
          if (moment.facts.length > 0) found.push({ ...moment });
        }
        return found;
      }),
    newest: () => Promise.resolve(newest),
    prune: (endedBefore, most = Infinity) =>
      attempt(() => {
        const old = [...runs.values()].filter(({ run, standing: { endedAt }, children }) =>
          !isChildId(run.runId) && endedAt !== null && endedAt < endedBefore &&
          children.every((id) => runs.get(id)?.standing.endedAt !== null)
        )
          .toSorted((one, other) => (one.standing.endedAt ?? 0) - (other.standing.endedAt ?? 0))
          .slice(0, most);
        for (const { run } of old) forget(run.runId);
        return old.length;
      }),
    size: () => Promise.resolve(null),
    close: () => Promise.resolve(),
  };
}

/** Where the moments begin that come after a number. */
function placeAfter(moments: readonly Moment[], number: number): number {
  let low = 0;
  let high = moments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((moments[middle]?.number ?? 0) > number) high = middle;
    else low = middle + 1;
  }
  return low;
}

function summaryOf({ run, standing, facts }: Entry): RunSummary {
  const { runId, workflow, version, correlationId } = run;
  return {
    runId,
    workflow,
    version,
    correlationId,
    ...standing,
    startedAt: facts[0]?.at ?? 0,
    owned: standing.endedAt === null,
  };
}

function pageOf(newestFirst: readonly RunSummary[], query: RunQuery): readonly RunSummary[] {
  const { status, workflow, since = 0, until = Infinity, text = "", limit = 100, after } = query;
  const start = newestFirst.findIndex(({ runId }) => runId === after) + 1;
  return newestFirst.slice(start)
    .filter((run) =>
      (status === undefined || run.status === status) &&
      (workflow === undefined || run.workflow === workflow) && run.startedAt >= since &&
      run.startedAt < until &&
      (run.runId.includes(text) || run.correlationId.includes(text))
    )
    .slice(0, limit);
}

/** What is thrown becomes a rejection, as with a journal that has to wait. */
function attempt<T>(action: () => T): Promise<T> {
  try {
    return Promise.resolve(action());
  } catch (thrown) {
    return Promise.reject(thrown);
  }
}
