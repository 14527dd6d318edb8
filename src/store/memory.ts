import type { Claim, Journal, StoredFact } from "../engine/doors.ts";
import { MaestroError } from "../errors.ts";

interface Entry {
  token: number;
  ended: boolean;
  readonly facts: StoredFact[];
}

/** How a journal in memory is made. */
export interface MemoryJournalOptions {
  /** How many ended runs it remembers, the newest; a process that lives long must not fill up. @default 1,000 */
  readonly remember?: number;
}

/** A journal that lasts as long as the process: for tests, and for runs nobody needs to resume. */
export function memoryJournal({ remember = 1_000 }: MemoryJournalOptions = {}): Journal {
  const runs = new Map<string, Entry>();
  /** The ids of ended runs, oldest first. */
  const ended = new Set<string>();
  const texts = new Map<string, string>();

  function entryOf(runId: string): Entry {
    const entry = runs.get(runId);
    if (entry === undefined) throw new MaestroError("RUN_NOT_FOUND", `There is no run "${runId}"`);
    return entry;
  }

  return {
    create(runId, owner) {
      return attempt(() => {
        if (runs.has(runId)) {
          throw new MaestroError("RUN_EXISTS", `There is a run "${runId}" already`);
        }
        runs.set(runId, { token: 1, ended: false, facts: [] });
        return { runId, owner, token: 1 };
      });
    },
    claim(runId, owner) {
      return attempt(() => ({ runId, owner, token: ++entryOf(runId).token }));
    },
    append(claim: Claim, facts) {
      return attempt(() => {
        const entry = entryOf(claim.runId);
        if (claim.token !== entry.token) {
          throw new MaestroError("CLAIM_LOST", `Another owner has taken over run "${claim.runId}"`);
        }
        entry.facts.push(...facts);
        if (entry.ended || facts.at(-1)?.kind !== "run_ended") return;
        entry.ended = true;
        ended.add(claim.runId);
        if (ended.size <= remember) return;
        for (const oldest of ended) {
          ended.delete(oldest);
          entryOf(oldest).facts.length = 0; // the map's old tables may hold the entry for a while yet
          runs.delete(oldest);
          return;
        }
      });
    },
    async *read(runId) {
      yield* entryOf(runId).facts.slice();
    },
    async *unfinished() {
      for (const [runId, entry] of [...runs]) if (!entry.ended) yield runId;
    },
    keep: (digest, text) => attempt(() => void texts.set(digest, text)),
    kept: (digest) => Promise.resolve(texts.get(digest)),
    close: () => Promise.resolve(),
  };
}

/** What is thrown becomes a rejection, as with a journal that has to wait. */
function attempt<T>(action: () => T): Promise<T> {
  try {
    return Promise.resolve(action());
  } catch (thrown) {
    return Promise.reject(thrown);
  }
}
