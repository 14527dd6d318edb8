/**
 * semantics.md §4, rules 1 to 5, sentence by sentence.
 *
 * In tests/engine/saga_test.ts: a sibling in flight may finish its attempt, without retries ("a sibling
 * in flight that can be undone …"), the first failure is the error ("with several failures, …"), what a
 * compensation's input sees ("a compensation sees …"), its retries ("a compensation is tried again, …"),
 * NOT_FOUND ("a compensation that is answered NOT_FOUND counts as done"), `give_up_after` and an
 * operator's retry with a changed input ("a compensation that gives up …"), an input that can't be made
 * ("a compensation whose input can't be made parks the run"), skip and abort ("an operator's …"). Of
 * groups of compensating steps: tests/engine/operator_test.ts.
 */
import assert from "node:assert/strict";
import { called, inputsOf, oneAfterAnother, play, stepOf, took, undone } from "../support/scene.ts";

const UNDO = "compensate: { method: Undo }";

Deno.test("§4.1 its block is failing (a fact), then the block around it, up to the run", async () => {
  const { facts } = await play(
    "  - id: outer\n    steps: [ { id: inner, foreach: [1], steps: [ { id: bad, service: shop, method: Refuse } ] } ]",
  );
  assert.deepEqual(
    facts.filter(({ kind }) => kind === "step_failed" || kind === "block_failing")
      .map((fact) => `${fact.kind} ${"path" in fact ? fact.path : ""}`),
    [
      "step_failed outer.inner[0].bad",
      "block_failing outer.inner[0]",
      "step_failed outer.inner[0]",
      "block_failing outer.inner",
      "step_failed outer.inner",
      "block_failing outer",
      "step_failed outer",
      "block_failing ",
      "step_failed ",
    ],
  );
});

Deno.test("§4.1 nothing new starts in a failing block", async () => {
  const played = await play(
    `
  - parallel:
      - { id: bad, service: shop, method: Late }
      - { id: group, steps: [ { id: kept, service: shop, method: Slow, ${UNDO} }, { id: next, service: shop, method: Do } ] }
      - { id: turns, foreach: [1, 2], steps: [ { id: each, service: shop, method: Slow, ${UNDO} } ] }
      - { id: needs, needs: [group], service: shop, method: Do }
    concurrency: 3
`,
    { cast: { Late: { fail: "ABORTED", after: 500 } } },
  );
  assert.equal(played.report.status, "compensated");
  assert.deepEqual(called(played).map((path) => path.replace("steps[0].", "")), [
    "bad",
    "group.kept",
    "turns[0].each",
  ]);
  assert.equal(undone(played).length, 2);
});

Deno.test("§4.1 with `finish` the branches run to their own end, with their retries and all their steps", async () => {
  const played = await play(
    `
  - on_failure: finish
    parallel:
      - { id: bad, service: shop, method: Refuse }
      - { id: flaky, service: shop, method: Flaky, retry: { attempts: 3 }, ${UNDO} }
      - { id: group, steps: [ { service: shop, method: Slow }, { id: last, service: shop, method: Slow, ${UNDO} } ] }
`,
    { cast: { Flaky: oneAfterAnother({ fail: "UNAVAILABLE" }, { answer: {} }) } },
  );
  assert.equal(played.report.status, "compensated");
  assert.equal(stepOf(played, "steps[0].flaky").status, "completed");
  assert.deepEqual(undone(played), ["steps[0].group.last", "steps[0].flaky"]);
  assert.equal(stepOf(played, "steps[0].bad").finished_at, played.report.started_at);
});

Deno.test("§4.1 with `finish` a `timeout` or a cancel ends the branches all the same", async () => {
  const steps =
    `on_failure: finish, parallel: [ { service: shop, method: Refuse }, { id: other, await_signal: never } ]`;
  const late = await play(`  - { ${steps}, timeout: 5s }`);
  assert.equal(took(late), 5_000);
  assert.equal(stepOf(late, "steps[0].other").status, "cancelled");
  const cancelled = await play(`  - { ${steps} }`, {
    during: ({ run, after }) => after(5_000, () => run.cancel()),
  });
  assert.equal(cancelled.report.status, "cancelled");
  assert.equal(took(cancelled), 5_000);
});

