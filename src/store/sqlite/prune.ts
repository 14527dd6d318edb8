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
  const drop = db.prepare(
    "DELETE FROM runs WHERE no IN (SELECT no FROM runs r WHERE root IS NULL AND ended_at < ? " +
      "AND NOT EXISTS (SELECT 1 FROM runs c WHERE c.root = r.no AND c.ended_at IS NULL) LIMIT ?)",
  );
  let dropped = 0;
  for (;;) {
    const more = await commit.write(() => Number(drop.run(endedBefore, AT_ONCE).changes));
    dropped += more;
    if (more < AT_ONCE) break;
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
