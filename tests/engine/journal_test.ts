/** semantics.md §6 over journals that take their time, fail, or hold what a crash left behind. */
import assert from "node:assert/strict";
import type { Journal } from "../../src/engine/doors.ts";
import { Engine } from "../../src/engine/engine.ts";
import { Ledger } from "../../src/engine/ledger.ts";
import { emptyState } from "../../src/machines/records.ts";
import { memoryJournal } from "../../src/store/memory.ts";
import { FakeClock } from "../support/clock.ts";
import { stage, workflowOf } from "../support/engines.ts";
import { newRun } from "../support/exercise_journal.ts";
import { type Behaviour, type Script, World } from "../support/world.ts";

const ok: Behaviour = { answer: { id: "1" } };

const ONE = `
name: one
services: { shop: { endpoint: "shop:1", attempt_timeout: 1h } }
steps:
  - { id: one, service: shop, method: One }
`;

/** A turn of the event loop: what can happen without time passing has happened. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** What a process leaves behind that is stopped while it calls. */
async function leftInFlight(text: string, scripts: Readonly<Record<string, Script>>) {
  const disk = memoryJournal();
  const journal = { ...disk, close: () => Promise.resolve() };
  const clock = new FakeClock();
  const world = new World(scripts, clock);
  const engine = new Engine({ caller: world.caller(), clock, journal });
  await engine.start(workflowOf(text), { runId: "r" });
  await turn();
  assert.equal(world.calls.length, 1);
  await engine.close();
  return disk;
}

Deno.test("what waits for its facts waits for no later ones", async () => {
  const inner = memoryJournal();
  const appends: (() => void)[] = [];
  const journal: Journal = {
    ...inner,
    append: () => new Promise((resolve) => appends.push(resolve)),
  };
  const state = emptyState();
  const ledger = new Ledger({
    journal,
    claim: await inner.create(newRun("r"), "me"),
    state,
    clock: new FakeClock(),
    standing: () => ({ status: "running", endedAt: null, sleepsUntil: undefined }),
    onDurable: () => {},
    onBroken: () => {},
  });
  const record = () => ledger.record({ kind: "rollback_started", reason: "failed" });
  const told: string[] = [];
  record();
  void ledger.durable().then(() => told.push("first"));
  await turn();
  record(); // while the first is being written
  void ledger.durable().then(() => told.push("second"));
  appends.shift()?.();
  await turn();
  assert.deepEqual(told, ["first"]);
  appends.shift()?.();
  await turn();
  assert.deepEqual(told, ["first", "second"]);
});

Deno.test("a report says nothing that is not durable, also after the journal has failed", async () => {
  const inner = memoryJournal();
  const stuck = Promise.withResolvers<void>();
  let writes = 0;
  const journal: Journal = {
    ...inner,
    append: (claim, facts, standing) =>
      ++writes === 1 ? inner.append(claim, facts, standing) : stuck.promise,
  };
  const { engine, clock } = stage({ "shop/One": ok }, { journal });
  try {
    const run = await engine.start(workflowOf(ONE), { runId: "r" });
    assert.equal(run.report().status, "running");
    await turn();
    assert.equal(writes, 2, "the end is being written");
    assert.deepEqual(
      [run.report().status, run.report().steps[0]?.status],
      ["running", "running"],
    );
    stuck.reject(new Error("disk full"));
    await assert.rejects(run.result(), { code: "STORE_FAILED" });
    assert.equal(run.report().status, "running");
  } finally {
    await engine.close();
    clock.stop();
  }
});

Deno.test("resume() that is asked for twice at once goes on once", async () => {
  const disk = await leftInFlight(ONE, { "shop/One": { hang: true } });
  const { engine, world, clock } = stage({ "shop/One": ok }, { journal: disk });
  try {
    const runs = await Promise.all([engine.resume("r"), engine.resume("r")]);
    const reports = await Promise.all(runs.map((run) => run.result()));
    assert.deepEqual(reports.map(({ status }) => status), ["completed", "completed"]);
    assert.equal(world.calls.length, 1);
  } finally {
    await engine.close();
    clock.stop();
  }
});

Deno.test("an engine that is closed while it resumes a run sends nothing", async () => {
  const disk = await leftInFlight(ONE, { "shop/One": { hang: true } });
  const { engine, world, clock } = stage({ "shop/One": ok }, { journal: disk });
  const resumed = assert.rejects(engine.resume("r"), { code: "ENGINE_CLOSED" });
  await engine.close();
  await resumed;
  await turn();
  clock.stop();
  assert.equal(world.calls.length, 0);
});

