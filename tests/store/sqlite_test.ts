import { sqliteJournal } from "../../src/store/sqlite/journal.ts";
import { exerciseJournal } from "../support/exercise_journal.ts";

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
