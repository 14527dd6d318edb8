/**
 * language.md §4: the forms of steps, sentence by sentence.
 *
 * Of calls: `idempotent` in tests/engine/saga_test.ts ("a call that is not idempotent is made at most
 * once"), streams in tests/e2e/streams_test.ts. Of `parallel`: `concurrency` in
 * tests/engine/run_test.ts and tests/e2e/parallel_test.ts. Told at load: `repeat` without an end and
 * `return` where it may not stand (below), codes of `fail` (tests/workflow/language_rules_test.ts).
 */
import assert from "node:assert/strict";
import { called, inputsOf, play, refusals, stepOf, took } from "../support/scene.ts";

Deno.test("§4 `steps`: one after the other, as one step; its output is the last one's", async () => {
  const played = await play(`
  - id: group
    steps:
      - { id: a, service: shop, method: Slow }
      - { id: b, service: shop, method: Do }
  - set: { out: "{{ .group.id }}" }
`);
  assert.deepEqual(called(played), ["group.a", "group.b"]);
  assert.deepEqual(played.report.output, { out: "group.b" });
});

Deno.test("§4 `parallel`: side by side; an item may be a `steps:` group; its output is a map by branch id", async () => {
  const played = await play(`
  - id: both
    parallel:
      - { id: a, service: shop, method: Slow }
      - { id: g, steps: [ { service: shop, method: Slow }, { set: { x: 1 } } ] }
      - { id: skipped, when: "{{ false }}", service: shop, method: Do }
`);
  assert.equal(took(played), 1_000);
  assert.deepEqual(played.report.output, { a: { id: "both.a" }, g: { x: 1 }, skipped: {} });
});

for (
  const [written, status] of [["", "cancelled"], ["on_failure: cancel", "cancelled"], [
    "on_failure: finish",
    "completed",
  ]] as const
) {
  const on = written || "left out";
  for (
    const [form, block] of [
      ["parallel", "parallel: [ { service: shop, method: Refuse }, { id: other, wait: 2s } ]"],
      [
        "foreach",
        'foreach: [0, 1, 2], concurrency: 2, steps: [ { switch: [ { when: "{{ .item == 0 }}", steps: [ { service: shop, method: Refuse } ] } ] }, { id: other, wait: 2s } ]',
      ],
    ] as const
  ) {
    Deno.test(`§4 \`${form}\`, on_failure ${on}: the others are ${status} before the block fails`, async () => {
      const played = await play(`  - { id: it, ${block}${written && `, ${written}`} }`);
      assert.equal(played.report.status, "failed");
      assert.equal(played.report.error?.code, "FAILED_PRECONDITION");
      const other = form === "parallel" ? "it.other" : "it[1].other";
      assert.equal(stepOf(played, other).status, status);
      assert.equal(took(played), status === "completed" ? 2_000 : 0);
      assert.ok(!played.report.steps.some(({ path }) => path.startsWith("it[2]")), "none begins");
    });
  }
}

Deno.test("§4 `foreach`: for each item, in order, one at a time; `item` and `item_index`", async () => {
  const played = await play(
    `
  - id: ship
    foreach: "{{ .input.items }}"
    steps: [ { id: label, service: shop, method: Slow, input: { of: "{{ .item.sku }}", at: "{{ .item_index }}" } } ]
`,
    { input: { items: [{ sku: "a" }, { sku: "b" }, { sku: "c" }] } },
  );
  assert.deepEqual(called(played), ["ship[0].label", "ship[1].label", "ship[2].label"]);
  assert.deepEqual(inputsOf(played, "Slow"), [
    { of: "a", at: 0 },
    { of: "b", at: 1 },
    { of: "c", at: 2 },
  ]);
  assert.equal(took(played), 3_000);
});

Deno.test("§4 `foreach`: `as` names the item and its index; `concurrency` at a time; its output is a list in the items' order", async () => {
  let most = 0;
  let now = 0;
  const played = await play(
    `
  - id: ship
    foreach: [4, 3, 2, 1, 5]
    as: n
    concurrency: 2
    steps: [ { id: label, service: shop, method: Label, input: { n: "{{ .n }}", at: "{{ .n_index }}" } }, { service: shop, method: Over } ]
    result: "{{ .label.url }}"
    output: labels
  - return: "{{ .labels }}"
`,
    {
      cast: {
        Label: ({ input }) => {
          most = Math.max(most, ++now);
          const { n } = input as { n: number }; // as the workflow sends it
          return { answer: { url: `u${n}` }, after: n * 100 };
        },
        Over: () => {
          now--;
          return { answer: {} };
        },
      },
    },
  );
  assert.deepEqual(played.report.output, ["u4", "u3", "u2", "u1", "u5"]);
  assert.equal(most, 2);
});

