/** semantics.md §4, "Child runs", sentence by sentence. */
import assert from "node:assert/strict";
import {
  called,
  inputsOf,
  play,
  type Played,
  type SceneOptions,
  stepOf,
  took,
  undone,
} from "../support/scene.ts";

const UNDO = "compensate: { method: Undo }";

/** A child workflow with these steps. */
const child = (steps: string, head = ""): SceneOptions => ({
  files: {
    "child.yaml":
      `name: child\nservices: { shop: { endpoint: "shop:1" } }\n${head}\nsteps:\n${steps}\n`,
  },
});

const IT = "  - { id: it, workflow: child.yaml }\n";
const REFUSE = "  - { id: bad, service: shop, method: Refuse }\n";
const TWO =
  `  - { id: a, service: shop, method: Do, ${UNDO} }\n  - { id: b, service: shop, method: Do, ${UNDO} }\n`;

/** What was undone, by run and path. */
const undoneKeys = ({ world }: Pick<Played, "world">) =>
  world.effects.filter((key) => key.endsWith("/compensate"));

Deno.test("§4 child run: its id is the parent's id + path, also in rounds", async () => {
  const played = await play(
    "  - { id: each, foreach: [1, 2], steps: [ { id: it, workflow: child.yaml } ] }",
    child("  - { id: a, service: shop, method: Do, input: { run: '{{ .run.id }}' } }"),
  );
  assert.deepEqual(inputsOf(played, "Do"), [{ run: "r/each[0].it" }, { run: "r/each[1].it" }]);
  assert.deepEqual(played.world.calls.map(({ key }) => key), [
    "r/each[0].it/a/action",
    "r/each[1].it/a/action",
  ]);
});

Deno.test("§4 child run: it has the parent's correlation id, and a report of its own", async () => {
  let status: string | undefined;
  const played = await play(`${IT}  - wait: 1s`, {
    ...child(TWO),
    during: async ({ engine, after, run }) => {
      after(500, () => {});
      await run.result();
      status = (await engine.report("r/it")).status;
    },
  });
  assert.equal(played.world.calls[0]?.metadata["x-correlation-id"], "r");
  assert.equal(status, "completed");
});

Deno.test("§4 child run: one that failed has rolled itself back, and is CHILD_FAILED to its parent", async () => {
  const played = await play(
    `  - { id: before, service: shop, method: Do, ${UNDO} }\n${IT}`,
    child(TWO + REFUSE),
  );
  assert.equal(played.report.status, "compensated");
  assert.equal(played.report.error?.code, "CHILD_FAILED");
  assert.equal(played.report.error?.step, "it");
  assert.match(played.report.error?.message ?? "", /FAILED_PRECONDITION/);
  assert.deepEqual(undoneKeys(played), [
    "r/it/b/compensate",
    "r/it/a/compensate",
    "r/before/compensate",
  ]);
});

Deno.test("§4 child run: the `compensate` of the step is not asked where the child has failed", async () => {
  const played = await play(
    "  - { id: it, workflow: child.yaml, compensate: { service: shop, method: Undo } }",
    child(TWO + REFUSE),
  );
  assert.deepEqual(undoneKeys(played), ["r/it/b/compensate", "r/it/a/compensate"]);
  assert.equal(played.report.status, "failed", "nothing of the parent's had to be undone");
});

Deno.test("§4 child run: one that completed is rolled back by its own compensations when the parent rolls back", async () => {
  let status: string | undefined;
  const played = await play(
    `  - { id: before, service: shop, method: Do, ${UNDO} }\n${IT}  - { id: after, service: shop, method: Do, ${UNDO} }\n${REFUSE}`,
    {
      ...child(TWO),
      during: async ({ engine, run }) => {
        await run.result();
        status = (await engine.report("r/it")).status;
      },
    },
  );
  assert.equal(played.report.status, "compensated");
  assert.deepEqual(undoneKeys(played), [
    "r/after/compensate",
    "r/it/b/compensate",
    "r/it/a/compensate",
    "r/before/compensate",
  ]);
  assert.equal(stepOf(played, "it").compensation?.status, "done");
  assert.equal(status, "compensated");
});