Deno.test("§4.1 rollback begins when all have settled", async () => {
  const played = await play(`
  - { id: before, service: shop, method: Do, ${UNDO} }
  - parallel: [ { service: shop, method: Refuse }, { id: kept, service: shop, method: Slow, ${UNDO} } ]
`);
  const undos = played.facts.filter(({ kind }) => kind === "rollback_started");
  assert.deepEqual(undos.map(({ at }) => at), [Date.parse(played.report.started_at) + 1_000]);
  assert.deepEqual(undone(played), ["steps[1].kept", "before"]);
});

Deno.test("§4.2 compensated are the completed and the unknown, in strict reverse order of completion, across all blocks and rounds", async () => {
  const played = await play(
    `
  - { id: first, service: shop, method: Do, ${UNDO} }
  - parallel:
      - id: turns
        foreach: [30, 10, 20]
        concurrency: 3
        steps: [ { id: each, service: shop, method: Timed, input: { of: "{{ .item }}" }, ${UNDO} } ]
      - id: again
        repeat: [ { id: in_round, service: shop, method: Timed, input: { of: 12 }, ${UNDO} } ]
        until: "{{ false }}"
        max_rounds: 2
        catch: [ { steps: [ { id: instead, service: shop, method: Timed, input: { of: 1 }, ${UNDO} } ] } ]
      - { id: doubt, service: shop, method: TimedLoss, ${UNDO}, catch: [ { steps: [ { wait: 1s } ] } ] }
      - { id: nothing, service: shop, method: Refuse, ${UNDO}, catch: [ { result: {} } ] }
      - { id: skipped, when: "{{ false }}", service: shop, method: Do, ${UNDO} }
      - { id: no_undo, service: shop, method: Do }
  - { service: shop, method: Refuse }
`,
    {
      cast: {
        Timed: ({ input }) => ({ answer: {}, after: (input as { of: number }).of }), // as sent
        TimedLoss: { fail: "INTERNAL", after: 15 },
      },
    },
  );
  assert.equal(played.report.status, "compensated");
  assert.deepEqual(undone(played).map((path) => path.replace("steps[1].", "")), [
    "turns[0].each", // 30
    "again.catch[0].instead", // 25
    "again[1].in_round", // 24
    "turns[2].each", // 20
    "doubt", // 15, when it failed
    "again[0].in_round", // 12
    "turns[1].each", // 10
    "first",
  ]);
});

Deno.test("§4.2 one at a time", async () => {
  const played = await play(
    `  - foreach: [1, 2, 3]\n    concurrency: 3\n    steps: [ { service: shop, method: Do, compensate: { method: SlowUndo } } ]\n  - { service: shop, method: Refuse }`,
    { cast: { SlowUndo: { answer: {}, after: 1_000 } } },
  );
  assert.equal(took(played), 3_000);
});

Deno.test("§4.3 a compensation's `input` sees what its step saw in its round, plus the step's own output", async () => {
  const played = await play(`
  - foreach: [a, b]
    as: name
    steps:
      - set: { mine: "{{ .name + .name }}" }
      - { id: it, service: shop, method: Do, compensate: { method: Undo, input: { mine: "{{ .mine }}", at: "{{ .name_index }}", id: "{{ .it.id }}" } } }
  - { service: shop, method: Refuse }
`);
  assert.deepEqual(inputsOf(played, "Undo"), [
    { mine: "bb", at: 1, id: "steps[0][1].it" },
    { mine: "aa", at: 0, id: "steps[0][0].it" },
  ]);
});

Deno.test("§4.3 for an unknown step that output is {}, and an input that then can't be made parks the run; a changed input is taken", async () => {
  const played = await play(
    `
  - { id: before, service: shop, method: Do, ${UNDO} }
  - { id: it, service: shop, method: Lose, compensate: { method: Undo, input: { id: "{{ .it.id }}" } } }
`,
    {
      during: async ({ run }) => {
        const parked = await run.result();
        assert.equal(parked.status, "needs_attention");
        const [one] = parked.attention;
        assert.deepEqual([one?.step, one?.op, one?.error.code], [
          "it",
          "compensate",
          "EXPRESSION_ERROR",
        ]);
        await run.resolve({
          step: "it",
          action: "retry",
          input: { id: "by hand" },
          by: "ada",
          reason: "found it",
        });
      },
    },
  );
  assert.equal(played.report.status, "compensated");
  const undos = played.world.calls.filter(({ method }) => method === "shop/Undo");
  assert.deepEqual(undos.map(({ input, key }) => [input, key]), [
    [{ id: "by hand" }, "r/it/compensate#2"],
    [{}, "r/before/compensate"],
  ]);
});

