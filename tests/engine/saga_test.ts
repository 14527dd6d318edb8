/** semantics.md §3 and §4, as seen from outside: over services in memory, with a clock that jumps. */
import assert from "node:assert/strict";
import type { Run } from "../../src/engine/run.ts";
import { play, stage, workflowOf } from "../support/engines.ts";
import type { Behaviour } from "../support/world.ts";

const ok: Behaviour = { answer: { id: "1" } };

/** Two steps that can be undone, and a third that fails as the test says. */
function threeSteps(more = ""): string {
  return `
name: three
services:
  shop: { endpoint: "shop:1" ${more} }
steps:
  - { id: one, service: shop, method: One, compensate: { method: UndoOne, input: { id: "{{ .one.id }}" } } }
  - { id: two, service: shop, method: Two, compensate: { method: UndoTwo, input: { of: two } } }
  - { id: three, service: shop, method: Three, compensate: { method: UndoThree, input: { of: three } } }
`;
}

const undos = { "shop/UndoOne": ok, "shop/UndoTwo": ok, "shop/UndoThree": ok };

for (
  const [name, three, undone, status] of [
    ["rejected", { fail: "FAILED_PRECONDITION" }, ["two", "one"], "compensated"],
    ["not_sent", { fail: "UNAVAILABLE", outcome: "not_sent" }, ["two", "one"], "compensated"],
    ["unknown", { fail: "INTERNAL" }, ["three", "two", "one"], "compensated"],
    ["completed", ok, [], "completed"],
  ] as const
) {
  Deno.test(`a step of outcome ${name}: rollback undoes [${undone}]`, async () => {
    const { report, world } = await play(threeSteps(), {
      "shop/One": ok,
      "shop/Two": ok,
      "shop/Three": three as Behaviour,
      ...undos,
    });
    assert.equal(report.status, status);
    assert.deepEqual(
      world.effects.filter((key) => key.endsWith("/compensate")),
      undone.map((step) => `r/${step}/compensate`),
    );
    assert.equal(report.steps.at(-1)?.outcome, name);
  });
}

Deno.test("a run that fails with nothing to undo has failed", async () => {
  const { report } = await play(threeSteps(), {
    "shop/One": { fail: "NOT_FOUND" },
    "shop/Two": ok,
    "shop/Three": ok,
    ...undos,
  });
  assert.equal(report.status, "failed");
  assert.equal(report.error?.code, "NOT_FOUND");
  assert.equal(report.error?.step, "one");
});

Deno.test("rollback goes in strict reverse order of completion, across parallel branches", async () => {
  const { report, world } = await play(
    `
name: order
services: { shop: { endpoint: "shop:1" } }
steps:
  - parallel:
      - { id: slow, service: shop, method: Slow, compensate: { method: Undo } }
      - { id: fast, service: shop, method: Fast, compensate: { method: Undo } }
      - steps:
          - { id: first, service: shop, method: Fast, compensate: { method: Undo } }
          - { id: middle, service: shop, method: Middle, compensate: { method: Undo } }
  - { id: last, service: shop, method: Fast, compensate: { method: Undo } }
  - fail: { code: ABORTED, message: "no" }
`,
    {
      "shop/Slow": { answer: {}, after: 300 },
      "shop/Middle": { answer: {}, after: 200 },
      "shop/Fast": (_, nth) => ({ answer: {}, after: 10 * nth }),
      "shop/Undo": ok,
    },
  );
  assert.equal(report.status, "compensated");
  const completed = world.effects.filter((key) => key.endsWith("/action"));
  const undone = world.effects.filter((key) => key.endsWith("/compensate"));
  assert.deepEqual(
    undone.map((key) => key.replace("/compensate", "/action")),
    completed.toReversed(),
  );
  assert.equal(undone.length, 5);
});

