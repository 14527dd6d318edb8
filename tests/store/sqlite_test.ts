import assert from "node:assert/strict";
import { sqliteJournal } from "../../src/store/sqlite/journal.ts";
import { exerciseJournal, factAt, newRun } from "../support/exercise_journal.ts";

exerciseJournal("SQLite", async () => {
  const folder = await Deno.makeTempDir();
  const journal = sqliteJournal(`${folder}/store/maestro.db`);
  return {
    ...journal,
    close: async () => {
      await journal.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
});

Deno.test("a run that never had a fact leaves no trace in a SQLite journal", async () => {
  const folder = await Deno.makeTempDir();
  const journal = sqliteJournal(`${folder}/maestro.db`);
  try {
    await journal.create(newRun("r1"), "me");
    await journal.append(await journal.create(newRun("r2"), "me"), [factAt(1)]);
    assert.deepEqual((await journal.list({})).map(({ runId }) => runId), ["r2"]);
  } finally {
    await journal.close();
    await Deno.remove(folder, { recursive: true });
  }
});
