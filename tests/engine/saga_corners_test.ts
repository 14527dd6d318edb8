/** Corners of the saga that random workflows have found. */
import assert from "node:assert/strict";
import { Engine } from "../../src/engine/engine.ts";
import type { Happening } from "../../src/engine/happening.ts";
import type { Run } from "../../src/engine/run.ts";
import { stage, workflowOf } from "../support/engines.ts";
import type { Script } from "../support/world.ts";

const SERVICES = `
services:
  shop: { endpoint: "shop:1", attempt_timeout: 10s, circuit_breaker: false }
saga: { retry: { initial_delay: 1s, jitter: 0 } }
`;

const ok: Script = { answer: {} };

/** Starts a run, and gives a second process that takes it up, for those who stop the first one. */
async function start(
  steps: string,
  scripts: Readonly<Record<string, Script>>,
  onHappening: (event: Happening, run: Run | undefined, engine: Engine) => void = () => {},
  child = "",
) {
  const staged = stage(scripts);
  const { world, clock, journal } = staged;
  const second = new Engine({ caller: world.caller(), journal, clock, random: () => 0 });
  const files = new Map([["child.yaml", `name: child\n${SERVICES}\n${child}`]]);
  let run: Run | undefined = undefined;
  run = await staged.engine.start(workflowOf(`name: w\n${SERVICES}\n${steps}`, files), {
    runId: "r",
    onHappening: (event) => onHappening(event, run, staged.engine),
  });
  return {
    run,
    world,
    resume: () => second.resume("r"),
    async [Symbol.asyncDispose]() {
      await staged.engine.close();
      await second.close();
      clock.stop();
    },
  };
}

Deno.test("an operator who aborts what a catch undoes ends the run, and nothing more is done", async () => {
  await using staged = await start(
    `
steps:
  - id: g
    steps:
      - { id: a, service: shop, method: A, compensate: { method: UndoA } }
      - { id: b, service: shop, method: B }
    catch: [ { undo: true, steps: [ { id: c, service: shop, method: C } ] } ]
  - { id: d, service: shop, method: D }
`,
    {
      "shop/A": ok,
      "shop/B": { fail: "ABORTED" },
      "shop/C": ok,
      "shop/D": ok,
      "shop/UndoA": { fail: "PERMISSION_DENIED" },
    },
  );
  const { run, world } = staged;
  assert.equal((await run.result()).status, "needs_attention");
  await run.resolve({ step: "g.a", action: "abort", reason: "it can't be undone" });
  const report = await run.result();
  assert.equal(report.status, "incomplete");
  assert.equal(report.error?.code, "ABORTED", "it is what failed first that made it turn back");
  assert.equal(report.error?.step, "g.b");
  assert.deepEqual(world.effects, ["r/g.a/action"]);
});

Deno.test("an attempt that is made again after a restart is not asked about before its new deadline", async () => {
  await using staged = await start(
    `
steps:
  - parallel:
      - { id: pause, wait: 4s }
      - { id: a, service: shop, method: A, verify: { method: Find } }
`,
    { "shop/A": (_, nth) => nth === 1 ? { hang: true } : { fail: "INTERNAL" }, "shop/Find": ok },
    (event, _, engine) => {
      if (event.kind === "step_completed" && event.path.endsWith("pause")) void engine.close();
    },
  );
  await assert.rejects(staged.run.result());
  const run = await staged.resume();
  assert.equal((await run.result()).status, "completed");
  const [, again, asked] = staged.world.calls;
  assert.ok(again && asked);
  assert.equal(again.attempt, 1);
  assert.equal(asked.method, "shop/Find");
  assert.equal(asked.at - again.at, 10_000);
});

Deno.test("a pivot whose block runs out of time while it is in doubt is passed: nothing is rolled back", async () => {
  await using staged = await start(
    `
steps:
  - { id: a, service: shop, method: A, compensate: { method: UndoA } }
  - id: g
    timeout: 1s
    steps: [ { id: p, service: shop, method: P, pivot: true } ]
`,
    { "shop/A": ok, "shop/P": { hang: true }, "shop/UndoA": ok },
  );
  const { run, world } = staged;
  const parked = await run.result();
  assert.equal(parked.status, "needs_attention");
  assert.deepEqual(parked.attention.map(({ step }) => step), ["g"]);
  await run.resolve({ step: "g", action: "abort", reason: "enough" });
  assert.equal((await run.result()).status, "incomplete");
  assert.deepEqual(world.effects, ["r/a/action"]);
});

