/**
 * language.md §5, sentence by sentence: what is told at load. What happens is in semantics.md, and in
 * semantics_3_outcomes_test.ts, semantics_4_rollback_test.ts and their neighbours.
 */
import assert from "node:assert/strict";
import { play, refusals, undone } from "../support/scene.ts";

Deno.test("§5 `compensate` is a call (as above), or `{steps: [ … ]}`", async () => {
  const played = await play(`
  - { id: one, service: shop, method: Do, compensate: { method: Undo, input: { id: "{{ .one.id }}" }, metadata: { x-a: "{{ .one.id }}" } } }
  - id: two
    service: shop
    method: Do
    compensate:
      steps:
        - { id: first, service: shop, method: Undo, input: { id: "{{ .two.id }}" } }
        - { service: shop, method: Undo, input: { id: "{{ .two.id }}, then {{ .steps.first.status }}" } }
  - { service: shop, method: Refuse }
`);
  assert.equal(played.report.status, "compensated");
  const undos = played.world.calls.filter(({ method }) => method === "shop/Undo");
  assert.deepEqual(undos.map(({ input }) => input), [
    { id: "two" },
    { id: "two, then completed" },
    { id: "one" },
  ]);
  assert.equal(undos[2]?.metadata["x-a"], "one");
  assert.deepEqual(undone(played), ["two.compensate[0]", "two.compensate[1]", "one"]);
});

Deno.test("§5 `verify` settles an unknown outcome", async () => {
  const { report } = await play(
    "  - { id: it, service: shop, method: Lose, verify: { method: Found } }",
    { cast: { Found: { answer: { id: "found" } } } },
  );
  assert.equal(report.status, "completed");
  assert.deepEqual(report.output, { id: "found" });
});

const PIVOT = "service: shop, method: Do, pivot: true";
const FAIL = "fail: { code: ABORTED, message: no }";

for (
  const [where, step] of [
    ["parallel", `parallel: [ { ${PIVOT} } ]`],
    ["foreach", `foreach: [1], steps: [ { ${PIVOT} } ]`],
    ["repeat", `repeat: [ { ${PIVOT} } ], until: "{{ true }}", max_rounds: 1`],
    ["a group in parallel", `parallel: [ { steps: [ { ${PIVOT} } ] } ]`],
    [
      "a catch in foreach",
      `foreach: [1], steps: [ { wait: 1s, catch: [ { steps: [ { ${PIVOT} } ] } ] } ]`,
    ],
    ["a child run in parallel", "parallel: [ { workflow: child.yaml } ]"],
  ] as const
) {
  Deno.test(`§5 a pivot may not stand inside \`parallel\`, \`foreach\` or \`repeat\`: ${where}`, () => {
    const files = {
      "child.yaml":
        `name: child\nservices: { shop: { endpoint: "shop:1" } }\nsteps: [ { ${PIVOT} } ]`,
    };
    assert.deepEqual(refusals(`  - { ${step} }`, { files }), ["pivot_inside"]);
  });
}

for (
  const [where, steps, expected] of [
    ["right after it", `  - { ${PIVOT} }\n  - ${FAIL}`, ["fail_after_pivot"]],
    ["also one that may be skipped", `  - { ${PIVOT} }\n  - { when: "{{ .input.x }}", ${FAIL} }`, [
      "fail_after_pivot",
    ]],
    ["in a block after it", `  - { ${PIVOT} }\n  - steps: [ { ${FAIL} } ]`, ["fail_after_pivot"]],
    ["after the group that has the pivot", `  - steps: [ { ${PIVOT} } ]\n  - ${FAIL}`, [
      "fail_after_pivot",
    ]],
    [
      "in a `catch` after it",
      `  - { ${PIVOT} }\n  - { wait: 1s, catch: [ { steps: [ { ${FAIL} } ] } ] }`,
      [
        "fail_after_pivot",
      ],
    ],
    [
      "caught: none",
      `  - { ${PIVOT} }\n  - { steps: [ { ${FAIL} } ], catch: [ { result: {} } ] }`,
      [],
    ],
    [
      "caught by its own `catch`: none",
      `  - { ${PIVOT} }\n  - { ${FAIL}, catch: [ { codes: [ABORTED] } ] }`,
      [],
    ],
    [
      "caught by one that takes other codes",
      `  - { ${PIVOT} }\n  - { steps: [ { ${FAIL} } ], catch: [ { codes: [NOT_FOUND] } ] }`,
      ["fail_after_pivot"],
    ],
    ["before it: none", `  - { when: "{{ .input.x }}", ${FAIL} }\n  - { ${PIVOT} }`, []],
    [
      "in another branch of the switch: none",
      `  - switch: [ { when: "{{ .input.x }}", steps: [ { ${PIVOT} } ] }, { steps: [ { ${FAIL} } ] } ]`,
      [],
    ],
  ] as const
) {
  Deno.test(`§5 after a pivot an uncaught \`fail\` is an error at load: ${where}`, () => {
    assert.deepEqual(refusals(steps), expected);
  });
}
