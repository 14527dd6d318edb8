/**
 * semantics.md §3, sentence by sentence.
 *
 * What every outcome means for the rollback: tests/engine/saga_test.ts ("a step of outcome …: rollback
 * undoes …"). A call that never left: there, "a call that never left is tried again either way, and
 * counts".
 */
import assert from "node:assert/strict";
import { memoryJournal } from "../../src/store/memory.ts";
import { mortalJournal, stage } from "../support/engines.ts";
import {
  castOf,
  inputsOf,
  oneAfterAnother,
  play,
  type SceneOptions,
  stepOf,
  took,
  undone,
  workflowWith,
} from "../support/scene.ts";

const UNSENT = { fail: "UNAVAILABLE", outcome: "not_sent" } as const;

for (
  const [outcome, what, ways] of [
    ["completed", "completed, after a failure that left it in doubt", [{ fail: "UNAVAILABLE" }, {
      answer: {},
    }]],
    ["not_sent", "every attempt provably never left", [UNSENT, UNSENT, UNSENT]],
    ["rejected", "every attempt that left was answered so", [UNSENT, { fail: "ABORTED" }]],
    ["unknown", "one attempt in doubt is enough", [{ fail: "UNAVAILABLE" }, {
      fail: "FAILED_PRECONDITION",
    }]],
    ["unknown", "one attempt in doubt is enough, whatever came after", [
      { fail: "UNAVAILABLE" },
      UNSENT,
      { fail: "ABORTED" },
    ]],
  ] as const
) {
  Deno.test(`§3 ${outcome}: ${what}`, async () => {
    const played = await play(
      "  - { id: it, service: shop, method: Flaky, retry: { attempts: 3 } }",
      { cast: { Flaky: oneAfterAnother(...ways) } },
    );
    assert.equal(stepOf(played, "it").outcome, outcome);
    assert.equal(stepOf(played, "it").attempts, ways.length);
  });
}

for (
  const code of [
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "UNAUTHENTICATED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
  ]
) {
  Deno.test(`§3 rejected: answered ${code}`, async () => {
    const { report } = await play("  - { service: shop, method: Bad }", {
      cast: { Bad: { fail: code } },
    });
    assert.equal(report.error?.outcome, "rejected");
  });
}

for (
  const code of [
    "CANCELLED",
    "UNKNOWN",
    "DEADLINE_EXCEEDED",
    "RESOURCE_EXHAUSTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
  ]
) {
  Deno.test(`§3 unknown: otherwise, such as ${code}`, async () => {
    const { report } = await play("  - { service: shop, method: Bad }", {
      cast: { Bad: { fail: code } },
    });
    assert.equal(report.error?.outcome, "unknown");
  });
}

/** A step that may have happened, with a `verify`, and what else it carries. */
const doubtful = (more = "", lost = "method: Lose") =>
  `  - { id: it, service: shop, ${lost}, compensate: { method: Undo }, verify: { method: Find, input: { of: "{{ .input.of }}" }, attempt_timeout: 1s }${more} }`;

const FOUND: SceneOptions = {
  cast: { Find: { answer: { id: "found" } } },
  input: { of: "order" },
};
const NOT_THERE: SceneOptions = { input: { of: "order" } };

const TO_UNDO = "service: shop, method: Do, compensate: { method: Undo }";
const FAILS = "{ service: shop, method: Refuse }";
const UNDOES = `{ steps: [ { ${TO_UNDO} }, ${FAILS} ], catch: [ { undo: true } ] }`;

