/** What operators do with compensating steps that are parked (semantics.md §4). */
import assert from "node:assert/strict";
import type { Journal } from "../../src/engine/doors.ts";
import type { RunReport } from "../../src/engine/report.ts";
import { memoryJournal } from "../../src/store/memory.ts";
import { play, stage, workflowOf } from "../support/engines.ts";
import type { Behaviour } from "../support/world.ts";

const ok: Behaviour = { answer: { id: "1" } };
const refused: Behaviour = { fail: "UNAUTHENTICATED" };

/** A step that is undone by these steps, and a failure. */
function undoneBy(steps: string): string {
  return `
name: group
services: { shop: { endpoint: "shop:1" }, mail: { endpoint: "mail:1" } }
steps:
  - id: one
    service: shop
    method: One
    compensate: { steps: [ ${steps} ] }
  - fail: { code: ABORTED, message: "no" }
`;
}

const IN_ORDER =
  "{ id: tell, service: mail, method: Tell }, { id: undo, service: shop, method: Undo }";
const SIDE_BY_SIDE = `{ id: both, parallel: [ ${IN_ORDER} ] }`;

for (
  const [action, status, effects] of [
    ["skip", "skipped", ["r/one/action", "r/one.compensate[0].undo/compensate"]],
    ["abort", "parked", ["r/one/action"]],
  ] as const
) {
  Deno.test(`an operator's ${action} of one of several compensating steps leaves the run incomplete`, async () => {
    const { engine, world, clock } = stage({
      "shop/One": ok,
      "mail/Tell": refused,
      "shop/Undo": ok,
    });
    try {
      const text = undoneBy(`{ steps: [ ${IN_ORDER} ] }`);
      const run = await engine.start(workflowOf(text), { runId: "r" });
      const parked = await run.result();
      assert.deepEqual(parked.attention.map(({ step }) => step), ["one.compensate[0].tell"]);
      await run.resolve({ step: "one.compensate[0].tell", action, reason: "by hand" });
      const report = await run.result();
      assert.equal(report.status, "incomplete");
      assert.deepEqual(world.effects, effects);
      assert.equal(report.steps[0]?.compensation?.status, status);
    } finally {
      await engine.close();
      clock.stop();
    }
  });
}

Deno.test("of two compensating steps that are parked, each is resolved by itself", async () => {
  const { engine, world, clock, journal } = stage({
    "shop/One": ok,
    "mail/Tell": (_, nth) => nth === 1 ? refused : ok,
    "shop/Undo": (_, nth) => nth === 1 ? refused : ok,
  });
  const steps = (report: RunReport) => report.attention.map(({ step }) => step);
  try {
    const run = await engine.start(workflowOf(undoneBy(SIDE_BY_SIDE)), { runId: "r" });
    assert.equal((await run.result()).status, "needs_attention");
    await run.resolve({ step: "one.compensate[0].tell", action: "retry", reason: "logged in" });
    const half = await run.result();
    assert.equal(half.status, "needs_attention");
    assert.deepEqual(steps(half), ["one.compensate[0].undo"]);
    await run.resolve({ step: "one.compensate[0].undo", action: "retry", reason: "logged in" });
    assert.equal((await run.result()).status, "compensated");
    assert.equal(world.effects.length, 3);
    const raised = (await Array.fromAsync(journal.read("r")))
      .filter(({ kind }) => kind === "attention_raised");
    assert.equal(raised.length, 2);
  } finally {
    await engine.close();
    clock.stop();
  }
});

Deno.test("an abort ends the rollback also where another step is parked beside it", async () => {
  const { engine, clock } = stage({ "shop/One": ok, "mail/Tell": refused, "shop/Undo": refused });
  try {
    const run = await engine.start(workflowOf(undoneBy(SIDE_BY_SIDE)), { runId: "r" });
    await run.result();
    await run.resolve({ step: "one.compensate[0].undo", action: "abort", reason: "by hand" });
    const report = await run.result();
    assert.equal(report.status, "incomplete");
    assert.deepEqual(report.attention, []);
  } finally {
    await engine.close();
    clock.stop();
  }
});

Deno.test("a compensation whose metadata can't be made parks the run", async () => {
  const { report } = await play(
    `
name: unmakeable
services: { shop: { endpoint: "shop:1" } }
steps:
  - { id: one, service: shop, method: One, compensate: { method: Undo, metadata: { x-id: "{{ .one.id }}" } } }
`,
    { "shop/One": { fail: "UNAVAILABLE" }, "shop/Undo": ok },
  );
  assert.equal(report.status, "needs_attention");
  assert.equal(report.attention[0]?.error.code, "EXPRESSION_ERROR");
});

Deno.test("resolve() on a run that was stopped says so", async () => {
  const { engine, clock } = stage({ "shop/One": ok, "mail/Tell": refused, "shop/Undo": ok });
  const run = await engine.start(workflowOf(undoneBy(IN_ORDER)), { runId: "r" });
  const [parked] = (await run.result()).attention;
  await engine.close();
  clock.stop();
  await assert.rejects(
    run.resolve({ step: parked?.step ?? "", action: "skip", reason: "late" }),
    { code: "ENGINE_CLOSED" },
  );
});

Deno.test("resolve() on a step of a child run resolves once it is durable in the child's own record", async () => {
  const inner = memoryJournal();
  let hold: Promise<void> | null = null;
  const journal: Journal = {
    ...inner,
    append: async (claim, facts, standing) => {
      if (facts.some(({ kind }) => kind === "attention_resolved")) await hold;
      await inner.append(claim, facts, standing);
    },
  };
  const { engine, clock } = stage(
    { "shop/One": ok, "mail/Tell": refused, "shop/Undo": ok },
    { journal },
  );
  const parent = "name: parent\nsteps:\n  - { id: kid, workflow: kid.yaml }\n";
  try {
    const files = new Map([["kid.yaml", undoneBy(IN_ORDER)]]);
    const run = await engine.start(workflowOf(parent, files), { runId: "r" });
    const [parked] = (await run.result()).attention;
    const written = Promise.withResolvers<void>();
    hold = written.promise;
    let isResolved = false;
    const resolving = run.resolve({ step: parked?.step ?? "", action: "skip", reason: "by hand" })
      .then(() => isResolved = true);
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(isResolved, false);
    written.resolve();
    await resolving;
    const kinds = (await Array.fromAsync(inner.read("r/kid"))).map(({ kind }) => kind);
    assert.ok(kinds.includes("attention_resolved"));
  } finally {
    await engine.close();
    clock.stop();
  }
});
