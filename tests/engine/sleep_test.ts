/** A run that only waits, for long, costs no actor: it is put to sleep, and woken at its moment. */
import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Engine } from "../../src/engine/engine.ts";
import type { Journal } from "../../src/engine/doors.ts";
import { memoryJournal } from "../../src/store/memory.ts";
import { FakeClock } from "../support/clock.ts";
import { workflowOf } from "../support/engines.ts";
import { type Script, World } from "../support/world.ts";

const HOUR = 3_600_000;

const HEAD = `name: sleepy\nservices: { shop: { endpoint: "shop:1" } }\n`;

/** Nothing else is to be done without time going on. */
async function idle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
}

/** Lets time go on, and what woke up in between be there for its moment. */
async function pass(clock: FakeClock, milliseconds: number): Promise<void> {
  clock.advance(milliseconds);
  await idle();
  clock.advance(0);
  await idle();
}

/** V8's, which is exposed only to what asks for it. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

interface Bed {
  readonly engine: Engine;
  readonly clock: FakeClock;
  readonly world: World;
  readonly journal: Journal;
  /** Names of the actors that are alive. */
  readonly alive: ReadonlySet<string>;
}

async function withBed(
  scripts: Readonly<Record<string, Script>>,
  test: (bed: Bed) => Promise<void>,
  { journal = memoryJournal(), clock = new FakeClock() } = {},
): Promise<void> {
  const world = new World(scripts, clock);
  const alive = new Set<string>();
  const engine = new Engine({
    caller: world.caller(),
    journal: { ...journal, close: () => Promise.resolve() },
    clock,
    random: () => 0,
    inspect: (event) => {
      if (event.type !== "@xstate.snapshot") return;
      const { id } = event.actorRef as unknown as { id: string };
      if ((event.snapshot as { status: string }).status === "active") alive.add(id);
      else alive.delete(id);
    },
  });
  try {
    await test({ engine, clock, world, journal, alive });
  } finally {
    await engine.close();
  }
}

const ok: Script = { answer: { id: "1" } };

Deno.test("a run that waits for long sleeps, and goes on at its moment", async () => {
  await withBed({ "shop/Do": ok }, async ({ engine, clock, world, alive }) => {
    const steps = "steps:\n  - wait: 1h\n  - { id: do, service: shop, method: Do }\n";
    const run = await engine.start(workflowOf(HEAD + steps), { runId: "r" });
    const heard: string[] = [];
    run.follow(({ kind }) => heard.push(kind));
    await idle();
    assert.equal(run.report().status, "running");
    assert.deepEqual(run.report().steps.map(({ status }) => status), ["waiting"]);
    clock.advance(HOUR - 1_000);
    await idle();
    assert.equal(alive.size, 0);
    clock.advance(999);
    await idle();
    assert.notEqual(alive.size, 0, "it is awake before its moment");
    assert.deepEqual(world.calls, [], "and still waits");
    clock.advance(1);
    const report = await run.result();
    assert.equal(report.status, "completed");
    assert.equal(world.calls.length, 1);
    assert.equal(report.steps[0]?.finished_at, "2026-01-01T01:00:00.000Z");
    assert.ok(heard.includes("run_ended"), "who follows it hears of it after it woke");
  });
});

Deno.test("however many runs sleep, one timer waits for them", async () => {
  await withBed({}, async ({ engine, clock }) => {
    const runs = [];
    for (let index = 0; index < 50; index++) {
      const workflow = workflowOf(`${HEAD}steps:\n  - wait: ${60 - index}m\n`);
      runs.push(await engine.start(workflow, { runId: `r${index}` }));
    }
    await idle();
    assert.equal(clock.timers, 1);
    const ended: string[] = [];
    for (const run of runs) run.result().then(() => ended.push(run.id), () => {});
    for (let minute = 0; minute < 60; minute++) await pass(clock, 60_000);
    assert.deepEqual(ended, runs.map(({ id }) => id).toReversed());
  });
});

