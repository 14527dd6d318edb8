/** The program, whose store fails: one clear message, exit code 4, and the runs go on once it is mended. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { MIGRATIONS } from "../../src/store/sqlite/migrations.ts";
import { type Desk, deskTest, DONE } from "../cli/desk.ts";
import { command, ended, maestro } from "../cli/program.ts";
import { Disk, skipped } from "./system.ts";

const STEPS = `${DONE}  - { id: second, service: desk, method: Slow, input: { text: two } }
  - { id: third, service: desk, method: Do, input: { text: three } }
`;

const STORE = "maestro.db";
const PLAIN = ["--output", "pretty"];

/** Does something at its default path, in a folder that is made for it. */
async function inFolder(desk: Desk, make: (path: string) => Promise<void> | void): Promise<void> {
  await Deno.mkdir(`${desk.folder}/.maestro`);
  await make(`${desk.folder}/.maestro/${STORE}`);
}

const FAULTS: readonly {
  readonly name: string;
  readonly make: (path: string) => Promise<void> | void;
  readonly says: string;
}[] = [
  {
    name: "is a text file",
    make: (path) => Deno.writeTextFile(path, "Dear diary\n"),
    says: 'Cannot use the store ".maestro/maestro.db": it is no SQLite database; name another file',
  },
  {
    name: "is a folder",
    make: (path) => Deno.mkdir(path),
    says: 'Cannot use ".maestro/maestro.db" as a store: it is a folder; name a file in it',
  },
  {
    name: "is another program's",
    make(path) {
      const db = new DatabaseSync(path);
      db.exec("CREATE TABLE songs (title TEXT)");
      db.close();
    },
    says:
      'Cannot use ".maestro/maestro.db" as a store: it is another program\'s database; name another file',
  },
  {
    name: "is a newer Maestro's",
    make(path) {
      const db = new DatabaseSync(path);
      db.exec(`PRAGMA application_id = ${0x4d414553}; PRAGMA user_version = 1000`); // "MAES"
      db.close();
    },
    says:
      `Cannot use the store ".maestro/maestro.db": a newer Maestro wrote it (version 1000; this program knows up to ${MIGRATIONS.length}); use that one, or name another store`,
  },
];

for (const { name, make, says } of FAULTS) {
  deskTest(`every command says so where the store ${name}, and ends with 4`, async (desk) => {
    await inFolder(desk, make);
    const file = await desk.workflow("three", STEPS);
    for (
      const args of [
        ["run", file, "--set", "text=hi", ...PLAIN],
        ["runs", "list", ...PLAIN],
        ["runs", "resume", ...PLAIN],
        ["runs", "show", "order-1", ...PLAIN],
        ["runs", "cancel", "order-1", ...PLAIN],
      ]
    ) {
      const { code, stdout, stderr } = await maestro(args, { cwd: desk.folder });
      assert.deepEqual([args[1], code, stdout, stderr], [args[1], 4, "", `error: ${says}\n`]);
    }
    assert.deepEqual(desk.calls, []);
  });
}

deskTest(
  "a store that must be there and is not is said to be missing, and is not made",
  async (desk) => {
    const { code, stdout, stderr } = await maestro(["runs", "resume", ...PLAIN], {
      cwd: desk.folder,
    });
    assert.deepEqual([code, stdout], [4, ""]);
    assert.match(stderr, /^error: There is no store at "\.maestro\/maestro\.db"/);
    assert.equal(stderr.trim().split("\n").length, 1);
    await assert.rejects(Deno.stat(`${desk.folder}/.maestro`), Deno.errors.NotFound);
  },
);

/** Runs a workflow whose store fails while its second step is under way, and then again. */
async function struck(
  desk: Desk,
  strike: (folder: string) => Promise<void>,
  mend: (folder: string) => Promise<void>,
  says: RegExp,
): Promise<void> {
  const file = await desk.workflow("three", STEPS);
  const folder = `${desk.folder}/.maestro`;
  const args = ["run", file, "--set", "text=hi", "--run-id", "order-1", "--quiet", ...PLAIN];
  const slow = desk.slowCall();
  const child = command(args, { cwd: desk.folder }).spawn();
  await Promise.race([slow, child.status]);
  await strike(folder);
  desk.release();
  const { code, stdout, stderr } = await ended(child, args);
  assert.deepEqual([code, stdout], [4, ""]);
  assert.match(stderr, says);
  assert.doesNotMatch(stderr, /\n\s+at .*\.ts/, "a stack trace");
  assert.deepEqual(desk.calls, ["Do hi", "Slow two"]);

  await mend(folder);
  const resumed = await maestro(["runs", "resume", "order-1"], { cwd: desk.folder });
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.equal(JSON.parse(resumed.stdout).status, "completed");
  // Whether the answer was still kept depends on the fault; where it was not, it is asked for again.
  assert.deepEqual([...new Set(desk.calls)], ["Do hi", "Slow two", "Do three"]);
  assert.equal(desk.calls.filter((call) => call !== "Slow two").length, 2);
}

deskTest(
  "a run whose store is moved away under it ends with 4, and goes on when it is back",
  (desk) =>
    struck(
      desk,
      (folder) => Deno.rename(`${folder}/${STORE}`, `${folder}/away`),
      (folder) => Deno.rename(`${folder}/away`, `${folder}/${STORE}`),
      /^error: Cannot use the store ".*": its file was deleted or replaced under the running program; put it back, then go on with what is open\n/,
    ),
);

deskTest("a run whose disk fills up ends with 4, and goes on when there is room", async (desk) => {
  await Deno.mkdir(`${desk.folder}/.maestro`);
  await using disk = await Disk.of(`${desk.folder}/.maestro`, "1m");
  if (disk === null) return skipped("a full disk");
  await struck(
    desk,
    async (folder) => {
      using filler = await Deno.create(`${folder}/filler`);
      const page = new Uint8Array(4_096);
      try {
        for (;;) await filler.write(page);
      } catch { /* it is full */ }
    },
    (folder) => Deno.remove(`${folder}/filler`),
    /^error: Cannot use the store ".*": the disk is full; make room, then go on with what is open\n/,
  );
});
