import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { tempFiles } from "../support/temp_files.ts";
import { CountingService } from "./counting_service.ts";
import { Disk, skipped, system, WEAK } from "./system.ts";
import { checkDurable, doneIn, keptIn, keysOf, runVictim, THREE_STEPS, Victim } from "./victims.ts";

const FULL =
  /^Cannot use the store ".*": the disk is full; make room, then go on with what is open$/;

Deno.test("a disk that fills up in the middle of many runs stops them, and they go on when there is room", async () => {
  await using service = new CountingService();
  await using files = await tempFiles({});
  await using disk = await Disk.of(files.directory, "768k");
  if (disk === null) return skipped("a full disk");
  const store = files.path("maestro.db");
  const task = { store, port: service.port };
  await using starved = new Victim({
    ...task,
    act: "start",
    runs: 1_000,
    atOnce: 25,
    workflow: THREE_STEPS,
    stays: true,
  });
  await starved.says("lives");
  const arrived = service.arrivals.length;
  assert.ok(starved.failures.length > 0, "the disk is too large");
  for (const { code, message } of starved.failures) {
    assert.equal(code, "STORE_FAILED");
    assert.match(message, FULL);
  }
  assert.equal(await starved.ended(), 4);
  assert.equal(service.arrivals.length, arrived, "it went on sending");

  const full = await runVictim({ ...task, act: "resume" });
  assert.equal(full.code, 4);
  assert.ok(full.victim.failures.length > 0);
  for (const { message } of full.victim.failures) assert.match(message, FULL);

  await disk.resize("64m");
  const kept = await keptIn(store);
  for (const one of [starved, full.victim]) checkDurable(kept, service, one);
  const [done, before] = [doneIn(kept), service.arrivals.length];
  const { code, victim } = await runVictim({ ...task, act: "resume" });
  assert.deepEqual([code, victim.failures], [0, []]);
  const ids = new Set(
    [starved, full.victim, victim].flatMap(({ results }) => Object.keys(results)),
  );
  assert.deepEqual([...ids].sort(), [...kept.keys()].sort(), "not every run came to its end");
  assert.deepEqual(service.effects.sort(), keysOf(ids));
  const again = service.arrivals.slice(before).filter((key) => done.has(key));
  assert.deepEqual(again, [], "what was known to be done was asked for again");
});

/** Something that happens to the files under a running program. */
interface Accident {
  readonly name: string;
  readonly happen: (store: string) => Promise<unknown> | unknown;
  readonly mend: (store: string) => Promise<unknown> | unknown;
  readonly says: RegExp;
}

const GONE =
  /^Cannot use the store ".*": its file was deleted or replaced under the running program; put it back, then go on with what is open$/;

const ACCIDENTS: readonly Accident[] = [
  {
    name: "was moved away",
    happen: (store) => Deno.rename(store, `${store}.away`),
    mend: (store) => Deno.rename(`${store}.away`, store),
    says: GONE,
  },
  {
    name: "was deleted, of which there is a copy",
    async happen(store) {
      new DatabaseSync(store).exec(`VACUUM INTO '${store}.copy'`);
      await Deno.remove(store);
    },
    async mend(store) {
      for (const end of ["-wal", "-shm"]) await Deno.remove(store + end); // they are the old file's
      await Deno.rename(`${store}.copy`, store);
    },
    says: GONE,
  },
  {
    name: "was replaced by another",
    async happen(store) {
      const other = new DatabaseSync(`${store}.other`);
      other.exec(`ATTACH '${store}' AS store; CREATE TABLE t (x); DETACH store`);
      other.close();
      await Deno.link(store, `${store}.away`);
      await Deno.rename(`${store}.other`, store);
    },
    mend: (store) => Deno.rename(`${store}.away`, store),
    says: GONE,
  },
  {
    name: "lost its log",
    async happen(store) {
      await Deno.link(`${store}-wal`, `${store}-wal.away`);
      await Deno.remove(`${store}-wal`);
    },
    mend: (store) => Deno.rename(`${store}-wal.away`, `${store}-wal`),
    says: GONE,
  },
  {
    name: "lost its log's index",
    happen: (store) => Deno.remove(`${store}-shm`),
    mend: () => {},
    says: GONE,
  },
];

