import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { Engine } from "../../src/engine/engine.ts";
import { MaestroError } from "../../src/errors.ts";
import { sqliteJournal } from "../../src/store/sqlite/journal.ts";
import { MIGRATIONS } from "../../src/store/sqlite/migrations.ts";
import { JumpingClock } from "../support/clock.ts";
import { workflowOf } from "../support/engines.ts";
import { factAt, newRun } from "../support/exercise_journal.ts";
import { fromFileUrl } from "../support/paths.ts";
import { type TempFiles, tempFiles } from "../support/temp_files.ts";
import { World } from "../support/world.ts";

const NEWER = MIGRATIONS.length + 1;

function failsWith(code: string, message: string) {
  return (thrown: unknown) => {
    assert.ok(thrown instanceof MaestroError, `${thrown}`);
    assert.deepEqual([thrown.code, thrown.message], [code, message]);
    return true;
  };
}

/** Digests of what is in the files of a folder, by their names. */
function filesIn(folder: string): Map<string, string> {
  return new Map(
    [...Deno.readDirSync(folder)].map(({ name }) => name).sort().map((name) => {
      const bytes = Deno.readFileSync(`${folder}/${name}`);
      return [name, createHash("sha256").update(bytes).digest("hex")];
    }),
  );
}

async function storeIn(files: TempFiles): Promise<string> {
  const path = files.path("maestro.db");
  const journal = sqliteJournal(path);
  await journal.append(await journal.create(newRun("r1"), "me"), [factAt(1)]);
  await journal.close();
  return path;
}

function newerMessage(path: string): string {
  return `Cannot use the store "${path}": a newer Maestro wrote it (version ${NEWER}; this program knows up to ${MIGRATIONS.length}); use that one, or name another store`;
}

Deno.test("a store that a newer Maestro wrote is refused, and not touched", async () => {
  await using files = await tempFiles({});
  const path = await storeIn(files);
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA user_version = ${NEWER}`);
  db.close();
  const before = filesIn(files.directory);
  for (const mustExist of [true, false]) {
    assert.throws(
      () => sqliteJournal(path, { mustExist }),
      failsWith("STORE_FAILED", newerMessage(path)),
    );
    assert.deepEqual(filesIn(files.directory), before);
  }
});

Deno.test("a store that a newer Maestro was killed over is refused, and its log is kept as it is", async () => {
  await using files = await tempFiles({});
  await using killed = await tempFiles({});
  const path = await storeIn(files);
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA wal_autocheckpoint = 0; CREATE TABLE new (x); PRAGMA user_version = ${NEWER}`);
  for (const end of ["", "-wal"]) Deno.copyFileSync(path + end, killed.path(`maestro.db${end}`));
  db.close();
  const copy = killed.path("maestro.db");
  const before = filesIn(killed.directory);
  assert.throws(() => sqliteJournal(copy), failsWith("STORE_FAILED", newerMessage(copy)));
  const after = filesIn(killed.directory);
  after.delete("maestro.db-shm"); // says nothing: an index of the log, made anew each time
  assert.deepEqual(after, before);
});

Deno.test("a store that a newer Maestro is at work in is refused, and that one goes on", async () => {
  await using files = await tempFiles({});
  const path = await storeIn(files);
  const db = new DatabaseSync(path);
  db.exec(
    `CREATE TABLE new (x); PRAGMA user_version = ${NEWER}; BEGIN; INSERT INTO new VALUES (1)`,
  );
  assert.throws(() => sqliteJournal(path), failsWith("STORE_FAILED", newerMessage(path)));
  db.exec("COMMIT");
  assert.deepEqual({ ...db.prepare("SELECT x FROM new").get() }, { x: 1 });
  db.close();
});

Deno.test("a store of every version, also an empty file, is brought up to date, and only once", async () => {
  for (let from = 0; from <= MIGRATIONS.length; from++) {
    await using files = await tempFiles({});
    const path = files.path("maestro.db");
    const db = new DatabaseSync(path);
    for (const step of MIGRATIONS.slice(0, from)) db.exec(step);
    db.exec(`PRAGMA user_version = ${from}`);
    if (from > 0) db.exec(`PRAGMA application_id = ${0x4d414553}`); // "MAES"
    db.close();
    for (const id of ["r1", "r2"]) {
      const journal = sqliteJournal(path);
      await journal.append(await journal.create(newRun(id), "me"), [factAt(1)]);
      await journal.close();
    }
    const after = new DatabaseSync(path);
    const tables = (db: DatabaseSync) =>
      db.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").all();
    assert.equal(after.prepare("PRAGMA user_version").get()?.["user_version"], MIGRATIONS.length);
    const fresh = new DatabaseSync(":memory:");
    for (const step of MIGRATIONS) fresh.exec(step);
    assert.deepEqual(tables(after), tables(fresh));
    fresh.close();
    after.close();
  }
});

