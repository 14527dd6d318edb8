import type { Journal } from "../mod.ts";
import { memoryJournal } from "../mod.ts";

/**
 * A journal in memory that lets go of a run once it has ended.
 *
 * @param onAttempt hears of every attempt
 */
export function forgetfulJournal(onAttempt: () => void): Journal {
  const inner = memoryJournal({ remember: 0 });
  return {
    ...inner,
    async append(claim, facts, standing) {
      for (const { kind } of facts) if (kind === "attempt_started") onAttempt();
      await inner.append(claim, facts, standing);
    },
  };
}
