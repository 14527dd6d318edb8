/** Stores that released versions wrote: their runs go on as if nothing had happened. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { Engine } from "../../src/engine/engine.ts";
import { MaestroError } from "../../src/errors.ts";
import type { RunReport } from "../../src/engine/report.ts";
import { grpcCaller } from "../../src/grpc/caller.ts";
import { sqliteJournal } from "../../src/store/sqlite/journal.ts";
import { MIGRATIONS } from "../../src/store/sqlite/migrations.ts";
import { FakeClock, JumpingClock } from "../support/clock.ts";
import { startServer } from "../support/grpc_server.ts";
import { fromFileUrl } from "../support/paths.ts";
import { tempFiles } from "../support/temp_files.ts";
import { World } from "../support/world.ts";
import { BEGAN, bothWays, type FixtureRun, NOW, RUNS, shop, TYPED } from "./fixture_runs.ts";

const FOLDER = fromFileUrl(new URL("./fixtures", import.meta.url));
const FIXTURES = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).sort();

/** Takes a run up and brings it to its end. */
async function finish(engine: Engine, { id, then }: FixtureRun): Promise<RunReport> {
  const run = await engine.resume(id).catch((thrown) => {
    if (MaestroError.from(thrown).code !== "RUN_NOT_ACTIVE") throw thrown;
    return null; // it has ended
  });
  if (run === null) return await engine.report(id);
  await then?.(engine);
  return await run.result();
}

function versionOf(path: string): unknown {
  const db = new DatabaseSync(path);
  try {
    return db.prepare("PRAGMA user_version").get()?.["user_version"];
  } finally {
    db.close();
  }
}

Deno.test("there is a store of every version there was", () => {
  const versions = new Set(FIXTURES.map((name) => versionOf(`${FOLDER}/${name}`)));
  assert.deepEqual([...versions].sort(), MIGRATIONS.map((_, index) => index + 1));
});

for (const fixture of FIXTURES) {
  Deno.test(`the runs of ${fixture} go on`, async (t) => {
    await using files = await tempFiles({
      "maestro.db": await Deno.readFile(`${FOLDER}/${fixture}`),
    });
    const path = files.path("maestro.db");
    await using server = await startServer({
      scripts: { "acme.shop.v1.Shop/Echo": ({ request }) => request },
      reflection: "none", // the schema was kept
    });
    const clock = new JumpingClock(BEGAN);
    const world = new World(shop(NOW), clock);
    const open = (clock: FakeClock) =>
      new Engine({
        caller: bothWays(world.caller(), grpcCaller(), server.endpoint),
        journal: sqliteJournal(path, { mustExist: true }),
        clock,
        random: () => 0,
      });
    const ids = new Set<string>();
    const check = async (engine: Engine, run: FixtureRun) => {
      const report = await finish(engine, run);
      assert.equal(report.status, run.status, JSON.stringify(report.error));
      if (run.output !== undefined) assert.deepEqual(report.output, run.output);
      const calls = world.calls.filter(({ key }) => key.startsWith(`${run.id}/`))
        .map(({ metadata }) => `${metadata["maestro-step"]}/${metadata["maestro-op"]}`);
      assert.deepEqual(calls.sort(), run.calls);
    };
    // Time stands still for gRPC: a clock that jumps would not wait for it.
    const first = open(new FakeClock(BEGAN));
    for (const { runId } of await sqliteList(path)) ids.add(runId);
    const kept = RUNS.filter(({ id }) => ids.has(id));
    for (const run of kept.filter(({ id }) => id === TYPED)) {
      await t.step(`the run "${run.id}"`, () => check(first, run));
    }
    await first.close();
    const second = open(clock);
    try {
      await second.resumeAll();
      for (const run of kept.filter(({ id }) => id !== TYPED)) {
        await t.step(`the run "${run.id}"`, () => check(second, run));
      }
      assert.equal(kept.length, ids.size, "nobody knows what should come of some runs");
    } finally {
      await second.close();
      clock.stop();
    }
    assert.equal(versionOf(path), MIGRATIONS.length);
    assert.deepEqual(await counts(path), counted(path));
  });
}

/** How many runs stand how, as the store keeps it. */
async function counts(path: string) {
  const journal = sqliteJournal(path, { mustExist: true });
  return await journal.counts().finally(() => journal.close());
}

/** The same, counted. */
function counted(path: string) {
  const db = new DatabaseSync(path);
  const rows = db.prepare(
    "SELECT status, count(*) AS n FROM runs WHERE root IS NULL GROUP BY status",
  );
  const pairs = rows.all().map(({ status, n }) => [status, n]);
  db.close();
  return Object.fromEntries(pairs);
}

async function sqliteList(path: string) {
  const journal = sqliteJournal(path, { mustExist: true });
  try {
    return await journal.list({ limit: 1_000 });
  } finally {
    await journal.close();
  }
}