for (
  const [outcome, what, inside] of [
    ["not_sent", "nothing inside was called", ""],
    ["not_sent", "nothing inside left", "{ service: shop, method: Unsent, catch: [ {} ] }"],
    ["rejected", "a service did nothing", `{ steps: [ ${FAILS} ], catch: [ {} ] }`],
    ["unknown", "something was done", `{ service: shop, method: Do }, { ${TO_UNDO} }`],
    ["unknown", "something is in doubt", "{ service: shop, method: Lose, catch: [ {} ] }"],
    ["unknown", "a child run has completed", "{ workflow: inner.yaml }"],
    [
      "unknown",
      "some round did something",
      `{ foreach: [1, 2, 3], steps: [ { when: "{{ .item == 2 }}", ${TO_UNDO} } ] }`,
    ],
    [
      "unknown",
      "a `catch` inside did something",
      "{ service: shop, method: Refuse, catch: [ { steps: [ { service: shop, method: Do } ] } ] }",
    ],
    ["rejected", "what was done is undone", UNDOES],
    ["unknown", "only a part is undone", `${UNDOES}, { ${TO_UNDO} }`],
  ] as const
) {
  const files = {
    "inner.yaml":
      `name: inner\nservices: { shop: { endpoint: "shop:1" } }\nsteps: [ { ${TO_UNDO} } ]\n`,
  };
  const cast = { Unsent: UNSENT };
  const before = inside === "" ? "" : `${inside}, `;
  for (
    const [how, block] of [
      ["out of time", `timeout: 5s, steps: [ ${before}{ wait: 1h } ]`],
      [
        "that is exhausted",
        `repeat: [ ${before}{ wait: 1s } ], until: "{{ false }}", max_rounds: 2`,
      ],
      [
        "whose rounds' result can't be made",
        `foreach: [1], as: one, steps: [ ${before}{ wait: 1s } ], result: "{{ .input.no }}"`,
      ],
    ] as const
  ) {
    Deno.test(`§3 a block ${how} came to ${outcome}: ${what}`, async () => {
      const { report } = await play(
        `  - { id: it, ${block}, catch: [ { result: "{{ .error.outcome }}" } ] }`,
        { files, cast },
      );
      assert.equal(report.output, outcome);
    });
  }
}

Deno.test("§3 what is under way when a block's time is up counts as what it comes to", async () => {
  const { report } = await play(
    "  - { id: it, timeout: 1s, steps: [ { service: shop, method: Hang, verify: { method: Find } } ], " +
      'catch: [ { result: "{{ .error.outcome }}" } ] }',
  );
  assert.equal(report.output, "rejected");
});

Deno.test("§3 whenever a step would end as `unknown` and has a `verify`, that is asked; `rejected` and `not_sent` are not", async () => {
  for (const [fail, asked] of [["INTERNAL", 1], ["ABORTED", 0], ["UNAVAILABLE", 0]] as const) {
    const played = await play(doubtful("", "method: Bad"), {
      ...FOUND,
      cast: { ...FOUND.cast, Bad: fail === "UNAVAILABLE" ? UNSENT : { fail } },
    });
    assert.equal(inputsOf(played, "Find").length, asked, fail);
  }
});

Deno.test("§3 OK means that the step did happen: it is `completed`, with verify's response as its output, and the run goes on", async () => {
  const played = await play(
    `${doubtful()}\n  - { service: shop, method: Do, input: { id: "{{ .it.id }}" } }`,
    FOUND,
  );
  assert.equal(played.report.status, "completed");
  assert.deepEqual(stepOf(played, "it").output, { id: "found" });
  assert.equal(stepOf(played, "it").outcome, "completed");
  assert.deepEqual(inputsOf(played, "Find"), [{ of: "order" }]);
  assert.deepEqual(inputsOf(played, "Do"), [{ id: "found" }]);
  assert.deepEqual(undone(played), []);
});

Deno.test("§3 … or `verify.result` as its output, which sees the answer by the step's own name", async () => {
  const played = await play(
    `  - { id: it, service: shop, method: Lose, output: mine, verify: { method: Find, result: { id: "v-{{ .mine.id }} {{ .input.of }}" } } }`,
    FOUND,
  );
  assert.deepEqual(played.report.output, { id: "v-found order" });
});

Deno.test("§3 what verify found is undone like any completed step", async () => {
  const played = await play(
    `  - { id: it, service: shop, method: Lose, verify: { method: Find }, compensate: { method: Undo, input: { id: "{{ .it.id }}" } } }\n  - { service: shop, method: Refuse }`,
    FOUND,
  );
  assert.equal(played.report.status, "compensated");
  assert.deepEqual(inputsOf(played, "Undo"), [{ id: "found" }]);
});

Deno.test("§3 NOT_FOUND means that it did not: the failure stands, with outcome `rejected`", async () => {
  const played = await play(doubtful(), NOT_THERE);
  assert.deepEqual(
    [played.report.status, played.report.error?.code, played.report.error?.outcome],
    [
      "failed",
      "INTERNAL",
      "rejected",
    ],
  );
  assert.equal(stepOf(played, "it").outcome, "rejected");
  assert.deepEqual(undone(played), []);
});

Deno.test("§3 it is asked before `catch`, which sees what it found", async () => {
  const caught = await play(doubtful(', catch: [ { result: "{{ .error.outcome }}" } ]'), NOT_THERE);
  assert.equal(caught.report.output, "rejected");
  const found = await play(doubtful(", catch: [ { result: caught } ]"), FOUND);
  assert.deepEqual(found.report.output, { id: "found" });
});

