import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { Engine } from "../../src/engine/engine.ts";
import { MaestroError } from "../../src/errors.ts";
import { timedSqliteJournal } from "../../src/store/sqlite/journal.ts";
import { TIMING } from "../../src/store/sqlite/timing.ts";
import { JumpingClock } from "../support/clock.ts";
import { workflowOf } from "../support/engines.ts";
import { tempFiles } from "../support/temp_files.ts";
import { World } from "../support/world.ts";

const WORKFLOW = workflowOf(`name: w
services: { shop: { endpoint: "shop:1" } }
steps:
  - { id: a, service: shop, method: Do, compensate: { method: Undo } }
  - { id: word, await_signal: word }
  - { id: b, service: shop, method: Do }
`);

const LOCKED =
  /^Cannot use the store ".*": another process has kept it locked for too long; end that one, or try again$/;

function isLockedOut(thrown: unknown): boolean {
  return thrown instanceof MaestroError && thrown.code === "STORE_FAILED" &&
    LOCKED.test(thrown.message);
}

Deno.test("a program whose store failed goes on with its runs once that is mended, without a restart", async () => {
  await using files = await tempFiles({});
  const path = files.path("maestro.db");
  const clock = new JumpingClock();
  const world = new World({ "shop/Do": { answer: {} }, "shop/Undo": { answer: {} } }, clock);
  const journal = timedSqliteJournal(path, {}, { ...TIMING, busyTimeout: 50 });
  const engine = new Engine({ caller: world.caller(), clock, journal });
  const locker = new DatabaseSync(path);
  try {
    for (const runId of ["r1", "r2", "r3"]) await engine.start(WORKFLOW, { runId });
    while (world.effects.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    while ((await journal.list({})).some(({ sleepsUntil }) => sleepsUntil === undefined)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    locker.exec("BEGIN EXCLUSIVE");
    await assert.rejects(engine.signal("r1", "word"), isLockedOut);
    await assert.rejects(engine.cancel("r2"), isLockedOut);
    await assert.rejects(engine.start(WORKFLOW, { runId: "r4" }), isLockedOut);
    assert.deepEqual(world.effects, ["r1/a/action", "r2/a/action", "r3/a/action"]);
    locker.exec("COMMIT");

    await assert.rejects(
      engine.report("r4"),
      (thrown: MaestroError) => thrown.code === "RUN_NOT_FOUND",
    );
    const [one, two, three, four] = [
      await engine.signal("r1", "word"),
      await engine.cancel("r2"),
      await engine.signal("r3", "word"),
      await engine.start(WORKFLOW, { runId: "r4" }),
    ];
    await engine.signal("r4", "word");
    const reports = await Promise.all([one, two, three, four].map((run) => run?.result()));
    assert.deepEqual(
      reports.map((report) => report?.status),
      ["completed", "cancelled", "completed", "completed"],
    );
    assert.deepEqual(world.effects.sort(), [
      "r1/a/action",
      "r1/b/action",
      "r2/a/action",
      "r2/a/compensate",
      "r3/a/action",
      "r3/b/action",
      "r4/a/action",
      "r4/b/action",
    ]);
  } finally {
    locker.close();
    await engine.close();
    clock.stop();
  }
});

Deno.test("a program takes up again what its store's failure has stopped in the middle of a call", async () => {
  await using files = await tempFiles({});
  const path = files.path("maestro.db");
  const clock = new JumpingClock();
  const locker = new DatabaseSync(path);
  let calls = 0;
  const world = new World({
    "shop/Do": () => {
      // The answer finds the store locked, the first time.
      if (++calls === 1) locker.exec("BEGIN EXCLUSIVE");
      return { answer: {}, after: 10 };
    },
  }, clock);
  const journal = timedSqliteJournal(path, {}, { ...TIMING, busyTimeout: 50 });
  const engine = new Engine({ caller: world.caller(), clock, journal });
  try {
    const workflow = workflowOf(`name: w
services: { shop: { endpoint: "shop:1" } }
steps: [{ id: a, service: shop, method: Do }, { id: b, service: shop, method: Do }]
`);
    const run = await engine.start(workflow, { runId: "r" });
    await assert.rejects(run.result(), isLockedOut);
    await assert.rejects(engine.resume("r"), isLockedOut);
    assert.equal(world.calls.length, 1);
    locker.exec("COMMIT");
    const { runs: [again] } = await engine.resumeAll();
    assert.equal((await again?.result())?.status, "completed");
    assert.deepEqual(world.effects, ["r/a/action", "r/b/action"]);
    assert.deepEqual(world.calls.map(({ key }) => key), ["r/a/action", "r/a/action", "r/b/action"]);
  } finally {
    locker.close();
    await engine.close();
    clock.stop();
  }
});