Deno.test("§4 child run: … unless its step declares `compensate`", async () => {
  const played = await play(
    `  - { id: it, workflow: child.yaml, compensate: { service: shop, method: Undo, input: { id: "{{ .it.id }}" } } }\n${REFUSE}`,
    child(TWO),
  );
  assert.deepEqual(undoneKeys(played), ["r/it/compensate"]);
  assert.deepEqual(inputsOf(played, "Undo"), [{ id: "b" }]);
});

Deno.test("§4 child run: its children's children are rolled back too", async () => {
  const played = await play(`${IT}${REFUSE}`, {
    files: {
      "child.yaml":
        `name: child\nservices: { shop: { endpoint: "shop:1" } }\nsteps:\n${TWO}  - { id: deep, workflow: deep.yaml }`,
      "deep.yaml": `name: deep\nservices: { shop: { endpoint: "shop:1" } }\nsteps:\n${TWO}`,
    },
  });
  assert.equal(played.report.status, "compensated");
  assert.deepEqual(
    undoneKeys(played),
    ["it/deep/b", "it/deep/a", "it/b", "it/a"].map((path) => `r/${path}/compensate`),
  );
});

Deno.test("§4 child run: a caught CHILD_FAILED goes on", async () => {
  const played = await play(
    `  - { id: it, workflow: child.yaml, catch: [ { codes: [CHILD_FAILED], result: { id: none } } ] }\n  - return: "{{ .it.id }}"`,
    child(TWO + REFUSE),
  );
  assert.equal(played.report.output, "none");
});

Deno.test("§4 child run: `return` in it ends the child, not the parent", async () => {
  const { report } = await play(
    `${IT}  - return: [ "{{ .it.early }}", parent ]`,
    child("  - return: { early: true }"),
  );
  assert.deepEqual(report.output, [true, "parent"]);
});

Deno.test("§4 child run: input that does not fit its schema fails the step before anything runs", async () => {
  const played = await play(
    `  - { id: it, workflow: child.yaml, input: { a: 1 } }`,
    child(TWO, "input: { required: [b] }"),
  );
  assert.equal(played.report.status, "failed");
  assert.equal(played.report.error?.code, "CHILD_FAILED");
  assert.deepEqual(played.world.calls, []);
});

const HANG = `${TWO}  - { id: hang, service: shop, method: Hang, attempt_timeout: 1h }`;

for (
  const [how, more, head, code] of [
    [
      "cancel",
      {
        during: ({ run, after }) => after(5_000, () => run.cancel("ada")),
      },
      "",
      "RUN_CANCELLED",
    ],
    ["timeout", {}, "timeout: 5s", "RUN_TIMEOUT"],
  ] as readonly (readonly [string, SceneOptions, string, string])[]
) {
  Deno.test(`§4 child run: the ${how} of the parent reaches it: it rolls back, then the parent`, async () => {
    const played = await play(
      `  - { id: before, service: shop, method: Do, ${UNDO} }\n${IT}`,
      { ...child(HANG), ...more, head },
    );
    assert.equal(played.report.error?.code, code);
    assert.deepEqual(played.world.cancelled, ["r/it/hang/action"]);
    assert.deepEqual(undoneKeys(played), [
      "r/it/b/compensate",
      "r/it/a/compensate",
      "r/before/compensate",
    ]);
    assert.equal(took(played), 5_000);
  });
}

for (
  const [whose, step, head, code, message] of [
    [
      "the step's own",
      "timeout: 5s",
      "timeout: 1h",
      "STEP_TIMEOUT",
      '"it" took longer than its timeout: "child", its child run, was rolled back',
    ],
    [
      "the child's",
      "timeout: 1h",
      "timeout: 5s",
      "CHILD_FAILED",
      '"child", the child run of "it", ended as timed_out: RUN_TIMEOUT: The run took longer than its timeout',
    ],
  ] as const
) {
  Deno.test(`§4 child run: where ${whose} timeout is over, the failure speaks of that one`, async () => {
    const { report } = await play(
      `  - { id: it, workflow: child.yaml, ${step} }`,
      child(HANG, head),
    );
    assert.equal(report.error?.code, code);
    assert.equal(report.error?.message, message);
  });
}

