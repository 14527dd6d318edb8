import type { DatabaseSync } from "node:sqlite";
import type { GroupCommit } from "./group_commit.ts";

/** How many root runs are dropped in one transaction: others, who write meanwhile, must not wait for long. */
const AT_ONCE = 200;

/** Drops the runs that ended before a moment, and the texts that no run needs any more. @returns how many roots */
export async function pruneRuns(
  db: DatabaseSync,
  commit: GroupCommit,
  endedBefore: number,
): Promise<number> {
  const find = db.prepare(
    "SELECT no FROM runs r WHERE root IS NULL AND no > ? AND ended_at < ? " +
      "AND NOT EXISTS (SELECT 1 FROM runs c WHERE c.root = r.no AND c.ended_at IS NULL) " +
      "ORDER BY no LIMIT ?",
  );
  const drop = db.prepare("DELETE FROM runs WHERE no IN (SELECT value FROM json_each(?))");
  let dropped = 0;
  for (let last = 0;;) {
    const numbers = await commit.write(() => {
      const rows = find.all(last, endedBefore, AT_ONCE) as { no: number }[];
      const numbers = rows.map(({ no }) => no);
      drop.run(JSON.stringify(numbers));
      return numbers;
    });
    dropped += numbers.length;
    if (numbers.length < AT_ONCE) break;
    last = numbers.at(-1) ?? last;
  }
  if (dropped > 0) {
    await commit.write(() => {
      db.exec(
        "DELETE FROM texts WHERE digest NOT IN " +
          "(SELECT value FROM (SELECT DISTINCT texts FROM runs) r, json_each(r.texts))",
      );
    });
  }
  return dropped;
}