Deno.test("a call under way in the steps of a catch is undone, where the run was cancelled before a restart", async () => {
  await using staged = await start(
    `
steps:
  - id: g
    steps: [ { id: x, service: shop, method: X } ]
    catch: [ { steps: [ { id: b, service: shop, method: B, compensate: { method: UndoB } } ] } ]
`,
    { "shop/X": { fail: "ABORTED" }, "shop/B": { hang: true }, "shop/UndoB": ok },
    (event, run, engine) => {
      if (event.kind !== "attempt_started" || !event.path.endsWith(".b")) return;
      run?.cancel();
      void engine.close();
    },
  );
  await assert.rejects(staged.run.result());
  const run = await staged.resume();
  assert.equal((await run.result()).status, "cancelled");
  assert.deepEqual(staged.world.effects, ["r/g.catch[0].b/compensate"]);
});

Deno.test("until is not asked after a round that has ended the run with return", async () => {
  await using staged = await start(
    `
steps:
  - repeat:
      - return: { early: true }
      - set: { n: 1 }
    until: "{{ .n > 0.0 }}"
    max_rounds: 3
`,
    {},
  );
  const report = await staged.run.result();
  assert.equal(report.status, "completed");
  assert.deepEqual(report.output, { early: true });
});

Deno.test("until is not asked after a round that an operator has aborted", async () => {
  await using staged = await start(
    `
steps:
  - { id: p, service: shop, method: P, pivot: true }
  - id: again
    repeat:
      - { id: a, service: shop, method: A }
      - set: { n: "{{ .a.n }}" }
    until: "{{ .n > 0.0 }}"
    max_rounds: 3
`,
    { "shop/P": ok, "shop/A": { fail: "FAILED_PRECONDITION" } },
  );
  const { run } = staged;
  assert.equal((await run.result()).status, "needs_attention");
  await run.resolve({ step: "again[0].a", action: "abort", reason: "enough" });
  const report = await run.result();
  assert.equal(report.status, "incomplete");
  assert.equal(report.error?.code, "FAILED_PRECONDITION");
});

Deno.test("past the pivot a failure that a catch around takes cancels its siblings as ever", async () => {
  await using staged = await start(
    `
steps:
  - { id: p, service: shop, method: P, pivot: true }
  - id: both
    parallel:
      - { id: a, service: shop, method: A }
      - { id: b, service: shop, method: B }
    catch: [ { codes: [ABORTED] } ]
`,
    { "shop/P": ok, "shop/A": { hang: true }, "shop/B": { fail: "ABORTED", after: 1_000 } },
  );
  assert.equal((await staged.run.result()).status, "completed");
  assert.deepEqual(staged.world.cancelled, ["r/both.a/action"]);
});

Deno.test("a parked child run's step, and a parked catch, are cancelled with their block", async () => {
  await using staged = await start(
    `
steps:
  - { id: p, service: shop, method: P, pivot: true }
  - id: all
    parallel:
      - { id: child, workflow: ./child.yaml }
      - id: caught
        steps: [ { id: a, service: shop, method: A } ]
        catch: [ { codes: [NOT_FOUND], steps: [ { id: x, service: shop, method: A, catch: [ { codes: [INTERNAL] } ] } ], result: "{{ .error.metadata.none }}" } ]
      - { id: b, service: shop, method: B }
    catch: [ { codes: [ABORTED] } ]
`,
    {
      "shop/P": ok,
      "shop/A": { fail: "NOT_FOUND" },
      "shop/B": { fail: "ABORTED", after: 1_000 },
    },
    undefined,
    `steps: [ { id: c, service: shop, method: A } ]`,
  );
  assert.equal((await staged.run.result()).status, "completed");
});

Deno.test("a child run's pivot that waits for its verify is not passed yet", async () => {
  await using staged = await start(
    `
steps:
  - { id: a, service: shop, method: A, compensate: { method: UndoA } }
  - { id: child, workflow: ./child.yaml }
`,
    {
      "shop/A": ok,
      "shop/P": { fail: "INTERNAL" },
      "shop/FindP": (_, nth) => ({ fail: nth === 1 ? "PERMISSION_DENIED" : "NOT_FOUND" }),
      "shop/UndoA": ok,
    },
    undefined,
    `steps: [ { id: p, service: shop, method: P, pivot: true, verify: { method: FindP } } ]`,
  );
  const { run, world } = staged;
  assert.equal((await run.result()).status, "needs_attention");
  await run.resolve({ step: "child/p", action: "retry", reason: "it may ask now" });
  assert.equal((await run.result()).status, "compensated");
  assert.deepEqual(world.effects, ["r/a/action", "r/a/compensate"]);
});