for (const code of ["INVALID_ARGUMENT", "UNIMPLEMENTED", "UNAUTHENTICATED", "PERMISSION_DENIED"]) {
  Deno.test(`§4.4 a compensation is retried on every code but ${code}: the run is parked at once`, async () => {
    const played = await play(
      `  - { id: it, service: shop, method: Do, ${UNDO} }\n  - { service: shop, method: Refuse }`,
      { cast: { Undo: { fail: code } } },
    );
    assert.equal(played.report.status, "needs_attention");
    assert.equal(inputsOf(played, "Undo").length, 1);
  });
}

Deno.test("§4.4 … or as `saga.retry` says", async () => {
  const played = await play(
    `  - { id: it, service: shop, method: Do, ${UNDO} }\n  - { service: shop, method: Refuse }`,
    {
      head: "saga: { retry: { initial_delay: 100ms, multiplier: 3, max_delay: 500ms, jitter: 0 } }",
      cast: {
        Undo: (_, nth) => nth < 5 ? { fail: "ABORTED" } : { answer: {} },
      },
    },
  );
  assert.equal(took(played), 100 + 300 + 500 + 500);
});

Deno.test("§4.4 it waits on an open breaker", async () => {
  const played = await play(
    `  - { id: it, service: lazy, method: Do, ${UNDO} }\n  - { service: shop, method: Refuse }`,
    {
      head:
        'services: { shop: { endpoint: "shop:1" }, lazy: { endpoint: "lazy:1", circuit_breaker: { min_calls: 2, failure_rate: 50, on_open: fail, open_for: 20s } } }\nsaga: { retry: { initial_delay: 1s, jitter: 0 } }',
      cast: {
        "lazy/Do": { answer: {} },
        "lazy/Undo": (_, nth) => nth === 1 ? { fail: "UNAVAILABLE" } : { answer: {} },
      },
    },
  );
  assert.equal(played.report.status, "compensated");
  assert.equal(took(played), 20_000);
});

Deno.test("§4.4 an operator may retry, skip or abort, each recorded with who and why", async () => {
  const played = await play(
    `  - { id: one, service: shop, method: Do, ${UNDO} }\n  - { id: two, service: shop, method: Do, ${UNDO} }\n  - { id: three, service: shop, method: Do, ${UNDO} }\n  - { service: shop, method: Refuse }`,
    {
      cast: { Undo: { fail: "PERMISSION_DENIED" } },
      during: async ({ run }) => {
        for (
          const [step, action, by] of [
            ["three", "retry", "ada"],
            ["three", "skip", "bob"],
            ["two", "abort", "eve"],
          ] as const
        ) {
          assert.deepEqual((await run.result()).attention.map((one) => one.step), [step]);
          await run.resolve({ step, action, by, reason: `${by} says so` });
        }
      },
    },
  );
  assert.equal(played.report.status, "incomplete");
  const resolved = played.facts.filter((fact) => fact.kind === "attention_resolved");
  assert.deepEqual(resolved.map(({ path, action, by, reason }) => [path, action, by, reason]), [
    ["three", "retry", "ada", "ada says so"],
    ["three", "skip", "bob", "bob says so"],
    ["two", "abort", "eve", "eve says so"],
  ]);
  // What still stands is listed.
  assert.deepEqual(
    played.report.steps.slice(0, 3).map(({ compensation }) => compensation?.status),
    [
      "pending",
      "parked",
      "skipped",
    ],
  );
});

