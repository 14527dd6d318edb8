/**
 * A journal that kills its process at a write, and notes beside it what it was asked to write.
 *
 * @module
 */
import type { Journal, StoredFact } from "../../mod.ts";

/** The moments of a write at which the process may die. */
export const MOMENTS = ["before", "within", "after"] as const;

/** The write at which the process dies. */
export interface Fall {
  /** Counts the writes for this run and its children, from 1; all writes where it is `null`. */
  readonly run: string | null;
  readonly write: number;
  readonly moment: typeof MOMENTS[number];
  /** With `within`: how long into the write, in microseconds. */
  readonly delay: number;
}

/** What was asked of a journal: facts `from` to `to` of a run, and later, that they are durable. */
export interface Noted {
  readonly run: string;
  readonly from: number;
  readonly to: number;
  readonly durable: boolean;
}

/** Where notes go: to a file that outlives the process. */
export type Note = (noted: Noted) => void;

/** Puts death, if any, and notes around a journal. */
export async function deadlyJournal(
  inner: Journal,
  note: Note,
  fall: Fall | null,
): Promise<Journal> {
  const dieSoon = fall?.moment === "within" ? await killer() : () => {};
  let writes = 0;

  async function write<T>(run: string | null, action: () => Promise<T>): Promise<T> {
    const isCounted = fall !== null &&
      (fall.run === null || run === fall.run || run?.startsWith(`${fall.run}/`));
    if (!isCounted || ++writes !== fall.write) return await action();
    if (fall.moment === "before") die();
    if (fall.moment === "within") dieSoon(fall.delay);
    try {
      await action();
    } catch (thrown) {
      writes--; // nothing was written: the next one is meant
      throw thrown;
    }
    return die();
  }

  return {
    ...inner,
    claim: (runId, owner) => write(runId, () => inner.claim(runId, owner)),
    async *adopt(owner) {
      const adopted = await write(null, () => Array.fromAsync(inner.adopt(owner)));
      yield* adopted;
    },
    append: (claim, facts, standing) =>
      write(claim.runId, async () => {
        const noted = rangeOf(claim.runId, facts);
        note({ ...noted, durable: false });
        await inner.append(claim, facts, standing);
        note({ ...noted, durable: true });
      }),
    keep: (claim, text) => write(claim.runId, () => inner.keep(claim, text)),
  };
}

/** A journal that says it has written, and has not. */
export function lyingJournal(inner: Journal): Journal {
  return { ...inner, append: () => Promise.resolve() };
}

function rangeOf(run: string, facts: readonly StoredFact[]) {
  return { run, from: facts[0]?.seq ?? 0, to: facts.at(-1)?.seq ?? 0 };
}

/** Ends this process as a power cut would: nothing of it goes on. */
export function die(): never {
  Deno.kill(Deno.pid, "SIGKILL");
  for (;;); // until the signal is there
}

/** A second thread that kills the process while this one is in a write. */
async function killer(): Promise<(delay: number) => void> {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL("./killer.ts", import.meta.url), { type: "module" });
  await new Promise((resolve) => worker.onmessage = resolve);
  worker.postMessage(flag);
  return (delay) => {
    Atomics.store(flag, 0, delay + 1);
    Atomics.notify(flag, 0);
  };
}