Deno.test("resumeAll() passes over a run whose first fact was lost", async () => {
  const disk = await leftInFlight(ONE, { "shop/One": { hang: true } });
  await disk.create(newRun("lost"), "somebody");
  const { engine, clock } = stage({ "shop/One": ok }, { journal: disk });
  try {
    const { runs } = await engine.resumeAll();
    assert.deepEqual(runs.map(({ id }) => id), ["r"]);
    assert.equal((await runs[0]?.result())?.status, "completed");
  } finally {
    await engine.close();
    clock.stop();
  }
});

Deno.test("a run's time does not go back where the clock did so while it was down", async () => {
  const disk = await leftInFlight(ONE, { "shop/One": { hang: true } });
  const { engine, world, clock } = stage({ "shop/One": ok }, {
    journal: disk,
    clock: new FakeClock(Date.UTC(2025, 0, 1)),
  });
  try {
    await (await engine.resume("r")).result();
    const times = (await Array.fromAsync(disk.read("r"))).map(({ at }) => at);
    assert.deepEqual(times, times.toSorted((a, b) => a - b));
    assert.equal(world.calls.length, 1);
  } finally {
    await engine.close();
    clock.stop();
  }
});

Deno.test("an attempt that a restart found under way stays in doubt where the breaker lets it not be made again", async () => {
  const services =
    `services: { shop: { endpoint: "shop:1", circuit_breaker: { min_calls: 1, window: 10, open_for: 1h, on_open: fail } } }`;
  const disk = await leftInFlight(
    `
name: paid
${services}
steps:
  - { id: one, service: shop, method: One, compensate: { method: Undo } }
`,
    { "shop/One": { hang: true }, "shop/Undo": ok },
  );
  const { engine, world, clock } = stage({
    "shop/One": ok,
    "shop/Undo": ok,
    "shop/Bad": { fail: "UNAVAILABLE" },
  }, { journal: disk });
  try {
    const bad = `name: bad\n${services}\nsteps: [ { id: bad, service: shop, method: Bad } ]\n`;
    await (await engine.start(workflowOf(bad), { runId: "other" })).result();
    const report = await (await engine.resume("r")).result();
    assert.equal(report.error?.code, "CIRCUIT_OPEN");
    assert.equal(report.steps[0]?.outcome, "unknown");
    assert.equal(report.status, "compensated");
    assert.deepEqual(world.effects, ["r/one/compensate"]);
  } finally {
    await engine.close();
    clock.stop();
  }
});

Deno.test("a run that is stopped gives its trial call back to the breaker", async () => {
  const clock = new FakeClock();
  const journal = memoryJournal();
  const world = new World({
    "shop/Bad": { fail: "UNAVAILABLE" },
    "shop/Hang": { hang: true },
    "shop/Good": ok,
    "mail/Later": { ...ok, after: 2_000 },
  }, clock);
  const engine = new Engine({ caller: world.caller(), clock, journal, random: () => 0 });
  const start = (runId: string, steps: string) =>
    engine.start(
      workflowOf(`
name: trial
services:
  shop: { endpoint: "shop:1", circuit_breaker: { min_calls: 1, window: 10, open_for: 1s } }
  mail: { endpoint: "mail:1" }
steps: [ ${steps} ]
`),
      { runId },
    );
  const call = (method: string) =>
    `{ id: ${method.toLowerCase()}, service: shop, method: ${method} }`;
  try {
    await (await start("first", call("Bad"))).result();
    const later = "{ id: later, service: mail, method: Later }";
    const trial = await start("trial", `{ parallel: [ ${call("Hang")}, ${later} ] }`);
    const waiting = await start("waiting", call("Good"));
    await turn();
    clock.advance(1_000);
    await turn();
    assert.equal(world.calls.at(-1)?.method, "shop/Hang");
    await journal.claim("trial", "another owner");
    clock.advance(1_000); // what is written next finds the claim lost
    await assert.rejects(trial.result(), { code: "CLAIM_LOST" });
    await turn();
    assert.equal(world.calls.at(-1)?.method, "shop/Good");
    assert.equal((await waiting.result()).status, "completed");
  } finally {
    await engine.close();
  }
});
