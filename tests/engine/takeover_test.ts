/** Two engines on one store, as in two processes: semantics.md §6, "a run has one owner at a time". */
import assert from "node:assert/strict";
import type { Journal } from "../../src/engine/doors.ts";
import { Engine } from "../../src/engine/engine.ts";
import { sqliteJournal } from "../../src/store/sqlite/journal.ts";
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
