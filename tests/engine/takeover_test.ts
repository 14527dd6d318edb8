/** Two engines on one store, as in two processes: semantics.md §6, "a run has one owner at a time". */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { systemClock } from "../../src/engine/clock.ts";
import type { Caller, Journal } from "../../src/engine/doors.ts";
import { Engine } from "../../src/engine/engine.ts";
import { sqliteJournal, timedSqliteJournal } from "../../src/store/sqlite/journal.ts";
import { TIMING } from "../../src/store/sqlite/timing.ts";
import { JumpingClock } from "../support/clock.ts";
import { workflowOf } from "../support/engines.ts";
import { type Script, World } from "../support/world.ts";

const ok: Script = { answer: { id: "1" } };

const HEAD = `name: shared\nservices: { shop: { endpoint: "shop:1" } }\n`;
const WAITING = workflowOf(`${HEAD}steps:
  - { id: do, service: shop, method: Do, compensate: { method: Undo } }
  - { id: word, await_signal: go }
`);
const PIVOT = workflowOf(`${HEAD}steps:
  - { id: pay, service: shop, method: Do, pivot: true }
  - { id: word, await_signal: go }
`);
const PARKING = workflowOf(`${HEAD}steps:
  - { id: do, service: shop, method: Do, compensate: { method: Undo } }
  - fail: { code: ABORTED, message: "no" }
`);

interface Pair {
  readonly first: Engine;
  readonly second: Engine;
  /** The second one's. */
  readonly journal: Journal;
  readonly world: World;
}

async function withPair(
  scripts: Readonly<Record<string, Script>>,
  test: (pair: Pair) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const clock = new JumpingClock();
  const world = new World(scripts, clock);
  const open = () => {
    const journal = sqliteJournal(`${folder}/maestro.db`);
    return {
      journal,
      engine: new Engine({ caller: world.caller(), journal, clock, random: () => 0 }),
    };
  };
  const [{ engine: first }, { engine: second, journal }] = [open(), open()];
  const awake = setInterval(() => {}, 1_000); // listening for commands keeps no process alive
  try {
    await test({ first, second, journal, world });
  } finally {
    clearInterval(awake);
    await first.close();
    await second.close();
    clock.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a run that a live process has can't be resumed, and its facts can be read", async () => {
  await withPair({ "shop/Do": ok, "shop/Undo": ok }, async ({ first, second }) => {
    const run = await first.start(WAITING, { runId: "r" });
    await run.signal("other"); // which is durable with all that came before
    await assert.rejects(second.resume("r"), { code: "RUN_OWNED" });
    assert.deepEqual(await second.resumeAll(), { runs: [], sleeping: 0 });
    assert.equal((await second.report("r")).status, "running");
    const kinds = (await Array.fromAsync(second.facts("r"))).map(({ kind }) => kind);
    assert.equal(kinds[0], "run_started");
    assert.ok(kinds.includes("signal_received"));
  });
});

Deno.test("signal and cancel reach the process that has the run", async () => {
  await withPair({ "shop/Do": ok, "shop/Undo": ok }, async ({ first, second }) => {
    const one = await first.start(WAITING, { runId: "one" });
    assert.equal(await second.signal("one", "go", { by: "ada" }), null);
    const done = await one.result();
    assert.deepEqual([done.status, done.steps[1]?.output], ["completed", { by: "ada" }]);
    const two = await first.start(WAITING, { runId: "two" });
    assert.equal(await second.cancel("two", "ada"), null);
    const cancelled = await two.result();
    assert.equal(cancelled.status, "cancelled");
    assert.match(cancelled.error?.message ?? "", /by ada/);
  });
});

Deno.test("what the owner refuses is refused with its reason", async () => {
  await withPair({ "shop/Do": ok, "shop/Undo": ok }, async ({ first, second }) => {
    const run = await first.start(PIVOT, { runId: "r" });
    await run.signal("other");
    await assert.rejects(second.cancel("r"), { code: "RUN_NOT_ACTIVE", message: /no way back/ });
    await assert.rejects(
      second.resolve("r", { step: "pay", action: "retry", reason: "why not" }),
      { code: "RUN_NOT_ACTIVE", message: /"pay"/ },
    );
    await run.signal("go");
    await run.result();
    await assert.rejects(second.signal("r", "go"), {
      code: "RUN_NOT_ACTIVE",
      message: /has ended: completed/,
    });
    await assert.rejects(second.cancel("none"), { code: "RUN_NOT_FOUND" });
  });
});