Deno.test("§4 `foreach`: `result` left out: its last step's output; over nothing: an empty list", async () => {
  const { report } = await play(`
  - { id: a, foreach: [1, 2], steps: [ { wait: 1s }, { set: { n: "{{ .item }}" } } ] }
  - { id: b, foreach: [], steps: [ { set: { n: "{{ .item }}" } } ] }
  - return: [ "{{ .a }}", "{{ .b }}" ]
`);
  assert.deepEqual(report.output, [[{ n: 1 }, { n: 2 }], []]);
});

Deno.test("§4 `foreach` over what is no list is an error of the step", async () => {
  const { report } = await play('  - { id: it, foreach: "{{ .input }}", steps: [ { wait: 1s } ] }');
  assert.equal(report.error?.code, "EXPRESSION_ERROR");
  assert.equal(report.error?.step, "it");
});

const TIERS = `
  - id: tier
    switch:
      - { when: "{{ .input.tier == 'gold' }}", steps: [ { set: { a: gold } } ] }
      - { when: "{{ .input.tier != 'none' && .input.tier != 'any' }}", steps: [ { set: { a: other } } ] }
      - { when: "{{ .input.tier in ['gold', 'any'] }}", steps: [ { set: { a: later } } ] }
`;

for (
  const [tier, more, output, status] of [
    ["gold", "", { a: "gold" }, "completed"],
    ["any", "", { a: "later" }, "completed"],
    ["none", "      - { steps: [ { set: { a: default } } ] }\n", { a: "default" }, "completed"],
    ["none", "", {}, "skipped"],
  ] as const
) {
  const name = more ? "a last one without `when` is the default" : {
    gold: "the first branch whose `when` is true",
    any: "a branch whose `when` is false is passed over",
    none: "none: skipped",
  }[tier];
  Deno.test(`§4 \`switch\`: ${name}`, async () => {
    const { report } = await play(
      `${TIERS}${more}  - set: { output: "{{ .tier }}", status: "{{ .steps.tier.status }}" }`,
      { input: { tier } },
    );
    assert.deepEqual(report.output, { output, status });
  });
}

Deno.test("§4 `repeat`: again `until`; `every` is the pause between rounds", async () => {
  const played = await play(
    `
  - id: settled
    repeat: [ { id: state, service: shop, method: State } ]
    until: "{{ .state.status == 'SETTLED' }}"
    every: 2s
    max_rounds: 100
`,
    {
      cast: {
        State: (_, nth) => ({ answer: { status: nth < 4 ? "OPEN" : "SETTLED", nth } }),
      },
    },
  );
  assert.deepEqual(called(played), [0, 1, 2, 3].map((round) => `settled[${round}].state`));
  assert.equal(took(played), 3 * 2_000);
  assert.deepEqual(played.report.output, { status: "SETTLED", nth: 4 }, "the last round's");
});

Deno.test("§4 `repeat`: `every`, by default 0s", async () => {
  const played = await play(
    '  - { id: it, repeat: [ { id: a, service: shop, method: Slow } ], until: "{{ false }}", timeout: 3500ms }',
  );
  assert.equal(played.world.calls.length, 4);
  assert.equal(played.report.error?.code, "STEP_TIMEOUT");
  assert.equal(took(played), 3_500);
});

Deno.test("§4 `repeat`: after `max_rounds` it fails as REPEAT_EXHAUSTED, which a `catch` may take", async () => {
  const text =
    'id: it, repeat: [ { service: shop, method: Do } ], until: "{{ false }}", max_rounds: 3';
  const played = await play(`  - { ${text} }`);
  assert.equal(played.report.error?.code, "REPEAT_EXHAUSTED");
  assert.equal(played.report.error?.step, "it");
  assert.equal(played.world.calls.length, 3);
  const caught = await play(
    `  - { ${text}, catch: [ { codes: [REPEAT_EXHAUSTED], result: no } ] }`,
  );
  assert.equal(caught.report.output, "no");
});

Deno.test("§4 `repeat`: `max_rounds` is required unless the step has a timeout", () => {
  const step = 'repeat: [ { wait: 1s } ], until: "{{ true }}"';
  assert.deepEqual(refusals(`  - { ${step} }`), ["endless"]);
  assert.deepEqual(refusals(`  - { ${step}, max_rounds: 2 }`), []);
  assert.deepEqual(refusals(`  - { ${step}, timeout: 1s }`), []);
});

Deno.test("§4 `wait`: so long", async () => {
  assert.equal(took(await play("  - wait: 5m")), 5 * 60_000);
});