Deno.test("a compensation sees what its step saw, and its step's output; an unknown step's is {}", async () => {
  const { world, report } = await play(
    `
name: sees
services: { shop: { endpoint: "shop:1" } }
steps:
  - { id: one, service: shop, method: One, output: uno, compensate: { method: Undo, input: { id: "{{ .uno.id }}", of: "{{ .input.who }}" } } }
  - id: two
    service: shop
    method: Two
    compensate: { method: Undo, input: { id: "{{ default(.two.id, 'none') }}", of: "{{ .uno.id }}" } }
`,
    { "shop/One": ok, "shop/Two": { fail: "UNAVAILABLE" }, "shop/Undo": ok },
    { input: { who: "ada" } },
  );
  assert.equal(report.status, "compensated");
  assert.deepEqual(
    world.calls.filter(({ method }) => method === "shop/Undo").map(({ input }) => input),
    [{ id: "none", of: "1" }, { id: "1", of: "ada" }],
  );
});

Deno.test("a compensation is tried again, doubling from 1s to 60s, on codes that an action would not be", async () => {
  const { report, world, clock } = await play(threeSteps(), {
    "shop/One": ok,
    "shop/Two": { fail: "ABORTED" },
    "shop/Three": ok,
    ...undos,
    "shop/UndoOne": (_, nth) => nth < 9 ? { fail: "FAILED_PRECONDITION" } : ok,
  });
  assert.equal(report.status, "compensated");
  const compensation = report.steps[0]?.compensation;
  assert.equal(compensation?.status, "done");
  assert.equal(compensation?.attempts, 9);
  assert.equal(
    clock.now() - Date.parse(report.started_at),
    (1 + 2 + 4 + 8 + 16 + 32 + 60 + 60) * 1_000,
  );
  const keys = world.calls.filter(({ method }) => method === "shop/UndoOne");
  assert.deepEqual(new Set(keys.map(({ key }) => key)), new Set(["r/one/compensate"]));
  assert.deepEqual(keys.map(({ attempt }) => attempt), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

Deno.test("a compensation that is answered NOT_FOUND counts as done", async () => {
  const { report, world } = await play(threeSteps(), {
    "shop/One": ok,
    "shop/Two": { fail: "ABORTED" },
    "shop/Three": ok,
    ...undos,
    "shop/UndoOne": { fail: "NOT_FOUND" },
  });
  assert.equal(report.status, "compensated");
  assert.equal(report.steps[0]?.compensation?.status, "done");
  assert.equal(world.calls.filter(({ method }) => method === "shop/UndoOne").length, 1);
});

Deno.test("a compensation that gives up parks the run; the later ones wait; an operator's retry goes on", async () => {
  let broken = true;
  const { engine, world, clock } = stage({
    "shop/One": ok,
    "shop/Two": ok,
    "shop/Three": { fail: "ABORTED" },
    ...undos,
    "shop/UndoTwo": () => broken ? { fail: "INTERNAL" } : ok,
  });
  try {
    const text = `${threeSteps()}\nsaga: { give_up_after: 10s }\n`;
    const run = await engine.start(workflowOf(text), { runId: "r" });
    const parked = await run.result();
    assert.equal(parked.status, "needs_attention");
    assert.deepEqual(parked.attention.map(({ step, op, request }) => ({ step, op, request })), [
      { step: "two", op: "compensate", request: { of: "two" } },
    ]);
    assert.equal(parked.attention[0]?.error.code, "INTERNAL");
    assert.deepEqual(parked.steps.map((step) => step.compensation?.status), [
      "pending",
      "parked",
      undefined,
    ]);
    assert.ok(!world.calls.some(({ method }) => method === "shop/UndoOne"));

    broken = false;
    await run.resolve({
      step: "two",
      action: "retry",
      input: { of: "the other two" },
      by: "ada",
      reason: "mended",
    });
    const report = await run.result();
    assert.equal(report.status, "compensated");
    const undoTwo = world.calls.filter(({ method }) => method === "shop/UndoTwo").at(-1);
    assert.deepEqual(undoTwo?.input, { of: "the other two" });
    assert.equal(undoTwo?.key, "r/two/compensate#2");
    assert.equal(undoTwo?.metadata["maestro-action-key"], "r/two/action");
  } finally {
    await engine.close();
    clock.stop();
  }
});

for (
  const [action, undone] of [
    ["skip", ["r/one/compensate"]],
    ["abort", []],
  ] as const
) {
  Deno.test(`an operator's ${action} ends the run as incomplete`, async () => {
    const { engine, world, clock } = stage({
      "shop/One": ok,
      "shop/Two": ok,
      "shop/Three": { fail: "ABORTED" },
      ...undos,
      "shop/UndoTwo": { fail: "PERMISSION_DENIED" },
    });
    try {
      const run = await engine.start(workflowOf(threeSteps()), { runId: "r" });
      assert.equal((await run.result()).status, "needs_attention");
      await run.resolve({ step: "two", action, by: "ada", reason: "by hand" });
      const report = await run.result();
      assert.equal(report.status, "incomplete");
      assert.deepEqual(world.effects.filter((key) => key.endsWith("/compensate")), undone);
      assert.equal(report.steps[1]?.compensation?.status, action === "skip" ? "skipped" : "parked");
    } finally {
      await engine.close();
      clock.stop();
    }
  });
}

Deno.test("a compensation whose input can't be made parks the run", async () => {
  const { report } = await play(
    `
name: unmakeable
services: { shop: { endpoint: "shop:1" } }
steps:
  - { id: one, service: shop, method: One, compensate: { method: UndoOne, input: { id: "{{ .one.id }}" } } }
`,
    { "shop/One": { fail: "UNAVAILABLE" }, "shop/UndoOne": ok },
  );
  assert.equal(report.status, "needs_attention");
  assert.equal(report.attention[0]?.error.code, "EXPRESSION_ERROR");
  assert.equal(report.attention[0]?.request, null);
});

Deno.test("steps that compensate run in order, each with its own key; one that fails parks the run", async () => {
  let stock = false;
  const { engine, world, clock } = stage({
    "shop/One": ok,
    "shop/Undo": ok,
    "mail/Tell": () => stock ? ok : { fail: "UNAUTHENTICATED" },
  });
  try {
    const run = await engine.start(
      workflowOf(`
name: steps
services: { shop: { endpoint: "shop:1" }, mail: { endpoint: "mail:1" } }
steps:
  - id: one
    service: shop
    method: One
    compensate:
      steps:
        - { service: shop, method: Undo, input: { id: "{{ .one.id }}" } }
        - { service: mail, method: Tell }
  - fail: { code: ABORTED, message: "no" }
`),
      { runId: "r" },
    );
    const parked = await run.result();
    assert.equal(parked.status, "needs_attention");
    assert.equal(parked.attention[0]?.step, "one.compensate[1]");
    assert.equal(parked.steps[0]?.compensation?.status, "parked");
    stock = true;
    await run.resolve({ step: "one.compensate[1]", action: "retry", reason: "logged in" });
    const report = await run.result();
    assert.equal(report.status, "compensated");
    assert.deepEqual(world.effects, [
      "r/one/action",
      "r/one.compensate[0]/compensate",
      "r/one.compensate[1]/compensate",
    ]);
    const tell = world.calls.at(-1);
    assert.equal(tell?.metadata["maestro-action-key"], "r/one/action");
    assert.equal(report.steps[0]?.compensation?.attempts, 3);
  } finally {
    await engine.close();
    clock.stop();
  }
});

Deno.test("a run that is cancelled rolls back; a second cancel changes nothing", async () => {
  let run: Run | undefined;
  const { engine, world, clock } = stage({
    "shop/One": ok,
    "shop/Two": () => {
      queueMicrotask(() => {
        run?.cancel("ada");
        run?.cancel("bob");
      });
      return { hang: true };
    },
    "shop/Three": ok,
    ...undos,
  });
  try {
    const text = threeSteps().replace(
      "compensate: { method: UndoTwo, input: { of: two } }",
      "timeout: 1h",
    );
    run = await engine.start(workflowOf(text), { runId: "r" });
    const report = await run.result();
    assert.equal(report.status, "cancelled");
    assert.equal(report.error?.code, "RUN_CANCELLED");
    assert.match(report.error?.message ?? "", /ada/);
    assert.deepEqual(world.cancelled, ["r/two/action"], "the cancellation reaches the server");
    assert.equal(report.steps[1]?.outcome, "unknown");
    assert.equal(world.effects.at(-1), "r/one/compensate");
  } finally {
    await engine.close();
    clock.stop();
  }
});

Deno.test("a sibling in flight that can be undone may finish its attempt, without retries; others are cancelled", async () => {
  const { report, world } = await play(
    `
name: siblings
services: { shop: { endpoint: "shop:1", retry: { attempts: 5 } } }
steps:
  - parallel:
      - { id: bad, service: shop, method: Bad }
      - { id: kept, service: shop, method: Slow, compensate: { method: Undo, input: {} } }
      - { id: failing, service: shop, method: SlowFail, compensate: { method: Undo, input: {} } }
      - { id: dropped, service: shop, method: Slow }
      - { id: never, service: shop, method: Slow, needs: [kept] }
`,
    {
      "shop/Bad": { fail: "ABORTED", after: 10 },
      "shop/Slow": { answer: {}, after: 100 },
      "shop/SlowFail": { fail: "UNAVAILABLE", after: 200 },
      "shop/Undo": ok,
    },
  );
  assert.equal(report.status, "compensated");
  assert.deepEqual(
    Object.fromEntries(report.steps.map((step) => [step.id, [step.status, step.attempts]])),
    {
      bad: ["failed", 1],
      kept: ["completed", 1],
      failing: ["failed", 1],
      dropped: ["cancelled", 1],
    },
  );
  assert.deepEqual(world.cancelled, ["r/steps[0].dropped/action"]);
  assert.deepEqual(world.effects.filter((key) => key.endsWith("/compensate")), [
    "r/steps[0].failing/compensate",
    "r/steps[0].kept/compensate",
  ]);
});

Deno.test("with several failures, the first is the error", async () => {
  const { report } = await play(
    `
name: first
services: { shop: { endpoint: "shop:1" } }
steps:
  - parallel:
      - { id: late, service: shop, method: Late }
      - { id: early, service: shop, method: Early }
    on_failure: finish
`,
    { "shop/Late": { fail: "INTERNAL", after: 100 }, "shop/Early": { fail: "ABORTED", after: 10 } },
  );
  assert.equal(report.error?.step, "steps[0].early");
});

Deno.test("a branch that runs out of its own time stops no other where they are to finish", async () => {
  const { report, world } = await play(
    `
name: finish
services: { shop: { endpoint: "shop:1" } }
steps:
  - parallel:
      - { id: hangs, service: shop, method: Hangs, timeout: 1s }
      - { id: slow, service: shop, method: Slow }
    on_failure: finish
`,
    { "shop/Hangs": { hang: true }, "shop/Slow": { answer: {}, after: 5_000 } },
  );
  assert.equal(report.error?.code, "STEP_TIMEOUT");
  assert.equal(report.steps.find((step) => step.id === "slow")?.status, "completed");
  assert.deepEqual(world.cancelled, []);
});

Deno.test("a call that is not idempotent is made at most once", async () => {
  const { report, world } = await play(
    `
name: once
services: { shop: { endpoint: "shop:1", retry: { attempts: 5, codes: [ABORTED] } } }
steps:
  - { id: one, service: shop, method: One, idempotent: false }
`,
    { "shop/One": { fail: "UNAVAILABLE" } },
  );
  assert.equal(report.error?.outcome, "unknown");
  assert.equal(world.calls.length, 1);
});

Deno.test("a call that never left is tried again either way, and counts", async () => {
  const { report, world } = await play(
    `
name: refused
services: { shop: { endpoint: "shop:1", retry: { attempts: 3 } } }
steps:
  - { id: one, service: shop, method: One, idempotent: false }
`,
    { "shop/One": { fail: "UNAVAILABLE", outcome: "not_sent" } },
  );
  assert.equal(world.calls.length, 3);
  assert.equal(report.error?.outcome, "not_sent");
  assert.equal(report.error?.attempts, 3);
});
