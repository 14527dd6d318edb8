/** semantics.md §4, "Pivot", sentence by sentence. Where it may stand: language_5_saga_test.ts. */
import assert from "node:assert/strict";
import { explain } from "../../src/cli/explain.ts";
import { paintWith } from "../../src/cli/palette.ts";
import { called, play, stepOf, undone, workflowWith } from "../support/scene.ts";

const UNDO = "compensate: { method: Undo }";
const DONE = `  - { id: done, service: shop, method: Do, ${UNDO} }\n`;
const PIVOT = "  - { id: pay, service: shop, method: Do, pivot: true }\n";

Deno.test("§4 pivot: once it is completed, the run's timeout stops counting", async () => {
  const { report } = await play(`${DONE}${PIVOT}  - wait: 1h`, { head: "timeout: 5s" });
  assert.equal(report.status, "completed");
});

Deno.test("§4 pivot: before it, the run's timeout counts", async () => {
  const played = await play(`${DONE}  - wait: 1h\n${PIVOT}`, { head: "timeout: 5s" });
  assert.equal(played.report.status, "timed_out");
  assert.deepEqual(undone(played), ["done"]);
});

Deno.test("§4 pivot: cancel is refused with the reason", async () => {
  const { report } = await play(`${DONE}${PIVOT}  - wait: 1h`, {
    during: ({ run, after }) =>
      after(1_000, async () => {
        await assert.rejects(run.cancel("ada"), {
          code: "RUN_NOT_ACTIVE",
          message: /"pay".*no way back/,
        });
      }),
  });
  assert.equal(report.status, "completed");
});

Deno.test("§4 pivot: unknown is enough", async () => {
  const played = await play(`${DONE}  - { id: pay, service: shop, method: Lose, pivot: true }`);
  assert.equal(played.report.status, "needs_attention");
  assert.deepEqual(played.report.attention.map(({ step, op }) => [step, op]), [["pay", "action"]]);
  assert.deepEqual(undone(played), []);
});

Deno.test("§4 pivot: rejected is not passed: the run turns back", async () => {
  const played = await play(`${DONE}  - { id: pay, service: shop, method: Refuse, pivot: true }`);
  assert.equal(played.report.status, "compensated");
});

const AFTER =
  `${DONE}${PIVOT}  - { id: late, service: shop, method: Bad, input: { a: 1 }, retry: { attempts: 2 }, ${UNDO} }\n  - { id: next, service: shop, method: Do, input: { id: "{{ .late.id }}" } }`;

Deno.test("§4 pivot: a step that still fails after its retries parks the run", async () => {
  const played = await play(AFTER, { cast: { Bad: { fail: "UNAVAILABLE" } } });
  assert.equal(played.report.status, "needs_attention");
  const [one] = played.report.attention;
  assert.deepEqual([one?.step, one?.op, one?.error.code, one?.error.attempts, one?.request], [
    "late",
    "action",
    "UNAVAILABLE",
    2,
    { a: 1 },
  ]);
});

Deno.test("§4 pivot: … with no `catch` for it, its own or of a block around", async () => {
  const bad = "service: shop, method: Refuse";
  for (
    const step of [
      `${bad}, catch: [ { result: { id: caught } } ]`,
      `steps: [ { ${bad} } ], catch: [ { codes: [FAILED_PRECONDITION], result: { id: caught } } ]`,
      `foreach: [1], steps: [ { steps: [ { ${bad} } ] } ], catch: [ { result: { id: caught } } ]`,
    ]
  ) {
    const { report } = await play(
      `${DONE}${PIVOT}  - { id: late, ${step} }\n  - return: "{{ .late.id }}"`,
    );
    assert.deepEqual([report.status, report.output], ["completed", "caught"], step);
  }
  const not = await play(
    `${DONE}${PIVOT}  - { steps: [ { id: late, ${bad} } ], catch: [ { codes: [NOT_FOUND] } ] }`,
  );
  assert.deepEqual(not.report.attention.map(({ step }) => step), ["steps[2].late"]);
});

Deno.test("§4 pivot: … parks when its siblings have finished", async () => {
  const played = await play(
    `${PIVOT}  - parallel: [ { id: bad, service: shop, method: Refuse }, { id: slow, steps: [ { service: shop, method: Slow }, { id: last, service: shop, method: Slow } ] } ]`,
  );
  assert.equal(played.report.status, "needs_attention");
  assert.equal(stepOf(played, "steps[1].slow.last").status, "completed");
  assert.deepEqual(played.report.attention.map(({ step }) => step), ["steps[1].bad"]);
});

for (
  const [how, action, status, calls] of [
    ["retry it", { action: "retry" }, "completed", ["done", "pay", "late", "late", "late", "next"]],
    ["retry it with a changed input", { action: "retry", input: { a: 2 } }, "completed", [
      "done",
      "pay",
      "late",
      "late",
      "late",
      "next",
    ]],
    ["skip it with an output", { action: "skip", output: { id: "by hand" } }, "completed", [
      "done",
      "pay",
      "late",
      "late",
      "next",
    ]],
    ["abort (nothing is rolled back; `incomplete`)", { action: "abort" }, "incomplete", [
      "done",
      "pay",
      "late",
      "late",
    ]],
  ] as const
) {
  Deno.test(`§4 pivot: an operator may ${how}`, async () => {
    const played = await play(AFTER, {
      cast: { Bad: (_, nth) => nth < 3 ? { fail: "UNAVAILABLE" } : { answer: { id: "late" } } },
      during: async ({ run, clock }) => {
        await run.result();
        clock.advance(3_600_000);
        await run.resolve({ step: "late", by: "ada", reason: "it is so", ...action });
      },
    });
    assert.equal(played.report.status, status);
    assert.deepEqual(called(played), calls);
    assert.deepEqual(undone(played), []);
    const last = played.world.calls.at(-1);
    if (action.action === "skip") assert.deepEqual(last?.input, { id: "by hand" });
    if (action.action === "retry") {
      const changed = "input" in action;
      const again = played.world.calls.at(-2);
      assert.equal(again?.key, changed ? "r/late/action#2" : "r/late/action");
      assert.deepEqual(again?.input, { a: changed ? 2 : 1 });
    }
  });
}

