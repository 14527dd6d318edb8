import type { Claim, Journal, StoredFact } from "../engine/doors.ts";
import { MaestroError } from "../errors.ts";

interface Entry {
  token: number;
  ended: boolean;
  readonly facts: StoredFact[];
  /** The ids of its child runs, which are kept as long as it is. */
  readonly children: string[];
}

/** How a journal in memory is made. */
export interface MemoryJournalOptions {
  /** How many ended runs it remembers, the newest; a process that lives long must not fill up. @default 1,000 */
  readonly remember?: number;
}

/** A journal that lasts as long as the process: for tests, and for runs nobody needs to resume. */
export function memoryJournal({ remember = 1_000 }: MemoryJournalOptions = {}): Journal {
  const runs = new Map<string, Entry>();
  const texts = new Map<string, string>();
  /** The ids of ended runs that are no children, oldest first; those before `first` are forgotten. */
  let ended: string[] = [];
  let first = 0;

  function entryOf(runId: string): Entry {
    const entry = runs.get(runId);
    if (entry === undefined) throw new MaestroError("RUN_NOT_FOUND", `There is no run "${runId}"`);
    return entry;
  }

  /** The run at the root of a child run's; `undefined` for a run that is no child. */
  function rootOf(runId: string): Entry | undefined {
    const slash = runId.indexOf("/");
    return slash < 0 ? undefined : runs.get(runId.slice(0, slash));
  }

  function forgetOldest(): void {
    const runId = ended[first++] ?? "";
    const { facts, children } = entryOf(runId);
    facts.length = 0; // the map's old tables may hold the entry for a while yet
    for (const child of children) runs.delete(child);
    runs.delete(runId);
    if (first < 1_000) return;
    ended = ended.slice(first);
    first = 0;
  }

  return {
    create(runId, owner) {
      if (runs.has(runId)) {
        return Promise.reject(
          new MaestroError("RUN_EXISTS", `There is a run "${runId}" already`),
        );
      }
      rootOf(runId)?.children.push(runId);
      runs.set(runId, { token: 1, ended: false, facts: [], children: [] });
      return Promise.resolve({ runId, owner, token: 1 });
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
        for (const { kind } of facts) {
          if (kind === "run_ended") entry.ended = true;
          else if (kind === "rollback_started") entry.ended = false; // a child, with its parent
        }
        if (!entry.ended || rootOf(claim.runId) !== undefined) return;
        ended.push(claim.runId);
        if (ended.length - first > remember) forgetOldest();
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
