import type { DatabaseSync } from "node:sqlite";
import type { GroupCommit } from "./group_commit.ts";
import type { Connections } from "./open.ts";

/** How many root runs are dropped in one transaction: others, who write meanwhile, must not wait for long. */
const AT_ONCE = 500;
/**
 * How long is rested after each, in milliseconds: who waits for SQLite's lock looks again every 25, and
 * would come too late again and again.
 */
const REST = 30;
/** How many runs are looked through at once for the texts that they need: this process must not stand still for long either. */
const LOOKED_THROUGH = 10_000;

/**
 * Drops the runs that ended before a moment, and the texts that no run needs any more. They are looked
 * for outside of the transactions in which they are dropped: however long that takes, nobody waits.
 *
 * @param onDropped texts are dropped in the transaction of this moment: which there are must be looked at again
 * @returns how many roots
 */
export async function pruneRuns(
  { writer, reader }: Connections,
  commit: GroupCommit,
  { endedBefore, most }: { readonly endedBefore: number; readonly most: number },
  onDropped: () => void,
): Promise<number> {
  const find = reader.prepare(
    "SELECT no, ended_at FROM runs r WHERE root IS NULL " +
      "AND (ended_at, no) > (?, ?) AND ended_at < ? " +
      "AND NOT EXISTS (SELECT 1 FROM runs c WHERE c.root = r.no AND c.ended_at IS NULL) " +
      "ORDER BY ended_at, no LIMIT ?",
  );
  const textsOf = reader.prepare(
    "SELECT DISTINCT texts FROM runs " +
      "WHERE no IN (SELECT value FROM json_each(?1)) OR root IN (SELECT value FROM json_each(?1))",
  );
  const drop = writer.prepare("DELETE FROM runs WHERE no IN (SELECT value FROM json_each(?))");
  const lists = new Set<string>();
  let dropped = 0;
  for (let last = { no: 0, ended_at: 0 }; dropped < most;) {
    const atOnce = Math.min(AT_ONCE, most - dropped);
    const found = find.all(last.ended_at, last.no, endedBefore, atOnce) as (typeof last)[];
    if (found.length === 0) break;
    last = found.at(-1) ?? last;
    const numbers = JSON.stringify(found.map(({ no }) => no));
    for (const { texts } of textsOf.all(numbers) as { texts: string }[]) lists.add(texts);
    dropped += Number(await commit.write(() => drop.run(numbers).changes));
    if (found.length === AT_ONCE) await new Promise((resolve) => setTimeout(resolve, REST));
  }
  const digests = new Set([...lists].flatMap((list) => JSON.parse(list) as string[]));
  await dropTexts({ writer, reader }, commit, digests, onDropped);
  return dropped;
}

/** Drops those of some texts that no run needs any more. */
async function dropTexts(
  { writer, reader }: Connections,
  commit: GroupCommit,
  digests: Set<string>,
  onDropped: () => void,
): Promise<void> {
  const newest = reader.prepare("SELECT coalesce(max(no), 0) AS no FROM runs").get() as {
    no: number;
  };
  const lists = reader.prepare("SELECT DISTINCT texts FROM runs WHERE no > ? AND no <= ?");
  // From the newest on, that go by what is in use.
  for (let last = newest.no; last > 0 && digests.size > 0; last -= LOOKED_THROUGH) {
    take(digests, lists.all(last - LOOKED_THROUGH, last));
    await new Promise((resolve) => setTimeout(resolve));
  }
  if (digests.size === 0) return;
  await commit.write(() => {
    // Meanwhile runs may have begun, or found schemas.
    take(digests, listsSince(writer, newest.no));
    const drop = writer.prepare("DELETE FROM texts WHERE digest = ?");
    for (const digest of digests) drop.run(digest);
    onDropped();
  });
}

function listsSince(db: DatabaseSync, no: number): unknown[] {
  return db.prepare(
    "SELECT texts FROM runs WHERE no > ? UNION SELECT texts FROM runs WHERE ended_at IS NULL",
  ).all(no);
}

/** Takes out what runs need. */
function take(digests: Set<string>, rows: readonly unknown[]): void {
  for (const { texts } of rows as { texts: string }[]) {
    for (const digest of JSON.parse(texts) as string[]) digests.delete(digest);
  }
}