Deno.test("§4 pivot: a step in doubt that an operator aborts past it is among what still stands", async () => {
  const steps = `${PIVOT}  - { id: late, service: shop, method: Lose }`;
  const played = await play(steps, {
    during: async ({ run }) => {
      await run.result();
      await run.resolve({ step: "late", action: "abort", reason: "enough" });
    },
  });
  assert.equal(played.report.status, "incomplete");
  assert.equal(stepOf(played, "late").outcome, "unknown");
  const executed = { workflow: workflowWith(steps), endpoints: {}, store: "memory" };
  const told = explain(played.report, executed, paintWith(false));
  assert.match(told, /Nothing was undone: none of pay, late has a "compensate"/);
});

for (
  const [form, step, fix] of [
    ["set", 'set: { a: "{{ .input.missing }}" }', "skip"],
    ["a block out of time", "timeout: 1s, steps: [ { await_signal: never } ]", "skip"],
    ["await_signal", "await_signal: go, timeout: 1s", "retry"],
    [
      "repeat",
      'repeat: [ { id: n, service: shop, method: Count } ], until: "{{ .n.n > 3 }}", max_rounds: 2',
      "retry",
    ],
    [
      "what its catch does",
      "service: shop, method: Refuse, catch: [ { steps: [ { id: bad, service: shop, method: Refuse } ] } ]",
      "skip",
    ],
  ] as const
) {
  Deno.test(`§4 pivot: a failure of ${form} parks the run too, and ${fix} goes on`, async () => {
    const path = form === "what its catch does" ? "it.catch[0].bad" : "it";
    const played = await play(
      `${PIVOT}  - { id: it, ${step} }\n  - { id: next, service: shop, method: Do }`,
      {
        cast: { Count: (_, nth) => ({ answer: { n: nth } }) },
        during: async ({ run }) => {
          const parked = await run.result();
          assert.deepEqual(parked.attention.map((one) => one.step), [path]);
          if (form === "await_signal") run.signal("go", {});
          await run.resolve({ step: path, action: fix, reason: "so be it" });
        },
      },
    );
    assert.equal(played.report.status, "completed", JSON.stringify(played.report.error));
    assert.ok(called(played).includes("next"));
  });
}

Deno.test("§4 pivot: a `fail` whose `catch` does not fit after all parks the run", async () => {
  const { report } = await play(
    `${DONE}${PIVOT}  - { id: it, fail: { code: ABORTED, message: no }, catch: [ { when: "{{ .input.sure }}" } ] }`,
    { input: { sure: false } },
  );
  assert.equal(report.status, "needs_attention");
  assert.deepEqual(report.attention.map(({ step }) => step), ["it"]);
});

Deno.test("§4 pivot: a round whose `result` can't be made parks its loop, unless that is caught", async () => {
  const turns = 'id: it, foreach: [1], steps: [ { wait: 1s } ], result: "{{ .input.missing }}"';
  const parked = await play(`${PIVOT}  - { ${turns} }`);
  assert.deepEqual(parked.report.attention.map(({ step }) => step), ["it"]);
  const caught = await play(`${PIVOT}  - { ${turns}, catch: [ { result: caught } ] }`);
  assert.equal(caught.report.output, "caught");
});

Deno.test("§4 pivot: past it the run only goes forward, also where its output can't be made", async () => {
  const played = await play(`${DONE}${PIVOT}`, { head: 'output: "{{ .input.missing }}"' });
  assert.equal(played.report.status, "incomplete");
  assert.equal(played.report.error?.code, "EXPRESSION_ERROR");
  assert.deepEqual(undone(played), []);
});

Deno.test("§4 pivot: time spent parked counts for nothing, neither for the step nor for a block around it", async () => {
  const played = await play(
    `${PIVOT}  - id: it
    timeout: 10s
    steps:
      - wait: 1s
      - { id: late, timeout: 5s, service: shop, method: Flaky, input: { a: 1 } }
      - { id: loops, timeout: 5s, foreach: [1], steps: [ { id: inner, service: shop, method: Flaky } ] }
      - { id: last, service: shop, method: Hang }`,
    {
      cast: {
        Flaky: (_, nth) => nth % 2 === 1 ? { fail: "ABORTED" } : { answer: {}, after: 1_000 },
      },
      during: async ({ run, clock }) => {
        for (const step of ["it.late", "it.loops[0].inner"]) {
          const parked = await run.result();
          assert.deepEqual(parked.attention.map((one) => one.step), [step]);
          clock.advance(3_600_000);
          await run.resolve({ step, action: "retry", reason: "an hour later" });
        }
      },
    },
  );
  assert.deepEqual(played.report.attention.map(({ step, error }) => [step, error.code]), [
    ["it", "STEP_TIMEOUT"],
  ]);
  // 10 seconds of its own, and two hours.
  assert.equal(
    played.clock.now() - Date.parse(stepOf(played, "it.steps[0]").started_at),
    10_000 + 2 * 3_600_000,
  );
});
