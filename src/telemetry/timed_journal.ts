import type { Journal } from "../engine/doors.ts";

/** A journal that tells how long facts take until they would survive a power cut, in milliseconds. */
export function timedJournal(journal: Journal, hear: (milliseconds: number) => void): Journal {
  const append: Journal["append"] = async (claim, facts, standing) => {
    const began = performance.now();
    await journal.append(claim, facts, standing);
    hear(performance.now() - began);
  };
  return new Proxy(journal, {
    get(target, key) {
      if (key === "append") return append;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
