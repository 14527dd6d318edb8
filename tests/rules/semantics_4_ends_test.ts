/** semantics.md §4: how a run ends, cancel and time; sentence by sentence. */
import assert from "node:assert/strict";
import { memoryJournal } from "../../src/store/memory.ts";
import type { RunStatus } from "../../src/engine/report.ts";
import { stage } from "../support/engines.ts";
import {
  called,
  castOf,
  play,
  type SceneOptions,
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
          await run.resolve({ step: "done", action: "skip", reason: "by hand" });
        },
      },
    ],
    ["incomplete", "someone aborted a cancelled run's rollback", DONE + HANG, {
      cast: { Undo: { fail: "PERMISSION_DENIED" } },
      during: async ({ run, after }) => {
        after(1_000, () => run.cancel());
        await run.result();
        await run.resolve({ step: "done", action: "abort", reason: "by hand" });
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

const GO = `{ id: go, service: shop, method: Do, ${UNDO} }`;
const ABORTED = "{ fail: { code: ABORTED, message: no } }";

for (
  const [what, steps, step, code, head] of [
    [
      "while a catch undoes a block",
      `{ id: g, steps: [ ${GO}, ${ABORTED} ], catch: [ { undo: true } ] }`,
      "g.go",
      "ABORTED",
    ],
    [
      "while a catch undoes a call by steps",
      "{ id: it, service: shop, method: Lose, compensate: { steps: [ { service: shop, method: Undo } ] }, catch: [ { undo: true } ] }",
      "it.compensate[0]",
      "INTERNAL",
    ],
    [
      "while a catch inside what another does undoes a round",
      `{ id: g, service: shop, method: Refuse, catch: [ { steps: [ { id: h, foreach: [1], steps: [ ${GO}, ${ABORTED} ], catch: [ { undo: true } ] } ] } ] }`,
      "g.catch[0].h[0].go",
      "ABORTED",
    ],
    [
      "while a step in doubt is verified",
      "{ id: it, service: shop, method: Lose, verify: { method: Undo } }",
      "it",
      "INTERNAL",
    ],
    ["while it is rolled back", `${GO}\n  - ${ABORTED}`, "go", "ABORTED"],
    [
      "while it is rolled back since its output can't be made",
      GO,
      "go",
      "EXPRESSION_ERROR",
      'output: "{{ .input.missing }}"',
    ],
  ] as readonly (readonly [string, string, string, string, string?])[]
) {
  Deno.test(`§4 a run that is aborted ${what} has what failed first as its error`, async () => {
    const { report } = await play(`  - ${steps}`, {
      ...(head !== undefined && { head }),
      cast: { Undo: { fail: "PERMISSION_DENIED" } },
      during: async ({ run }) => {
        const { attention } = await run.result();
        assert.deepEqual(attention.map((parked) => parked.step), [step]);
        await run.resolve({ step, action: "abort", reason: "enough" });
      },
    });
    assert.equal(report.status, "incomplete");
    assert.equal(report.error?.code, code);
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
      after(1_000, async () => {
        await run.cancel("ada");
        await run.cancel("bob");
      });
      after(1_500, () => run.cancel("eve"));
    },
  });
  assert.match(played.report.error?.message ?? "", /by ada$/);
  assert.equal(played.facts.filter(({ kind }) => kind === "cancel_requested").length, 1);
});

Deno.test("§4 time that a verify is parked counts for nothing to the run's timeout", async () => {
  let mended = false;
  const played = await play(
    `${DONE}  - { id: it, service: shop, method: Lose, attempt_timeout: 1s, verify: { method: Find } }\n  - wait: 3s`,
    {
      head: "timeout: 5s",
      cast: { Find: () => mended ? { answer: {} } : { fail: "PERMISSION_DENIED" } },
      during: async ({ run, clock }) => {
        await run.result();
        clock.advance(3_600_000);
        mended = true;
        await run.resolve({ step: "it", action: "retry", reason: "an hour later" });
      },
    },
  );
  assert.equal(played.report.status, "completed");
});