Deno.test("an operator resolves, from one process, what another has parked", async () => {
  const scripts: Record<string, Script> = {
    "shop/Do": ok,
    "shop/Undo": (_, nth) => nth === 1 ? { fail: "UNAUTHENTICATED" } : { answer: {} },
  };
  await withPair(scripts, async ({ first, second, journal }) => {
    const run = await first.start(PARKING, { runId: "r" });
    assert.equal((await run.result()).status, "needs_attention");
    assert.deepEqual(
      (await journal.list({ status: "needs_attention" })).map(({ runId }) => runId),
      ["r"],
    );
    const resolution = { step: "do", action: "retry", reason: "logged in", by: "ada" } as const;
    assert.equal(await second.resolve("r", resolution), null);
    assert.equal((await run.result()).status, "compensated");
    const [resolved] = (await Array.fromAsync(second.facts("r")))
      .filter(({ kind }) => kind === "attention_resolved");
    assert.ok(resolved?.kind === "attention_resolved");
    assert.deepEqual([resolved.by, resolved.reason], ["ada", "logged in"]);
  });
});

Deno.test("where nobody has the run, who wants something of it takes it over", async () => {
  await withPair({ "shop/Do": ok, "shop/Undo": ok }, async ({ first, second, world }) => {
    await (await first.start(WAITING, { runId: "r" })).signal("other");
    await first.close();
    const run = await second.signal("r", "go");
    assert.equal((await run?.result())?.status, "completed");
    assert.equal(world.calls.length, 1, "what was done is not done again");
  });
});

Deno.test("what was asked of a process that ended before it answered is done by who takes over", async () => {
  await withPair({ "shop/Do": ok, "shop/Undo": ok }, async ({ first, second }) => {
    const run = await first.start(WAITING, { runId: "r" });
    await run.signal("other");
    const asked = second.cancel("r", "ada");
    await first.close();
    const report = await (await asked ?? await second.resume("r").catch(() => null))?.result() ??
      await second.report("r");
    assert.equal(report.status, "cancelled");
  });
});

Deno.test("a command that meets a store in trouble is done once it can be written again", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/maestro.db`;
  const clock = new JumpingClock();
  const world = new World({ "shop/Do": ok, "shop/Undo": ok }, clock);
  const open = () => {
    const journal = timedSqliteJournal(path, {}, { ...TIMING, busyTimeout: 20 });
    return new Engine({ caller: world.caller(), journal, clock, random: () => 0 });
  };
  const [first, second] = [open(), open()];
  const awake = setInterval(() => {}, 1_000);
  const locker = new DatabaseSync(path);
  const begin = () => {
    try {
      locker.exec("BEGIN IMMEDIATE");
      return true;
    } catch {
      return false;
    }
  };
  const posted = () => locker.prepare("SELECT 1 FROM inbox").get() !== undefined;
  const pause = (milliseconds: number) =>
    new Promise((resolve) => setTimeout(resolve, milliseconds));
  try {
    const run = await first.start(WAITING, { runId: "r" });
    const sent = second.signal("r", "go", {}, "s1");
    while (!posted() || !begin()) await pause(1);
    await pause(500); // longer than it takes to hear of it
    locker.exec("COMMIT");
    assert.equal(await sent, null);
    assert.equal((await first.report("r")).status, "completed");
    await run.result().catch(() => {}); // it may have been stopped, and taken up again
  } finally {
    clearInterval(awake);
    locker.close();
    await first.close();
    await second.close();
    clock.stop();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("who has lost a run starts no child run of it", async () => {
  const folder = await Deno.makeTempDir();
  let wall = Date.now();
  const open = (gate: Promise<void>, renewEvery: number) => {
    const world = new World({ "shop/Do": ok }, systemClock);
    const caller = world.caller();
    const journal = timedSqliteJournal(`${folder}/maestro.db`, {}, {
      ...TIMING,
      wall: () => wall,
      steady: () => wall,
      renewEvery,
    });
    const slow: Caller = {
      ...caller,
      close: () => caller.close(),
      method: (target, name, options) => gate.then(() => caller.method(target, name, options)),
    };
    return { world, engine: new Engine({ caller: slow, journal }) };
  };
  const gate = Promise.withResolvers<void>();
  const first = open(gate.promise, 20);
  const second = open(gate.promise, 2 ** 31 - 1);
  const pause = (milliseconds: number) =>
    new Promise((resolve) => setTimeout(resolve, milliseconds));
  const kid = `name: kid\nservices: { shop: { endpoint: "shop:1" } }\nsteps:\n` +
    "  - { id: do, service: shop, method: Do, input: {} }\n";
  const parent = workflowOf(
    "name: parent\nsteps:\n  - { id: kid, workflow: kid.yaml }\n",
    new Map([["kid.yaml", kid]]),
  );
  try {
    const run = await first.engine.start(parent, { runId: "r" });
    await pause(30);
    wall += 31_000; // the first hangs for longer than its lease lasts
    const taken = await second.engine.resume("r");
    await pause(100); // and comes back
    gate.resolve();
    await assert.rejects(run.result(), { code: "CLAIM_LOST" });
    assert.equal((await taken.result()).status, "completed");
    assert.deepEqual([first.world.calls.length, second.world.calls.length], [0, 1]);
  } finally {
    await first.engine.close();
    await second.engine.close();
    await Deno.remove(folder, { recursive: true });
  }
});