Deno.test("§3 it is asked before a pivot counts as passed", async () => {
  const not = await play(
    `  - { id: before, service: shop, method: Do, compensate: { method: Undo } }\n${
      doubtful(", pivot: true")
    }`,
    NOT_THERE,
  );
  assert.equal(not.report.status, "compensated");
  assert.deepEqual(undone(not), ["before"]);
  const found = await play(
    `${doubtful(", pivot: true")}\n  - { id: later, service: shop, method: Refuse }`,
    FOUND,
  );
  assert.deepEqual(found.report.attention.map(({ step }) => step), ["later"]);
});

Deno.test("§3 it is asked not before the deadline of the step's last attempt", async () => {
  const played = await play(
    doubtful("", "method: Lose, attempt_timeout: 10s"),
    FOUND,
  );
  assert.equal(took(played), 10_000);
  const late = await play(
    doubtful(
      "",
      "method: Flaky, attempt_timeout: 10s, retry: { attempts: 2, initial_delay: 1s, jitter: 0 }",
    ),
    { ...FOUND, cast: { ...FOUND.cast, Flaky: { fail: "UNAVAILABLE", after: 2_000 } } },
  );
  assert.equal(took(late), 2_000 + 1_000 + 10_000);
});

Deno.test("§3 any other answer is retried like a compensation; while it is not settled, the step isn't", async () => {
  const played = await play(doubtful("", "method: Lose, attempt_timeout: 1s"), {
    ...FOUND,
    cast: {
      Find: oneAfterAnother(
        { fail: "ABORTED" },
        { fail: "FAILED_PRECONDITION" },
        { fail: "INTERNAL" },
        { answer: { id: "found" } },
      ),
    },
  });
  assert.equal(played.report.status, "completed");
  assert.equal(took(played), 1_000 + 1_000 + 2_000 + 4_000);
  const finds = played.world.calls.filter(({ method }) => method === "shop/Find");
  assert.deepEqual(new Set(finds.map(({ key }) => key)), new Set(["r/it/verify"]));
  assert.equal(finds[0]?.metadata["maestro-action-key"], "r/it/action");
  assert.equal(finds[0]?.metadata["maestro-op"], "verify");
});

Deno.test("§3 a verify that gives up parks the run", async () => {
  const played = await play(doubtful(), {
    ...FOUND,
    cast: { Find: { fail: "PERMISSION_DENIED" } },
  });
  assert.equal(played.report.status, "needs_attention");
  assert.deepEqual(played.report.attention.map(({ step, op }) => [step, op]), [["it", "verify"]]);
});

Deno.test("§3 … also one of a step that a `catch` does", async () => {
  const played = await play(
    `  - id: it
    service: shop
    method: Refuse
    catch: [ { steps: [ { id: inner, service: shop, method: Lose, verify: { method: Find } } ] } ]`,
    { cast: { Find: { fail: "PERMISSION_DENIED" } } },
  );
  assert.equal(played.report.status, "needs_attention");
  assert.deepEqual(played.report.attention.map(({ step }) => step), ["it.catch[0].inner"]);
});

Deno.test("§3 a step that ran out of its `timeout` is verified too", async () => {
  const played = await play(doubtful(", timeout: 3s", "method: Hang"), FOUND);
  assert.equal(played.report.status, "completed");
  const not = await play(doubtful(", timeout: 3s", "method: Hang"), NOT_THERE);
  assert.deepEqual([not.report.error?.code, not.report.error?.outcome], [
    "STEP_TIMEOUT",
    "rejected",
  ]);
});

for (
  const [code, more, head, other] of [
    ["CIRCUIT_OPEN", "", "circuit_breaker: { on_open: fail, min_calls: 1 }", ""],
    ["STEP_TIMEOUT", "timeout: 3s", "pool: { max_concurrent: 1 }", "method: Hang"],
  ] as const
) {
  Deno.test(`§3 a step in doubt that gets no further attempt is verified too: ${code}`, async () => {
    const it =
      `id: it, service: lazy, method: Bad, retry: { attempts: 5, initial_delay: 500ms, jitter: 0 }, attempt_timeout: 5s, verify: { service: shop, method: Find }, ${
        more || "when: '{{ true }}'"
      }`;
    const scene = {
      head: `services: { shop: { endpoint: "shop:1" }, lazy: { endpoint: "lazy:1", ${head} } }`,
      cast: {
        "lazy/Bad": { fail: "UNAVAILABLE", after: 100 },
        "lazy/Hang": { hang: true },
      },
    } as const;
    // The other one takes the only slot in the pause between two attempts.
    const beside = other &&
      `, { steps: [ { wait: 200ms }, { service: lazy, ${other}, catch: [ { result: {} } ] } ] }`;
    const not = await play(`  - parallel: [ { ${it} } ${beside} ]`, scene);
    assert.deepEqual([not.report.error?.code, not.report.error?.outcome], [code, "rejected"]);
    const found = await play(`  - parallel: [ { ${it} } ${beside} ]`, {
      ...scene,
      cast: { ...scene.cast, Find: { answer: { id: "found" } } },
    });
    assert.equal(found.report.status, "completed");
    assert.equal(stepOf(found, "steps[0].it").outcome, "completed");
  });
}