Deno.test("nothing catches a failure, or is parked by it, once an operator has aborted the run", async () => {
  await using staged = await start(
    `
steps:
  - { id: p, service: shop, method: P, pivot: true }
  - id: all
    timeout: 5s
    steps:
      - id: g
        steps:
          - { id: a, service: shop, method: A, compensate: { method: UndoA } }
          - { id: b, service: shop, method: B }
        catch: [ { codes: [ABORTED], undo: true } ]
  - { id: c, service: shop, method: P }
`,
    {
      "shop/P": ok,
      "shop/A": ok,
      "shop/B": { fail: "ABORTED" },
      "shop/UndoA": { fail: "PERMISSION_DENIED", after: 6_000 },
    },
  );
  const { run, world } = staged;
  const parked = await run.result();
  assert.deepEqual(parked.attention.map(({ step }) => step), ["all.g.a"]);
  await run.resolve({ step: "all.g.a", action: "abort", reason: "it can't be undone" });
  assert.equal((await run.result()).status, "incomplete");
  assert.deepEqual(world.effects, ["r/p/action", "r/all.g.a/action"]);
});

Deno.test("a run that was out of time while its pivot was under way stops once that has not happened", async () => {
  for (
    const steps of [
      "steps: [ { id: p, service: shop, method: P, pivot: true } ]",
      "workflow: ./child.yaml",
    ]
  ) {
    await using staged = await start(
      `
timeout: 2s
steps:
  - { id: g, ${steps}, catch: [ { codes: [ABORTED, CHILD_FAILED] } ] }
  - { id: a, service: shop, method: A }
`,
      { "shop/P": { fail: "ABORTED", after: 3_000 }, "shop/A": ok },
      undefined,
      "steps: [ { id: p, service: shop, method: P, pivot: true } ]",
    );
    assert.equal((await staged.run.result()).status, "timed_out");
    assert.equal(staged.world.calls.length, 1);
  }
});

Deno.test("what the catch of a pivot does can be cancelled: the pivot has not happened", async () => {
  await using staged = await start(
    `
steps:
  - id: p
    service: shop
    method: P
    pivot: true
    catch: [ { steps: [ { wait: 1m } ] } ]
`,
    { "shop/P": { fail: "ABORTED" } },
    (event, run) => {
      if (event.kind === "step_started" && event.form === "wait") run?.cancel();
    },
  );
  assert.equal((await staged.run.result()).status, "cancelled");
});

Deno.test("a call in doubt that an operator skips past the pivot is undone by a catch around it that undoes", async () => {
  await using staged = await start(
    `
steps:
  - { id: p, service: shop, method: P, pivot: true }
  - id: g
    steps:
      - id: both
        parallel:
          - { id: a, service: shop, method: A, compensate: { method: UndoA } }
          - steps: [ { wait: 5s }, { id: b, service: shop, method: B, compensate: { method: UndoB } } ]
      - { id: x, service: shop, method: X }
    catch: [ { codes: [ABORTED], undo: true } ]
`,
    {
      "shop/P": ok,
      "shop/A": { fail: "INTERNAL" },
      "shop/B": ok,
      "shop/X": { fail: "ABORTED" },
      "shop/UndoA": ok,
      "shop/UndoB": ok,
    },
  );
  const { run, world } = staged;
  const parked = await run.result();
  assert.deepEqual(parked.attention.map(({ step }) => step), ["g.both.a"]);
  await run.resolve({ step: "g.both.a", action: "skip", reason: "go on without" });
  const report = await run.result();
  assert.equal(report.status, "completed");
  assert.equal(report.steps.find(({ id }) => id === "a")?.outcome, "unknown");
  // It was in doubt before the other one was done.
  assert.deepEqual(world.effects.slice(-2), [
    "r/g.both.parallel[1].b/compensate",
    "r/g.both.a/compensate",
  ]);
});

Deno.test("who waits for a run is told of its end, where an operator decides while something else still goes on", async () => {
  await using staged = await start(
    `
steps:
  - wait: 1s
  - { id: p, service: shop, method: P, pivot: true }
  - parallel:
      - { id: a, service: shop, method: A }
      - { id: b, service: shop, method: B }
`,
    { "shop/P": ok, "shop/A": { fail: "ABORTED" }, "shop/B": { answer: {}, after: 5_000 } },
    (event, run) => {
      if (event.kind !== "attention_raised") return;
      queueMicrotask(() => run?.resolve({ step: event.path, action: "skip", reason: "go on" }));
    },
  );
  assert.equal((await staged.run.result()).status, "completed");
});