Deno.test("§4 `wait`: until an RFC 3339 time", async () => {
  const played = await play(
    '  - wait: { until: "{{ .input.at }}" }\n  - wait: { until: "2026-01-01T02:00:30+01:00" }',
    { input: { at: "2026-01-01T00:00:10.5Z" } }, // the clock begins with 2026
  );
  assert.equal(stepOf(played, "steps[0]").finished_at, "2026-01-01T00:00:10.500Z");
  assert.equal(stepOf(played, "steps[1]").finished_at, "2026-01-01T01:00:30.000Z");
});

Deno.test("§4 `wait`: until a time that is past, or now, waits not at all", async () => {
  const played = await play(
    '  - wait: { until: "2020-01-01T00:00:00Z" }\n  - wait: { until: "{{ .run.started_at }}" }',
  );
  assert.equal(played.report.status, "completed");
  assert.equal(took(played), 0);
});

Deno.test("§4 `wait`: until what is no time is an error of the step", async () => {
  const { report } = await play('  - { id: it, wait: { until: "{{ .input.at }}" } }', {
    input: { at: "tomorrow" },
  });
  assert.equal(report.error?.code, "EXPRESSION_ERROR");
  assert.equal(report.error?.step, "it");
});

Deno.test("§4 `workflow`: another workflow, as a child run; its output is the output", async () => {
  const played = await play(
    '  - { id: invoice, workflow: ./invoice.yaml, input: { of: "{{ .input.of }}" } }\n  - set: { got: "{{ .invoice.text }}" }',
    {
      input: { of: "ada" },
      files: {
        "invoice.yaml":
          'name: invoice\noutput: { text: "for {{ .input.of }}" }\nsteps: [ { wait: 1s } ]',
      },
    },
  );
  assert.deepEqual(played.report.output, { got: "for ada" });
  assert.equal(stepOf(played, "invoice").kind, "child");
});

Deno.test("§4 `set`: names for later steps", async () => {
  const { report } = await play(`
  - { id: sums, set: { total: "{{ 1 + 2 }}", name: x } }
  - set: { twice: "{{ .total * 2 }}", whole: "{{ .sums }}" }
`);
  assert.deepEqual(report.output, { twice: 6, whole: { total: 3, name: "x" } });
});

Deno.test("§4 `fail`: with its code, and a message that may hold expressions", async () => {
  const { report } = await play(
    '  - fail: { code: FAILED_PRECONDITION, message: "No stock for {{ .input.sku }}" }',
    { input: { sku: "x1" } },
  );
  assert.deepEqual(
    [report.status, report.error?.code, report.error?.message],
    ["failed", "FAILED_PRECONDITION", "No stock for x1"],
  );
});

const RETURN = 'return: { at: "here" }';

for (
  const [where, step] of [
    ["in the workflow's own list", RETURN],
    [
      "in a group",
      `steps: [ { ${RETURN} }, { when: "{{ true }}", fail: { code: ABORTED, message: no } } ]`,
    ],
    ["in a switch", `switch: [ { steps: [ { ${RETURN} } ] } ]`],
    ["in a repeat", `repeat: [ { ${RETURN} } ], until: "{{ false }}", max_rounds: 5`],
    ["in a catch", `service: shop, method: Refuse, catch: [ { steps: [ { ${RETURN} } ] } ]`],
    [
      "in a catch of a block in a repeat",
      `repeat: [ { steps: [ { service: shop, method: Refuse } ], catch: [ { steps: [ { ${RETURN} } ] } ] } ], until: "{{ false }}", max_rounds: 5`,
    ],
  ] as const
) {
  Deno.test(`§4 \`return\` ${where} ends the run as completed with this output`, async () => {
    const played = await play(
      `  - { when: "{{ true }}", ${step} }\n  - { id: never, service: shop, method: Do }`,
      { head: "output: { at: the end }" },
    );
    assert.equal(played.report.status, "completed");
    assert.deepEqual(played.report.output, { at: "here" });
    assert.ok(!called(played).includes("never"));
  });
}

for (
  const [where, step] of [
    ["parallel", `parallel: [ { steps: [ { ${RETURN} } ] } ]`],
    ["foreach", `foreach: [1], steps: [ { ${RETURN} } ]`],
    ["a group in foreach", `foreach: [1], steps: [ { steps: [ { ${RETURN} } ] } ]`],
    ["a catch in parallel", `parallel: [ { wait: 1s, catch: [ { steps: [ { ${RETURN} } ] } ] } ]`],
  ] as const
) {
  Deno.test(`§4 \`return\`: not inside parallel or foreach: ${where}`, () => {
    assert.deepEqual(refusals(`  - { ${step} }`), ["return_inside"]);
  });
}
