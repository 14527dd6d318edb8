import { deepEqual } from "node:assert/strict";
import { places, shown, withSteps } from "../support/parsing.ts";

const PAY = "service: pay, method: Pay";
const UNDO = "compensate: { method: Undo }";

/** Steps begin at line 5. */
const CASES: readonly (readonly [what: string, steps: string, expected: readonly string[]])[] = [
  ["a service that no step calls", "  - return: 1", ["3:3 unused_service"]],
  [
    "a service that only a compensation calls",
    `  - { ${PAY}, compensate: { service: pay, method: Undo } }`,
    [],
  ],
  ["an output that nothing reads", `  - { ${PAY}, output: paid }\n  - { ${PAY} }`, [
    "5:42 unused_output",
  ]],
  ["an id that nothing reads", `  - { id: paid, ${PAY} }\n  - { ${PAY} }`, []],
  [
    "an output that a later step reads",
    `  - { ${PAY}, output: paid }\n  - { ${PAY}, input: { a: "{{ .paid }}" } }`,
    [],
  ],
  [
    "an output read as .steps",
    `  - { id: p, ${PAY}, output: paid }\n  - { ${PAY}, input: { a: "{{ .steps.p.output }}" } }`,
    [],
  ],
  ["the last output, which the run returns", `  - { ${PAY}, output: paid }`, []],
  ["a name that is set and not read", `  - set: { a: 1 }\n  - { ${PAY} }`, ["5:12 unused_output"]],
  [
    "names of a set read as a map",
    `  - { id: s, set: { a: 1 } }\n  - { ${PAY}, input: { a: "{{ .s }}" } }`,
    [],
  ],
  [
    "outputs that a block's result is made of",
    `  - { id: b, steps: [{ set: { a: 1 } }] }\n  - { ${PAY}, input: { a: "{{ .b }}" } }`,
    [],
  ],
  [
    "a step without compensation before one that has it",
    `  - { ${PAY} }\n  - { ${PAY}, ${UNDO} }`,
    ["5:5 no_compensation"],
  ],
  ["a step without compensation after", `  - { ${PAY}, ${UNDO} }\n  - { ${PAY} }`, []],
  [
    "a step that only reads",
    `  - { service: pay, method: acme.v1.Pay/GetPayment }\n  - { ${PAY}, ${UNDO} }`,
    [],
  ],
  [
    "steps of different branches",
    `  - switch:\n      - { when: "{{ .input.a }}", steps: [{ ${PAY} }] }\n      - { steps: [{ ${PAY}, ${UNDO} }] }`,
    [],
  ],
  ["a timeout that the delays outlast", `  - { ${PAY}, timeout: 1s, retry: { attempts: 5 } }`, [
    "5:43 timeout_too_short",
  ]],
  [
    "a timeout of the block around",
    `  - { timeout: 1s, steps: [{ ${PAY}, retry: { attempts: 5 } }] }`,
    ["5:28 timeout_too_short"],
  ],
  ["a timeout that may be enough", `  - { ${PAY}, timeout: 4s, retry: { attempts: 5 } }`, []],
  ["a timeout without retries", `  - { ${PAY}, timeout: 1ms }`, []],
  ["millions of attempts", `  - { ${PAY}, timeout: 1s, retry: { attempts: 999999999 } }`, [
    "5:43 timeout_too_short",
  ]],
];

for (const [what, steps, expected] of CASES) {
  Deno.test(`lintWorkflow() looks at ${what}`, () => {
    deepEqual(places(withSteps(steps)), expected);
  });
}

Deno.test("lintWorkflow() says what may hurt", async (t) => {
  await t.assertSnapshot(
    CASES.map(([what, steps]) => `# ${what}\n${shown(withSteps(steps))}`).join("\n\n"),
  );
});