Deno.test("a step that is caught in the moment its block fails comes to its end all the same", async () => {
  await using staged = await start(
    `
steps:
  - parallel:
      - { id: b, service: shop, method: B, idempotent: false }
      - id: a
        service: shop
        method: A
        idempotent: false
        compensate: { method: UndoA }
        catch: [ { undo: true } ]
`,
    { "shop/A": { hang: true }, "shop/B": { hang: true }, "shop/UndoA": ok },
    (event, _, engine) => {
      if (event.kind === "attempt_started" && event.path.endsWith("a")) void engine.close();
    },
  );
  await assert.rejects(staged.run.result());
  const report = await (await staged.resume()).result();
  assert.deepEqual(report.steps.filter(({ status }) => status === "running"), []);
  assert.equal(report.status, "compensated");
  assert.equal(staged.world.effects.length, 1);
});

Deno.test("an operator who aborts past the pivot stops what goes on beside it, and nothing new is begun", async () => {
  await using staged = await start(
    `
steps:
  - wait: 1s
  - { id: p, service: shop, method: P, pivot: true }
  - parallel:
      - steps: [ { id: a, service: shop, method: A } ]
      - steps: [ { id: b, service: shop, method: B }, { id: c, service: shop, method: P } ]
      - foreach: [ 1, 2 ]
        steps: [ { id: d, service: shop, method: D, verify: { method: Find } } ]
`,
    {
      "shop/P": ok,
      "shop/A": { fail: "ABORTED" },
      "shop/B": { fail: "UNAVAILABLE", after: 5_000 },
      "shop/D": { hang: true },
      "shop/Find": { answer: {}, after: 6_000 },
    },
    (event, run) => {
      if (event.kind !== "attention_raised") return;
      queueMicrotask(() => run?.resolve({ step: event.path, action: "abort", reason: "enough" }));
    },
  );
  const report = await staged.run.result();
  assert.equal(report.status, "incomplete");
  assert.equal(report.error?.code, "ABORTED");
  assert.deepEqual(staged.world.cancelled.length, 2); // b and the first d, at once
  assert.deepEqual(staged.world.calls.map(({ method }) => method), [
    "shop/P",
    "shop/A",
    "shop/B",
    "shop/D",
    "shop/Find",
  ]);
});

Deno.test("what a catch undoes is undone to its end, where a run was aborted elsewhere before a restart", async () => {
  await using staged = await start(
    `
steps:
  - wait: 1s
  - parallel:
      - id: g
        steps:
          - { id: a, service: shop, method: A, compensate: { method: UndoA } }
          - { id: x, service: shop, method: X }
        catch: [ { undo: true } ]
      - id: h
        steps:
          - { id: b, service: shop, method: B, compensate: { method: UndoB } }
          - { id: y, service: shop, method: X }
        catch: [ { undo: true } ]
`,
    {
      "shop/A": ok,
      "shop/B": ok,
      "shop/X": { fail: "ABORTED" },
      "shop/UndoA": { fail: "PERMISSION_DENIED" },
      "shop/UndoB": { answer: {}, after: 5_000 },
    },
    (event, run, engine) => {
      if (event.kind === "attention_raised") {
        queueMicrotask(() => run?.resolve({ step: event.path, action: "abort", reason: "enough" }));
      }
      if (event.kind === "attention_resolved") void engine.close();
    },
  );
  await assert.rejects(staged.run.result());
  const report = await (await staged.resume()).result();
  assert.equal(report.status, "incomplete");
  assert.ok(staged.world.effects.some((key) => key.endsWith("h.b/compensate")));
  assert.deepEqual(report.steps.filter(({ status }) => status === "running"), []);
});

Deno.test("a block that is failing is caught by nobody once what is around it fails too", async () => {
  const caught: Happening[] = [];
  await using staged = await start(
    `
steps:
  - parallel:
      - id: g
        parallel:
          - { id: a, service: shop, method: A, compensate: { method: UndoA } }
          - { id: b, service: shop, method: B }
        catch: [ { steps: [ { id: c, service: shop, method: C } ] } ]
      - steps: [ { wait: 2s }, { id: d, service: shop, method: B } ]
`,
    {
      "shop/A": { answer: {}, after: 5_000 },
      "shop/B": { fail: "ABORTED" },
      "shop/C": ok,
      "shop/UndoA": ok,
    },
    (event) => {
      if (event.kind === "step_caught") caught.push(event);
    },
  );
  assert.equal((await staged.run.result()).status, "compensated");
  assert.deepEqual(caught, []);
  assert.deepEqual(staged.world.effects, ["r/steps[0].g.a/action", "r/steps[0].g.a/compensate"]);
});
