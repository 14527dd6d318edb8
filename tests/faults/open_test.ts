import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { MaestroError } from "../../src/errors.ts";
import { sqliteJournal } from "../../src/store/sqlite/journal.ts";
import { factAt, newRun } from "../support/exercise_journal.ts";
import { tempFiles } from "../support/temp_files.ts";

/** A store with runs in it, closed. */
async function storeAt(path: string, runs = 200): Promise<void> {
  const journal = sqliteJournal(path);
  const text = { digest: "d", text: "x".repeat(20_000) };
  await Promise.all(Array.from({ length: runs }, async (_, index) => {
    const claim = await journal.create(newRun(`run-${index}`, { texts: [text] }), "me");
    await journal.append(claim, [{ ...factAt(1), note: "y".repeat(300) }]);
  }));
  await journal.close();
}

/** Opens a store, reads and writes all there is in it, and gives the message with which that fails. */
async function use(path: string, mustExist = false): Promise<string> {
  try {
    const journal = sqliteJournal(path, { mustExist });
    try {
      for (const { runId } of await journal.list({ limit: 1_000 })) {
        await Array.fromAsync(journal.read(runId));
      }
      const claim = await journal.create(newRun(crypto.randomUUID()), "me");
      await journal.append(claim, [factAt(1)]);
    } finally {
      await journal.close();
    }
  } catch (thrown) {
    assert.ok(thrown instanceof MaestroError, `${thrown}`);
    assert.equal(thrown.code, "STORE_FAILED");
    return thrown.message;
  }
  return "";
}

/** The names in a folder. */
function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

/** The pages of a table, from 1. */
function pagesOf(path: string, table: string): { pages: number[]; size: number } {
  const db = new DatabaseSync(path);
  try {
    const rows = db.prepare("SELECT pageno FROM dbstat WHERE name = ? ORDER BY pageno").all(table);
    const { page_size: size } = db.prepare("PRAGMA page_size").get() as { page_size: number };
    return { pages: rows.map((row) => Number(row["pageno"])), size };
  } finally {
    db.close();
  }
}

async function overwrite(path: string, at: number, length: number): Promise<void> {
  using file = await Deno.open(path, { write: true });
  await file.seek(at, Deno.SeekMode.Start);
  const garbage = crypto.getRandomValues(new Uint8Array(Math.min(length, 65_536)));
  await file.write(garbage);
}

interface Case {
  readonly name: string;
  /** Makes what is at the path, and gives the path to use, if that is another. */
  readonly make: (path: string) => Promise<string | void> | string | void;
  readonly says: RegExp;
}

const DAMAGED = /^Cannot use the store ".*": the file is damaged; put a copy back, or save what/;
const NO_DATABASE = /^Cannot use the store ".*": it is no SQLite database; name another file$/;

const CASES: readonly Case[] = [
  {
    name: "a text file",
    make: (path) => Deno.writeTextFileSync(path, "Dear diary\n".repeat(500)),
    says: NO_DATABASE,
  },
  {
    name: "a short text file",
    make: (path) => Deno.writeTextFileSync(path, "Dear diary\n"),
    says: NO_DATABASE,
  },
  {
    name: "a damaged header",
    async make(path) {
      await storeAt(path);
      await overwrite(path, 0, 100);
    },
    says: NO_DATABASE,
  },
  {
    name: "a file that was cut off",
    async make(path) {
      await storeAt(path);
      await Deno.truncate(path, 30_000);
    },
    says: DAMAGED,
  },
  ...["moments", "runs"].map((table): Case => ({
    name: `garbage in the pages of ${table}`,
    async make(path) {
      await storeAt(path);
      const { pages, size } = pagesOf(path, table);
      for (const page of pages) await overwrite(path, (page - 1) * size, size);
    },
    says: DAMAGED,
  })),
  {
    name: "garbage in the page of the tables' names",
    async make(path) {
      await storeAt(path);
      await overwrite(path, 100, 3_900);
    },
    says: DAMAGED,
  },
  {
    name: "another program's database",
    make(path) {
      const db = new DatabaseSync(path);
      db.exec("CREATE TABLE songs (title TEXT)");
      db.close();
    },
    says: /^Cannot use ".*" as a store: it is another program's database; name another file$/,
  },
  {
    name: "another program's database with a version",
    make(path) {
      const db = new DatabaseSync(path);
      db.exec("PRAGMA user_version = 1");
      db.close();
    },
    says: /^Cannot use ".*" as a store: it is another program's database; name another file$/,
  },
  {
    name: "a folder",
    make: (path) => Deno.mkdirSync(path),
    says: /^Cannot use ".*" as a store: it is a folder; name a file in it$/,
  },
  {
    name: "a file in the place of its folder",
    make(path) {
      Deno.writeTextFileSync(path, "");
      return `${path}/maestro.db`;
    },
    says: /^Cannot use the store ".*": a part of its path is a file, where a folder should be;/,
  },
  {
    name: "a file further up in its path",
    make(path) {
      Deno.writeTextFileSync(path, "");
      return `${path}/a/b/maestro.db`;
    },
    says: /^Cannot use the store ".*": a part of its path is a file, where a folder should be;/,
  },
];

for (const { name, make, says } of CASES) {
  Deno.test(`a store at ${name} is refused in one clear sentence`, async () => {
    await using files = await tempFiles({});
    const path = files.path("maestro.db");
    const used = await make(path) ?? path;
    const before = namesIn(files.directory);
    const message = await use(used);
    assert.match(message, says);
    assert.ok(message.includes(`"${used}"`) && !message.includes("\n"), message);
    assert.deepEqual(namesIn(files.directory), before, "files were left behind");
  });
}

Deno.test("an empty file becomes a store, but not where one must be there", async () => {
  await using files = await tempFiles({ "maestro.db": "" });
  const path = files.path("maestro.db");
  assert.equal(await use(path, true), `There is no store at "${path}"`);
  assert.equal(await use(path), "");
  assert.equal(await use(path, true), "");
});

Deno.test("a store that must be there is not made, nor its folder", async () => {
  await using files = await tempFiles({});
  const path = files.path("no/maestro.db");
  assert.equal(await use(path, true), `There is no store at "${path}"`);
  assert.deepEqual(namesIn(files.directory), []);
});

Deno.test("a store in a folder that is not there yet is made with it", async () => {
  await using files = await tempFiles({});
  assert.equal(await use(files.path("a/b/maestro.db")), "");
});