Deno.test("a store whose making was cut off by a kill is made by the next", async () => {
  await using files = await tempFiles({});
  const path = files.path("maestro.db");
  const migrations = fromFileUrl(new URL("../../src/store/sqlite/migrations.ts", import.meta.url));
  const half = `import { DatabaseSync } from "node:sqlite";
    import { MIGRATIONS } from ${JSON.stringify(migrations)};
    const db = new DatabaseSync(${JSON.stringify(path)});
    db.exec("PRAGMA journal_mode = WAL; PRAGMA cache_size = 1; BEGIN IMMEDIATE");
    for (const step of MIGRATIONS) db.exec(step);
    db.exec("INSERT INTO texts SELECT value, hex(randomblob(5000)) FROM generate_series(1, 50)".replace("generate_series(1, 50)", "json_each('[1,2,3,4,5,6,7,8,9]')"));
    Deno.kill(Deno.pid, "SIGKILL");`;
  const { signal } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", half],
    stderr: "null",
  }).output();
  assert.equal(signal, "SIGKILL");
  assert.ok(Deno.statSync(`${path}-wal`).size > 0, "it had written nothing yet");
  const journal = sqliteJournal(path);
  assert.deepEqual(await journal.list({}), []);
  assert.equal(await journal.kept("1"), undefined);
  await journal.append(await journal.create(newRun("r1"), "me"), [factAt(1)]);
  await journal.close();
});

Deno.test("several processes that make the same store at the same moment all have it", async () => {
  await using files = await tempFiles({});
  const journal = fromFileUrl(new URL("../../src/store/sqlite/journal.ts", import.meta.url));
  // Each makes the same stores, one after the other, at the same moments.
  const maker = `import { sqliteJournal } from ${JSON.stringify(journal)};
    const first = Date.now() + 1_000 - Date.now() % 500;
    for (let index = 0; index < 60; index++) {
      while (Date.now() < first + 50 * index);
      const journal = sqliteJournal(${JSON.stringify(files.directory)} + "/" + index + ".db");
      await journal.list({});
      await journal.close();
    }`;
  const makers = Array.from(
    { length: 3 },
    () => new Deno.Command(Deno.execPath(), { args: ["eval", maker] }).output(),
  );
  for (const { code, stderr } of await Promise.all(makers)) {
    assert.deepEqual([code, new TextDecoder().decode(stderr)], [0, ""]);
  }
});

Deno.test("a run with a fact of a newer Maestro is not gone on with, and stays as it is; others go on", async () => {
  await using files = await tempFiles({});
  const path = files.path("maestro.db");
  const clock = new JumpingClock();
  const world = new World({ "shop/Do": { answer: {} } }, clock);
  const workflow = workflowOf(`name: w
services: { shop: { endpoint: "shop:1" } }
steps:
  - { id: word, await_signal: word }
  - { id: a, service: shop, method: Do }
`);
  const open = () =>
    new Engine({ caller: world.caller(), clock, journal: sqliteJournal(path), random: () => 0 });
  try {
    const first = open();
    for (const runId of ["new", "old"]) await first.start(workflow, { runId });
    await first.close();
    const db = new DatabaseSync(path);
    const of = "run = (SELECT no FROM runs WHERE id = 'new')";
    db.exec(
      `INSERT INTO moments (run, seq, facts) SELECT no, 3,
        json_array(json_object('v', 2, 'seq', 3, 'at', 0, 'kind', 'dreamt'))
      FROM runs WHERE id = 'new'`,
    );
    const kept = () => db.prepare(`SELECT * FROM moments WHERE ${of}`).all();
    const before = kept();

    const second = open();
    const message =
      "Cannot read a fact of version 2: a newer Maestro wrote it; go on with that one";
    const refused = failsWith("STORE_FAILED", message);
    await assert.rejects(second.resume("new"), refused);
    await assert.rejects(second.signal("new", "word"), refused);
    await assert.rejects(second.cancel("new"), refused);
    const run = await second.signal("old", "word");
    assert.equal((await run?.result())?.status, "completed");
    await second.close();
    assert.deepEqual(kept(), before);
    assert.equal(
      db.prepare(`SELECT ended_at FROM runs WHERE id = 'new'`).get()?.["ended_at"],
      null,
    );
    db.close();
    assert.deepEqual(world.effects, ["old/a/action"]);
  } finally {
    clock.stop();
  }
});