Deno.test("§4 child run: a block's `timeout`, and a sibling's failure, reach it too", async () => {
  const block = await play(
    "  - timeout: 5s\n    steps: [ { id: it, workflow: child.yaml } ]",
    child(HANG),
  );
  assert.equal(block.report.error?.code, "STEP_TIMEOUT");
  assert.equal(undoneKeys(block).length, 2);
  assert.equal(took(block), 5_000);
  const sibling = await play(
    "  - parallel: [ { id: it, workflow: child.yaml }, { steps: [ { wait: 1s }, { service: shop, method: Refuse } ] } ]",
    child(HANG),
  );
  assert.equal(sibling.report.error?.code, "FAILED_PRECONDITION");
  assert.equal(undoneKeys(sibling).length, 2);
  assert.equal(took(sibling), 1_000);
});

Deno.test("§4 child run: its own timeout is its own", async () => {
  const { report } = await play(IT, child(HANG, "timeout: 3s"));
  assert.equal(report.error?.code, "CHILD_FAILED");
  assert.match(report.error?.message ?? "", /timed_out/);
});

for (
  const [what, head, before, after] of [
    ["the parent", "timeout: 10m", "  - ", ""],
    ["a block around it", "", "  - timeout: 10m\n    steps: [ ", " ]"],
  ] as const
) {
  Deno.test(`§4 child run: time that it is parked counts for nothing to the timeout of ${what}`, async () => {
    let broken = true;
    const it =
      '{ id: it, workflow: child.yaml, catch: [ { codes: [CHILD_FAILED], result: "as well" } ] }';
    const { report, facts } = await play(`${before}${it}${after}\n  - wait: 9m`, {
      ...child(TWO + REFUSE),
      head,
      cast: {
        Undo: ({ metadata }) =>
          broken && metadata["maestro-step"] === "a"
            ? { fail: "PERMISSION_DENIED" }
            : { answer: {} },
      },
      during: async ({ run, clock }) => {
        const [parked] = (await run.result()).attention;
        clock.advance(3_600_000);
        broken = false;
        await run.resolve({ step: parked?.step ?? "", action: "retry", reason: "an hour later" });
      },
    });
    assert.equal(report.status, "completed");
    const kinds = facts.filter(({ kind }) => kind === "child_attention");
    assert.deepEqual(kinds.map(({ parked }) => parked), [true, false]);
  });
}

Deno.test("§4 child run: its `needs_attention` parks the parent, and is resolved there", async () => {
  let broken = true;
  const played = await play(`  - { id: before, service: shop, method: Do, ${UNDO} }\n${IT}`, {
    ...child(TWO + REFUSE),
    cast: {
      Undo: ({ metadata }) =>
        broken && metadata["maestro-step"] === "a" ? { fail: "PERMISSION_DENIED" } : { answer: {} },
    },
    during: async ({ run, engine }) => {
      const parked = await run.result();
      assert.equal(parked.status, "needs_attention");
      assert.deepEqual(parked.attention.map(({ step, op }) => [step, op]), [[
        "it/a",
        "compensate",
      ]]);
      assert.equal((await engine.report("r/it")).status, "needs_attention");
      broken = false;
      await run.resolve({ step: "it/a", action: "retry", by: "ada", reason: "mended" });
    },
  });
  assert.equal(played.report.status, "compensated");
  assert.deepEqual(undoneKeys(played).at(-1), "r/before/compensate");
});

for (const action of ["skip", "abort"] as const) {
  Deno.test(`§4 child run: one that ends as incomplete (${action}) is CHILD_FAILED, and leaves the parent incomplete`, async () => {
    const played = await play(`  - { id: before, service: shop, method: Do, ${UNDO} }\n${IT}`, {
      ...child(TWO + REFUSE),
      cast: {
        Undo: ({ metadata }) =>
          metadata["maestro-step"] === "a" ? { fail: "PERMISSION_DENIED" } : { answer: {} },
      },
      during: async ({ run }) => {
        await run.result();
        await run.resolve({ step: "it/a", action, reason: "by hand" });
      },
    });
    assert.equal(played.report.status, "incomplete");
    assert.equal(played.report.error?.code, "CHILD_FAILED");
    assert.deepEqual(undoneKeys(played).at(-1), "r/before/compensate");
  });
}