for (const { name, happen, mend, says } of ACCIDENTS) {
  Deno.test(`a store that ${name} stops the runs, which go on once that is mended`, async () => {
    await using service = new CountingService();
    await using files = await tempFiles({});
    const store = files.path("maestro.db");
    const task = { store, port: service.port };
    const ids = ["run-0", "run-1", "run-2", "run-3"];
    service.hold("Two");
    await using struck = new Victim({
      ...task,
      act: "start",
      runs: ids.length,
      workflow: THREE_STEPS,
      stays: true,
    });
    await service.came(2 * ids.length);
    await happen(store);
    service.release("Two");
    await struck.says("lives");
    assert.deepEqual(struck.failures.map(({ run }) => run).sort(), ids);
    for (const { code, message } of struck.failures) {
      assert.equal(code, "STORE_FAILED");
      assert.match(message, says);
    }
    assert.deepEqual(struck.results, {});
    assert.equal(service.arrivals.length, 2 * ids.length, "it went on sending");
    assert.equal(await struck.ended(), 4);

    await mend(store);
    const { code, victim } = await runVictim({ ...task, act: "resume" });
    assert.deepEqual([code, victim.failures], [0, []]);
    assert.deepEqual(Object.keys(victim.results).sort(), ids);
    checkDurable(await keptIn(store), service, victim);
    assert.deepEqual(service.effects.sort(), keysOf(ids));
  });
}

Deno.test("a store with a damaged page is refused, and its runs go on once a copy is put back", async () => {
  await using service = new CountingService();
  await using files = await tempFiles({});
  const store = files.path("maestro.db");
  const task = { store, port: service.port };
  const ids = Array.from({ length: 30 }, (_, index) => `run-${index}`);
  service.hold("Two");
  await using first = new Victim({ ...task, act: "start", runs: 30, workflow: THREE_STEPS });
  await service.came(2 * ids.length);
  first.kill("SIGKILL");
  await first.ended();
  service.release("Two");
  const db = new DatabaseSync(store);
  db.exec(`VACUUM INTO '${store}.copy'`);
  const pages = db.prepare("SELECT pageno FROM dbstat WHERE name = 'moments'").all();
  db.close(); // moves the log into the file
  {
    using file = await Deno.open(store, { write: true });
    for (const { pageno } of pages) {
      await file.seek((Number(pageno) - 1) * 4_096, Deno.SeekMode.Start);
      await file.write(crypto.getRandomValues(new Uint8Array(4_096)));
    }
  }
  const hurt = await runVictim({ ...task, act: "resume" });
  assert.equal(hurt.code, 4);
  assert.deepEqual(hurt.victim.failures.map(({ code }) => code), ["STORE_FAILED"]);
  assert.match(
    hurt.victim.failures[0]?.message ?? "",
    /^Cannot use the store ".*": the file is damaged; put a copy back, or save what can be read with SQLite's ".recover"$/,
  );
  assert.equal(service.arrivals.length, 2 * ids.length);
  await Deno.rename(`${store}.copy`, store);
  const { code, victim } = await runVictim({ ...task, act: "resume" });
  assert.deepEqual([code, victim.failures], [0, []]);
  checkDurable(await keptIn(store), service, victim);
  assert.deepEqual(service.effects.sort(), keysOf(ids));
});

