import type { Journal } from "../mod.ts";
import { memoryJournal } from "../mod.ts";

/**
 * A journal in memory that lets go of a run once it has ended. `memoryJournal()` keeps every run, so
 * that it can be looked up, and therefore grows with the number of runs.
 *
 * @param onAttempt hears of every attempt
 */
export function forgetfulJournal(onAttempt: () => void): Journal {
  const runs = new Map<string, Journal>();
  const texts = memoryJournal();
  const of = (runId: string) => runs.get(runId) ?? texts; // which says that there is no such run
  return {
    async create(runId, owner) {
      const journal = memoryJournal();
      runs.set(runId, journal);
      return await journal.create(runId, owner);
    },
    claim: (runId, owner) => of(runId).claim(runId, owner),
    async append(claim, facts) {
      for (const { kind } of facts) if (kind === "attempt_started") onAttempt();
      await of(claim.runId).append(claim, facts);
      if (facts.some(({ kind }) => kind === "run_ended")) runs.delete(claim.runId);
    },
    read: (runId) => of(runId).read(runId),
    async *unfinished() {
      yield* runs.keys();
    },
    keep: (digest, text) => texts.keep(digest, text),
    kept: (digest) => texts.kept(digest),
    close: () => Promise.resolve(),
  };
}