Deno.test("§4 child run: one that needs attention in the parent's rollback parks it, and the later compensations wait", async () => {
  let broken = true;
  const played = await play(
    `  - { id: before, service: shop, method: Do, ${UNDO} }\n${IT}${REFUSE}`,
    {
      ...child(TWO),
      cast: {
        Undo: ({ metadata }) =>
          broken && metadata["maestro-step"] === "b"
            ? { fail: "PERMISSION_DENIED" }
            : { answer: {} },
      },
      during: async ({ run, world }) => {
        const parked = await run.result();
        assert.equal(parked.status, "needs_attention");
        assert.deepEqual(parked.attention.map(({ step }) => step), ["it/b"]);
        assert.deepEqual(undoneKeys({ world }), []);
        broken = false;
        await run.resolve({ step: "it/b", action: "retry", reason: "mended" });
      },
    },
  );
  assert.equal(played.report.status, "compensated");
  assert.equal(undoneKeys(played).length, 3);
});

Deno.test("§4 child run: its pivot is the parent's", async () => {
  const files = child(`${TWO}  - { id: pay, service: shop, method: Do, pivot: true }`);
  const parked = await play(
    `  - { id: before, service: shop, method: Do, ${UNDO} }\n${IT}${REFUSE}`,
    files,
  );
  assert.deepEqual(parked.report.attention.map(({ step }) => step), ["bad"]);
  assert.deepEqual(undone(parked), []);
  const late = await play(`${IT}  - wait: 1h`, { ...files, head: "timeout: 5s" });
  assert.equal(late.report.status, "completed");
});

Deno.test("§4 child run: past its pivot, the parent's cancel is refused while it is under way, too", async () => {
  const { report } = await play(IT, {
    ...child("  - { id: pay, service: shop, method: Do, pivot: true }\n  - wait: 1h"),
    head: "timeout: 10m",
    during: ({ run, after }) =>
      after(5_000, async () => {
        await assert.rejects(run.cancel("ada"), { code: "RUN_NOT_ACTIVE", message: /no way back/ });
      }),
  });
  assert.equal(report.status, "completed");
});

Deno.test("§4 child run: past the parent's pivot, one that fails parks the parent, and a retry starts another", async () => {
  const played = await play(
    `  - { id: pay, service: shop, method: Do, pivot: true }\n${IT}`,
    {
      ...child(`${TWO}  - { id: bad, service: shop, method: Flaky }`),
      cast: { Flaky: (_, nth) => nth === 1 ? { fail: "ABORTED" } : { answer: { id: "fine" } } },
      during: async ({ run }) => {
        const parked = await run.result();
        assert.deepEqual(parked.attention.map(({ step, error }) => [step, error.code]), [
          ["it", "CHILD_FAILED"],
        ]);
        await run.resolve({ step: "it", action: "retry", reason: "again" });
      },
    },
  );
  assert.equal(played.report.status, "completed");
  assert.deepEqual(played.report.output, { id: "fine" });
  assert.equal(called(played).filter((path) => path === "bad").length, 2);
});

Deno.test("§4 child run: … also where a block around it is tried again", async () => {
  const played = await play(
    "  - { id: pay, service: shop, method: Do, pivot: true }\n  - { id: it, timeout: 5s, steps: [ { id: inner, workflow: child.yaml } ] }",
    {
      ...child("  - { id: slow, service: shop, method: Flaky, attempt_timeout: 1h }"),
      cast: { Flaky: (_, nth) => nth === 1 ? { hang: true } : { answer: { id: "fine" } } },
      during: async ({ run }) => {
        const parked = await run.result();
        assert.deepEqual(parked.attention.map(({ step, error }) => [step, error.code]), [
          ["it", "STEP_TIMEOUT"],
        ]);
        await run.resolve({ step: "it", action: "retry", reason: "again" });
      },
    },
  );
  assert.equal(played.report.status, "completed");
  assert.deepEqual(played.world.calls.map(({ key }) => key), [
    "r/pay/action",
    "r/it.inner/slow/action",
    "r/it.inner#2/slow/action",
  ]);
});