Deno.test("§4.4 then rollback goes on", async () => {
  const played = await play(
    `  - { id: one, service: shop, method: Do, ${UNDO} }\n  - { id: two, service: shop, method: Do, ${UNDO} }\n  - { service: shop, method: Refuse }`,
    {
      cast: {
        Undo: ({ metadata }, nth) =>
          nth < 3 && metadata["maestro-step"] === "two"
            ? { fail: "UNAUTHENTICATED" }
            : { answer: {} },
      },
      during: async ({ run }) => {
        await run.result();
        await run.resolve({ step: "two", action: "retry", reason: "again" });
        await run.result();
        await run.resolve({ step: "two", action: "retry", reason: "and again" });
      },
    },
  );
  assert.equal(played.report.status, "compensated");
  assert.deepEqual(undone(played), ["two", "one"]);
});

Deno.test("§4.4 time spent parked counts for nothing", async () => {
  const played = await play(
    `  - { id: it, service: shop, method: Do, ${UNDO} }\n  - { service: shop, method: Refuse }`,
    {
      head: "saga: { retry: { initial_delay: 1s, jitter: 0 }, give_up_after: 10s }",
      cast: { Undo: (_, nth) => nth < 7 ? { fail: "INTERNAL" } : { answer: {} } },
      during: async ({ run, clock }) => {
        await run.result(); // 0s, 1s, 3s, 7s: the next would be too late
        clock.advance(3_600_000);
        await run.resolve({ step: "it", action: "retry", reason: "an hour later" });
      },
    },
  );
  assert.equal(played.report.status, "compensated");
  assert.equal(stepOf(played, "it").compensation?.attempts, 7);
});

for (
  const [whose, head, block] of [
    ["the run", "timeout: 10s", ""],
    ["a block around it", "", "timeout: 10s, "],
  ] as const
) {
  Deno.test(`§4.4 … also while a catch undoes something: nothing to the timeout of ${whose}`, async () => {
    let mended = false;
    const steps =
      `{ id: g, steps: [ { id: it, service: shop, method: Do, ${UNDO} }, { service: shop, method: Refuse } ], catch: [ { undo: true } ] }`;
    const played = await play(`  - { ${block}steps: [ { wait: 8s }, ${steps}, { wait: 1s } ] }`, {
      head,
      cast: { Undo: () => mended ? { answer: {} } : { fail: "PERMISSION_DENIED" } },
      during: async ({ run, clock }) => {
        await run.result();
        clock.advance(3_600_000);
        mended = true;
        await run.resolve({ step: "steps[0].g.it", action: "retry", reason: "an hour later" });
      },
    });
    assert.equal(played.report.status, "completed");
    assert.equal(took(played), 9_000 + 3_600_000);
  });
}

Deno.test("§4.4 … nor to the timeout of a block of compensating steps", async () => {
  let mended = false;
  const undoing =
    "{ id: g, timeout: 10s, steps: [ { wait: 8s }, { service: shop, method: Undo }, { wait: 1s } ] }";
  const played = await play(
    `  - { id: it, service: shop, method: Do, compensate: { steps: [ ${undoing} ] } }\n  - { service: shop, method: Refuse }`,
    {
      cast: { Undo: () => mended ? { answer: {} } : { fail: "PERMISSION_DENIED" } },
      during: async ({ run, clock }) => {
        const { attention } = await run.result();
        clock.advance(3_600_000);
        mended = true;
        const step = attention[0]?.step ?? "";
        await run.resolve({ step, action: "retry", reason: "an hour later" });
      },
    },
  );
  assert.equal(played.report.status, "compensated");
  assert.equal(took(played), 9_000 + 3_600_000);
});

Deno.test("§4.5 rollback can't be cancelled and is not under the run's timeout", async () => {
  const played = await play(
    `  - { id: it, service: shop, method: Do, ${UNDO} }\n  - { service: shop, method: Refuse }`,
    {
      head: "timeout: 5s",
      cast: { Undo: { answer: {}, after: 20_000 } },
      during: ({ run, after }) => {
        after(1_000, () => run.cancel("ada"));
        after(10_000, () => run.cancel("bob"));
      },
    },
  );
  assert.equal(played.report.status, "compensated");
  assert.equal(took(played), 20_000);
  assert.ok(!played.facts.some(({ kind }) => kind === "cancel_requested"));
});