Deno.test("a run that sleeps goes on though nobody holds it, and who waits for it or follows it is told", async () => {
  await withBed({}, async ({ engine, clock }) => {
    const workflow = workflowOf(`${HEAD}steps: [ wait: 1h ]\n`);
    const told: string[] = [];
    const tell = (id: string) => ({ kind }: { kind: string }) => {
      if (kind === "run_ended") told.push(id);
    };
    await engine.start(workflow, { runId: "forgotten" });
    await engine.start(workflow, { runId: "heard", onHappening: tell("heard") });
    (await engine.start(workflow, { runId: "followed" })).follow(tell("followed"));
    await (async () => { // and lets go of it
      const run = await engine.start(workflow, { runId: "awaited" });
      run.result().then(({ run_id }) => told.push(run_id), () => {});
      const later = await engine.start(workflow, { runId: "awaited_later" });
      await idle();
      later.result().then(({ run_id }) => told.push(run_id), () => {});
    })();
    await idle();
    collectGarbage();
    await idle();
    await pass(clock, HOUR - 100);
    await pass(clock, 100);
    assert.deepEqual(told.sort(), ["awaited", "awaited_later", "followed", "heard"]);
    assert.equal((await engine.report("forgotten")).status, "completed");
  });
});

Deno.test("a signal wakes it, and so does a cancel", async () => {
  await withBed({ "shop/Do": ok, "shop/Undo": ok }, async ({ engine, world }) => {
    const steps = `steps:
  - { id: do, service: shop, method: Do, compensate: { method: Undo } }
  - { id: word, await_signal: go }
`;
    const workflow = workflowOf(HEAD + steps);
    const [one, other] = [
      await engine.start(workflow, { runId: "one" }),
      await engine.start(workflow, { runId: "other" }),
    ];
    await idle();
    await one.signal("go", { by: "ada" });
    assert.equal((await one.result()).status, "completed");
    await other.cancel("ada");
    assert.equal((await other.result()).status, "cancelled");
    assert.deepEqual(world.effects.filter((key) => key.endsWith("compensate")), [
      "other/do/compensate",
    ]);
  });
});

Deno.test("time that is up wakes it: its step's, a block's, its own", async () => {
  const cases = {
    "steps:\n  - { id: word, await_signal: go, timeout: 2h }\n": "failed",
    "steps:\n  - { id: all, timeout: 2h, steps: [ { wait: 5h } ] }\n": "failed",
    "timeout: 2h\nsteps:\n  - wait: 5h\n": "timed_out",
  };
  for (const [steps, status] of Object.entries(cases)) {
    await withBed({}, async ({ engine, clock, alive }) => {
      const run = await engine.start(workflowOf(HEAD + steps), { runId: "r" });
      await idle();
      assert.equal(alive.size, 0);
      clock.advance(2 * HOUR - 1);
      await idle();
      assert.equal(run.report().finished_at, null);
      clock.advance(1);
      const report = await run.result();
      assert.equal(report.status, status);
      assert.equal(report.finished_at, "2026-01-01T02:00:00.000Z");
    });
  }
});

Deno.test("a run that waits for an operator sleeps, too", async () => {
  const scripts: Record<string, Script> = {
    "shop/Do": ok,
    "shop/Undo": (_, nth) => nth === 1 ? { fail: "UNAUTHENTICATED" } : { answer: {} },
  };
  await withBed(scripts, async ({ engine, alive }) => {
    const steps = `steps:
  - { id: do, service: shop, method: Do, compensate: { method: Undo } }
  - fail: { code: ABORTED, message: "no" }
`;
    const run = await engine.start(workflowOf(HEAD + steps), { runId: "r" });
    const parked = await run.result();
    await idle();
    assert.deepEqual([...alive].filter((id) => id.startsWith("run:")), []);
    assert.deepEqual(run.report(), JSON.parse(JSON.stringify(parked)));
    await run.resolve({ step: "do", action: "retry", reason: "logged in" });
    assert.equal((await run.result()).status, "compensated");
  });
});

Deno.test("runs that slept when their process ended sleep on in the next, which starts no actor for them", async () => {
  const journal = memoryJournal();
  const clock = new FakeClock();
  await withBed({}, async ({ engine }) => {
    for (const [runId, hours] of [["late", 3], ["soon", 2]] as const) {
      await engine.start(workflowOf(`${HEAD}steps:\n  - wait: ${hours}h\n`), { runId });
    }
    await idle();
  }, { journal, clock });
  await withBed({}, async ({ engine, alive }) => {
    assert.deepEqual(await engine.resumeAll(), { runs: [], sleeping: 2 });
    await idle();
    assert.equal(alive.size, 0);
    await pass(clock, 2 * HOUR);
    assert.equal((await engine.report("soon")).finished_at, "2026-01-01T02:00:00.000Z");
    assert.equal((await engine.report("late")).finished_at, null);
    const settled = engine.settled();
    await pass(clock, HOUR);
    await settled;
    assert.equal((await engine.report("late")).finished_at, "2026-01-01T03:00:00.000Z");
  }, { journal, clock });
});

