import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { Standing } from "../../src/engine/doors.ts";
import { sqliteJournal, timedSqliteJournal } from "../../src/store/sqlite/journal.ts";
import { TIMING } from "../../src/store/sqlite/timing.ts";
import { exerciseJournal, factAt, newRun } from "../support/exercise_journal.ts";
import { tempFiles } from "../support/temp_files.ts";

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

Deno.test("a run that could not be begun can be begun again under its id", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/maestro.db`;
  const journal = timedSqliteJournal(path, {}, { ...TIMING, busyTimeout: 20 });
  const locker = new DatabaseSync(path);
  try {
    const claim = await journal.create(newRun("r1"), "me");
    await new Promise((resolve) => setTimeout(resolve, 10));
    locker.exec("BEGIN IMMEDIATE");
    await assert.rejects(journal.append(claim, [factAt(1)]), { code: "STORE_FAILED" });
    locker.exec("COMMIT");
    await journal.append(await journal.create(newRun("r1"), "me"), [factAt(1)]);
  } finally {
    locker.close();
    await journal.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("while another process has the store locked, all else goes on, and what waits is written then", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/maestro.db`;
  const journal = sqliteJournal(path);
  const locker = new DatabaseSync(path);
  try {
    const locked = async (...writing: Promise<unknown>[]) => {
      let isWritten = false;
      for (const one of writing) one.then(() => isWritten = true);
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(isWritten, false);
      assert.deepEqual(await journal.list({}), [], "what is committed can be read meanwhile");
      locker.exec("COMMIT");
      await Promise.all(writing);
    };
    locker.exec("BEGIN EXCLUSIVE");
    const claims = ["r1", "r2"].map((id) => journal.create(newRun(id), "me"));
    await locked(...claims);
    await new Promise((resolve) => setTimeout(resolve, 50)); // what made the claims is committed
    locker.exec("BEGIN EXCLUSIVE");
    await locked(...claims.map(async (claim) => await journal.append(await claim, [factAt(1)])));
    const runs = await journal.list({});
    assert.deepEqual(runs.map(({ runId }) => runId).sort(), ["r1", "r2"]);
  } finally {
    locker.close();
    await journal.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("what one run wants to write and can't spoils nothing for the others of the moment", async () => {
  const folder = await Deno.makeTempDir();
  const journal = sqliteJournal(`${folder}/maestro.db`);
  try {
    const [one, other] = [
      await journal.create(newRun("r1"), "me"),
      await journal.create(newRun("r2"), "me"),
    ];
    const unspeakable = { ...factAt(1), input: 1n as unknown as number };
    const far = { status: "running", endedAt: null, sleepsUntil: Infinity } as const;
    const [refused, kept] = await Promise.allSettled([
      journal.append(one, [unspeakable]),
      journal.append(other, [factAt(1)], far),
    ]);
    assert.deepEqual([refused.status, kept.status], ["rejected", "fulfilled"]);
    assert.deepEqual((await journal.list({})).map(({ runId }) => runId), ["r2"]);
  } finally {
    await journal.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("runs are dropped in more than one transaction where they are many, and one with an open child run is not", async () => {
  await using files = await tempFiles({});
  const journal = sqliteJournal(files.path("maestro.db"));
  const ended = { status: "completed", endedAt: 1_000, sleepsUntil: undefined } as const;
  const begin = async (id: string, standing?: Standing) =>
    await journal.append(await journal.create(newRun(id), "me"), [factAt(1)], standing);
  try {
    await begin("open");
    await begin("open/child");
    await journal.append(await journal.claim("open", "me"), [factAt(2)], ended);
    const many = Array.from({ length: 1_100 }, (_, index) => `run-${index}`);
    await Promise.all(many.map((id) => begin(id, ended)));
    assert.equal(await journal.prune(2_000), many.length);
    assert.deepEqual((await journal.list({})).map(({ runId }) => runId), ["open"]);
    await journal.append(await journal.claim("open/child", "me"), [factAt(2)], ended);
    assert.equal(await journal.prune(2_000), 1);
  } finally {
    await journal.close();
  }
});