const READ_ONLY =
  /^Cannot use the store ".*": it (may not be written; make the file and its folder writable|can't be opened; may the file and its folder be read and written\?)$/;

/** Ways to take the right to write away from a program that is started then. */
const READ_ONLY_WAYS: readonly {
  readonly name: string;
  readonly take: (folder: string, store: string) => Promise<boolean>;
  readonly give: (folder: string, store: string) => Promise<unknown>;
  /** Words before the program's. */
  readonly before?: readonly string[];
}[] = [
  {
    name: "a read-only file system",
    take: async (folder) =>
      await system("mount", "--bind", folder, folder) &&
      await system("mount", "-o", "remount,ro,bind", folder),
    give: (folder) => system("umount", folder),
  },
  ...(["file", "folder"] as const).map((what) => ({
    name: `a read-only ${what}`,
    take: async (folder: string, store: string) => {
      await Deno.chmod(what === "file" ? store : folder, what === "file" ? 0o400 : 0o500);
      return Deno.uid() !== 0 || await system(...WEAK, "true");
    },
    give: async (folder: string, store: string) => {
      await Deno.chmod(store, 0o600);
      await Deno.chmod(folder, 0o700);
    },
    before: Deno.uid() === 0 ? WEAK : [],
  })),
];

for (const { name, take, give, before = [] } of READ_ONLY_WAYS) {
  Deno.test(`a store on ${name} is refused, and its runs go on once it may be written`, async () => {
    await using service = new CountingService();
    await using files = await tempFiles({});
    const store = files.path("store/maestro.db");
    const folder = files.path("store");
    const task = { store, port: service.port };
    service.hold("Two");
    await using first = new Victim({ ...task, act: "start", workflow: THREE_STEPS });
    await service.came(2);
    first.kill("SIGKILL");
    await first.ended();
    service.release("Two");
    try {
      if (!await take(folder, store)) return skipped(name);
      for (const act of ["resume", "start"] as const) {
        const more = act === "start" ? { workflow: THREE_STEPS } : {};
        const { code, victim } = await runVictim({ ...task, act, ...more }, before);
        assert.equal(code, 4);
        assert.deepEqual(victim.failures.map(({ code }) => code), ["STORE_FAILED"]);
        assert.match(victim.failures[0]?.message ?? "", READ_ONLY);
      }
      assert.equal(service.arrivals.length, 2);
    } finally {
      await give(folder, store);
    }
    const { code, victim } = await runVictim({ ...task, act: "resume" });
    assert.deepEqual([code, victim.results], [0, { "run-0": "completed" }]);
    assert.deepEqual(service.effects.sort(), keysOf(["run-0"]));
  });
}

Deno.test("a store that becomes immutable under the running program stops the runs", async () => {
  await using service = new CountingService();
  await using files = await tempFiles({});
  const store = files.path("maestro.db");
  const task = { store, port: service.port };
  service.hold("Two");
  await using struck = new Victim({ ...task, act: "start", workflow: THREE_STEPS, stays: true });
  await service.came(2);
  const log = `${store}-wal`;
  try {
    if (!await system("chattr", "+i", log)) return skipped("a file that may not be changed");
    service.release("Two");
    await struck.says("failed");
    assert.match(
      struck.failures[0]?.message ?? "",
      /^Cannot use the store ".*": the disk gives an error; is it full, or broken\?$/,
    );
    assert.equal(await struck.ended(), 4);
  } finally {
    await system("chattr", "-i", log);
  }
  assert.equal(service.arrivals.length, 2);
  const { code, victim } = await runVictim({ ...task, act: "resume" });
  assert.deepEqual([code, victim.results], [0, { "run-0": "completed" }]);
  assert.deepEqual(service.effects.sort(), keysOf(["run-0"]));
});

Deno.test("a store that another process keeps locked for too long stops the runs, all soon after the first", async () => {
  await using service = new CountingService();
  await using files = await tempFiles({});
  const store = files.path("maestro.db");
  const runs = 50;
  // The runs wait for the store one after the other: each for the whole time, it would outlast the test.
  const task = { store, port: service.port, timing: { busyTimeout: 5_000 } };
  service.hold("Two");
  await using struck = new Victim({
    ...task,
    act: "start",
    runs,
    workflow: THREE_STEPS,
    stays: true,
  });
  await service.came(2 * runs);
  const locker = new DatabaseSync(store);
  locker.exec("BEGIN EXCLUSIVE");
  service.release("Two");
  await struck.says("lives");
  assert.equal(struck.failures.length, runs);
  for (const { code, message } of struck.failures) {
    assert.equal(code, "STORE_FAILED");
    assert.match(
      message,
      /^Cannot use the store ".*": another process has kept it locked for too long; end that one, or try again$/,
    );
  }
  assert.equal(service.arrivals.length, 2 * runs);
  locker.exec("COMMIT");
  locker.close();
  assert.equal(await struck.ended(), 4);
  const { code, victim } = await runVictim({ ...task, act: "resume" });
  assert.deepEqual([code, victim.failures], [0, []]);
  assert.equal(Object.keys(victim.results).length, runs);
  assert.equal(service.effects.length, 3 * runs);
});