Deno.test("a moment that passed while nobody was there is the first thing after a start", async () => {
  const journal = memoryJournal();
  const clock = new FakeClock();
  await withBed({}, async ({ engine }) => {
    await engine.start(workflowOf(`${HEAD}steps:\n  - wait: 1h\n`), { runId: "r" });
    await idle();
  }, { journal, clock });
  clock.advance(5 * HOUR);
  await withBed({}, async ({ engine }) => {
    await engine.resumeAll();
    await pass(clock, 0);
    await engine.settled();
    assert.equal((await engine.report("r")).finished_at, "2026-01-01T05:00:00.000Z");
  }, { journal, clock });
});

Deno.test("who waits for a run that sleeps is told that the engine was closed", async () => {
  let result: Promise<unknown> = Promise.resolve();
  await withBed({}, async ({ engine }) => {
    const run = await engine.start(workflowOf(`${HEAD}steps:\n  - wait: 1h\n`), { runId: "r" });
    result = assert.rejects(run.result(), { code: "ENGINE_CLOSED" });
    await idle();
  });
  await result;
});

Deno.test("of many that are due at once, so many are woken at a time, and all of them are", async () => {
  const journal = memoryJournal();
  const clock = new FakeClock();
  const many = 450;
  const workflow = workflowOf(
    `${HEAD}steps:\n  - wait: 1h\n  - { id: do, service: shop, method: Do }\n`,
  );
  await withBed({ "shop/Do": ok }, async ({ engine }) => {
    for (let index = 0; index < many; index++) await engine.start(workflow, { runId: `r${index}` });
    await idle();
  }, { journal, clock });
  clock.advance(5 * HOUR);
  let reading = 0;
  let most = 0;
  const counted: Journal = {
    ...journal,
    async *read(runId, after) {
      most = Math.max(most, ++reading);
      await idle();
      yield* journal.read(runId, after);
      reading--;
    },
  };
  await withBed({ "shop/Do": ok }, async ({ engine, world }) => {
    assert.equal((await engine.resumeAll()).sleeping, many);
    for (let turn = 0; turn < 20; turn++) await pass(clock, 0);
    await engine.settled();
    assert.equal(world.calls.length, many);
    assert.equal(most, 200);
  }, { journal: counted, clock });
});

Deno.test("a run that was woken for nothing sleeps again", async () => {
  await withBed({}, async ({ engine, clock, alive }) => {
    const steps = "steps:\n  - { id: a, await_signal: go }\n  - { id: b, await_signal: go }\n";
    const run = await engine.start(workflowOf(HEAD + steps), { runId: "r" });
    await idle();
    await run.signal("go", {}, "once");
    await idle();
    assert.equal(alive.size, 0);
    await run.signal("go", {}, "once");
    await idle();
    assert.notEqual(alive.size, 0, "it was woken, and the signal was none");
    await pass(clock, 1_000);
    assert.equal(alive.size, 0);
    await run.signal("go", {}, "twice");
    assert.equal((await run.result()).status, "completed");
  });
});

Deno.test("a run that can't be woken is told of once, and tried again", async () => {
  const journal = memoryJournal();
  const clock = new FakeClock();
  const steps =
    "steps:\n  - wait: 1h\n  - { service: shop, method: Do, metadata: { x-key: '{{ .secrets.KEY }}' } }\n";
  let secret: string | undefined = "s";
  const stopped: string[] = [];
  const world = new World({ "shop/Do": ok }, clock);
  const engine = new Engine({
    caller: world.caller(),
    journal,
    clock,
    secrets: { read: () => Promise.resolve(secret) },
    onStopped: (runId, { code }) => stopped.push(`${runId}: ${code}`),
  });
  try {
    const run = await engine.start(workflowOf(HEAD + steps), { runId: "r" });
    await idle();
    secret = undefined;
    await pass(clock, HOUR);
    for (let times = 0; times < 3; times++) await pass(clock, 10_000);
    assert.deepEqual(stopped, ["r: INPUT_INVALID"]);
    secret = "s";
    await pass(clock, 10_000);
    assert.equal((await run.result()).status, "completed");
  } finally {
    await engine.close();
  }
});