for (
  const [what, more, expected] of [["OK", FOUND, ["it"]], ["NOT_FOUND", NOT_THERE, []]] as const
) {
  Deno.test(`§3 a step that is cancelled in flight is verified before the rollback: ${what}`, async () => {
    const played = await play(doubtful("", "method: Hang"), {
      ...more,
      during: ({ run, after }) => after(1_000, () => run.cancel("ada")),
    });
    assert.equal(played.report.status, "cancelled");
    assert.deepEqual(undone(played), expected);
    assert.equal(inputsOf(played, "Find").length, 1);
  });

  Deno.test(`§3 … also where the run, or a block around it, is out of time: ${what}`, async () => {
    const run = await play(doubtful("", "method: Hang"), { ...more, head: "timeout: 2s" });
    assert.equal(run.report.status, "timed_out");
    assert.deepEqual(undone(run), expected);
    assert.equal(inputsOf(run, "Find").length, 1);
    const it = doubtful("", "method: Hang").trim();
    const block = await play(`  - timeout: 2s\n    steps:\n      ${it}`, more);
    assert.equal(block.report.error?.code, "STEP_TIMEOUT");
    assert.deepEqual(undone(block), expected.map((path) => `steps[0].${path}`));
    assert.equal(inputsOf(block, "Find").length, 1);
  });

  Deno.test(`§3 … also where the call's own deadline, which is the run's, is heard first: ${what}`, async () => {
    let late = 0;
    const { engine, world, clock }: ReturnType<typeof stage> = stage(
      castOf({
        ...more.cast,
        Late: () => {
          late = 2_000; // the run's own timer has not rung yet
          return { fail: "DEADLINE_EXCEEDED" };
        },
      }),
      { clock: { now: () => clock.now() + late, at: (dueAt, then) => clock.at(dueAt, then) } },
    );
    try {
      const workflow = workflowWith(doubtful("", "method: Late"), { head: "timeout: 2s" });
      const run = await engine.start(workflow, { runId: "r", input: { of: "order" } });
      assert.equal((await run.result()).status, "timed_out");
      assert.deepEqual(undone({ world }), expected);
      assert.equal(inputsOf({ world }, "Find").length, 1);
    } finally {
      await engine.close();
      clock.stop();
    }
  });

  Deno.test(`§3 … also where a sibling's failure cancels it: ${what}`, async () => {
    const it = doubtful("", "method: Hang, retry: { attempts: 5 }, attempt_timeout: 5s").trim();
    const played = await play(
      `  - parallel:\n      ${it}\n      - { service: shop, method: Late }`,
      {
        ...more,
        cast: { ...more.cast, Late: { fail: "ABORTED", after: 1_000 } },
      },
    );
    assert.deepEqual(undone(played).map((path) => path.replace("steps[0].", "")), expected);
    assert.equal(inputsOf(played, "Find").length, 1);
  });

  Deno.test(`§3 … and after a crash, where the step is not idempotent: ${what}`, async () => {
    const journal = memoryJournal();
    const cast = castOf({ ...more.cast, Once: { hang: true } });
    const workflow = workflowWith(
      `${doubtful("", "method: Once, idempotent: false")}\n  - { service: shop, method: Refuse }`,
    );
    const first = stage(cast, { journal: mortalJournal(journal, 3) });
    const starting = first.engine.start(workflow, { runId: "r", input: { of: "order" } });
    await assert.rejects(starting, /The power is cut/);
    await first.engine.close();
    first.clock.stop();

    const { engine, world, clock } = stage(cast, { journal });
    try {
      const report = await (await engine.resume("r")).result();
      assert.ok(!world.calls.some(({ method }) => method === "shop/Once"), "not made again");
      assert.equal(report.status, expected.length > 0 ? "compensated" : "failed");
      assert.deepEqual(undone({ world }), expected);
    } finally {
      await engine.close();
      clock.stop();
    }
  });
}
