/** semantics.md §4: how a run ends, cancel and time, and the pivot; sentence by sentence. */
import assert from "node:assert/strict";
import { memoryJournal } from "../../src/store/memory.ts";
import type { RunStatus } from "../../src/engine/report.ts";
import { stage } from "../support/engines.ts";
import {
  called,
  castOf,
  play,
  type SceneOptions,
  stepOf,
  took,
  undone,
  workflowWith,
} from "../support/scene.ts";

const UNDO = "compensate: { method: Undo }";
const DONE = `  - { id: done, service: shop, method: Do, ${UNDO} }\n`;
const HANG = "  - { id: hang, service: shop, method: Hang, attempt_timeout: 1h }";
const cancelAt = (at: number): SceneOptions => ({
  during: ({ run, after }) => after(at, () => run.cancel("ada")),
});

for (
  const [status, what, steps, more] of [
    ["completed", "all was done", DONE, {}],
    [
      "failed",
      "nothing had to be undone",
      "  - { service: shop, method: Refuse, compensate: { method: Undo } }",
      {},
    ],
    ["compensated", "what was done is undone", `${DONE}  - { service: shop, method: Refuse }`, {}],
    ["cancelled", "after rollback", DONE + HANG, cancelAt(1_000)],
    ["cancelled", "with nothing to undo", HANG, cancelAt(1_000)],
    ["timed_out", "after rollback", DONE + HANG, { head: "timeout: 5s" }],
    ["timed_out", "with nothing to undo", HANG, { head: "timeout: 5s" }],
    ["needs_attention", "which is not an end", `${DONE}  - { service: shop, method: Refuse }`, {
      cast: { Undo: { fail: "PERMISSION_DENIED" } },
    }],
    [
      "incomplete",
      "someone skipped a compensation",
      `${DONE}  - { service: shop, method: Refuse }`,
      {
        cast: { Undo: { fail: "PERMISSION_DENIED" } },
        during: async ({ run }) => {
          await run.result();
          run.resolve({ step: "done", action: "skip", reason: "by hand" });
        },
      },
    ],
    ["incomplete", "someone aborted a cancelled run's rollback", DONE + HANG, {
      cast: { Undo: { fail: "PERMISSION_DENIED" } },
      during: async ({ run, after }) => {
        after(1_000, () => run.cancel());
        await run.result();
        run.resolve({ step: "done", action: "abort", reason: "by hand" });
      },
    }],
  ] as readonly (readonly [RunStatus, string, string, SceneOptions])[]
) {
  Deno.test(`§4 a run ends as ${status}: ${what}`, async () => {
    const { report, facts } = await play(steps, more);
    assert.equal(report.status, status);
    assert.equal(facts.some(({ kind }) => kind === "run_ended"), status !== "needs_attention");
    assert.equal(report.finished_at === null, status === "needs_attention");
  });
}

Deno.test("§4 `needs_attention` waits, across restarts", async () => {
  const journal = memoryJournal();
  const keeping = { ...keeper(journal) };
  let broken = true;
  const cast = castOf({ Undo: () => broken ? { fail: "PERMISSION_DENIED" } : { answer: {} } });
  const first = stage(cast, { journal: keeping });
  const workflow = workflowWith(`${DONE}  - { service: shop, method: Refuse }`);
  const run = await first.engine.start(workflow, { runId: "r" });
  assert.equal((await run.result()).status, "needs_attention");
  await first.engine.close();
  first.clock.stop();

  const { engine, clock, world } = stage(cast, { journal: keeping });
  try {
    const again = await engine.resume("r");
    assert.equal((await again.result()).status, "needs_attention");
    assert.deepEqual(world.calls, [], "nobody is asked again");
    broken = false;
    again.resolve({ step: "done", action: "retry", reason: "mended" });
    assert.equal((await again.result()).status, "compensated");
  } finally {
    await engine.close();
    clock.stop();
  }
});

/** A journal that outlives the engine that closes it. */
function keeper(journal: ReturnType<typeof memoryJournal>): ReturnType<typeof memoryJournal> {
  return new Proxy(journal, {
    get: (target, key) => {
      if (key === "close") return () => Promise.resolve();
      const value = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

Deno.test("§4 cancelled by a user: the same rollback, of the completed and the unknown", async () => {
  const played = await play(
    `${DONE}  - parallel: [ { id: a, service: shop, method: Hang, ${UNDO} }, { id: b, service: shop, method: Hang }, { id: c, service: shop, method: Do, ${UNDO} } ]`,
    cancelAt(1_000),
  );
  assert.equal(played.report.status, "cancelled");
  assert.equal(played.report.error?.code, "RUN_CANCELLED");
  // `a` may finish its attempt, and does not: its deadline ends it.
  assert.deepEqual(undone(played), ["steps[1].a", "steps[1].c", "done"]);
  assert.deepEqual(played.world.cancelled, ["r/steps[1].b/action"]);
});

for (const [more, code] of [["", "RUN_CANCELLED"], ["timeout: 1s", "RUN_TIMEOUT"]] as const) {
  Deno.test(`§4.1 a call in flight that can be undone may finish its attempt, also on ${code}`, async () => {
    const played = await play(
      `  - { id: it, service: shop, method: Slower, ${UNDO}, retry: { attempts: 3 } }\n  - { service: shop, method: Do }`,
      {
        ...(more === "" ? cancelAt(1_000) : { head: more }),
        cast: { Slower: { answer: {}, after: 1_500 } },
      },
    );
    assert.equal(played.report.error?.code, code);
    assert.deepEqual(undone(played), ["it"]);
    assert.deepEqual(called(played), ["it"]);
  });
}

for (
  const [form, step] of [
    ["wait", "wait: 1h"],
    ["await_signal", "await_signal: never"],
    ["a pause of repeat", 'repeat: [ { wait: 0s } ], until: "{{ false }}", every: 1h, timeout: 9h'],
    [
      "a backoff",
      "service: shop, method: Away, retry: { attempts: 9, initial_delay: 1h, max_delay: 1h }",
    ],
    ["foreach", "foreach: [1, 2], steps: [ { wait: 1h } ]"],
    ["a catch", "service: shop, method: Refuse, catch: [ { steps: [ { wait: 1h } ] } ]"],
  ] as const
) {
  Deno.test(`§4 a cancel ends ${form} at once`, async () => {
    const played = await play(`  - { ${step} }`, {
      ...cancelAt(5_000),
      cast: { Away: { fail: "UNAVAILABLE", outcome: "not_sent" } },
    });
    assert.equal(played.report.status, "cancelled");
    assert.equal(took(played), 5_000);
  });
}

Deno.test("§4 a second cancel changes nothing", async () => {
  const played = await play(DONE + HANG, {
    cast: { Undo: { answer: {}, after: 1_000 } },
    during: ({ run, after }) => {
      after(1_000, () => {
        run.cancel("ada");
        run.cancel("bob");
      });
      after(1_500, () => run.cancel("eve"));
    },
  });
  assert.match(played.report.error?.message ?? "", /by ada$/);
  assert.equal(played.facts.filter(({ kind }) => kind === "cancel_requested").length, 1);
});

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
      after(1_000, () => {
        assert.throws(() => run.cancel("ada"), {
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
        run.resolve({ step: "late", by: "ada", reason: "it is so", ...action });
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
          run.resolve({ step: path, action: fix, reason: "so be it" });
        },
      },
    );
    assert.equal(played.report.status, "completed", JSON.stringify(played.report.error));
    assert.ok(called(played).includes("next"));
  });
}
