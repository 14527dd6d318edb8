import { deepEqual } from "node:assert/strict";
import { visibility } from "../../src/workflow/scope.ts";
import { places, shown, valid, withSteps } from "../support/parsing.ts";
import { FULL, FULL_FILES } from "../support/workflows.ts";

Deno.test("visibility() gives each step the names it can see", () => {
  const seen = visibility(valid(FULL, FULL_FILES));
  const names = (path: string) => [...seen.get(path)?.names.keys() ?? ["nothing"]].sort().join(" ");
  const table = {
    item: "",
    "item/compensate": "nothing",
    checkout: "item",
    "checkout.charge": "item",
    "checkout.charge/compensate": "charge item",
    "checkout.reserve": "charge item",
    "checkout.reserve.hold": "charge item",
    "checkout.reserve.hold/compensate": "charge hold item",
    "checkout.reserve.hold.compensate[0]": "charge hold item",
    "checkout.reserve.hold.compensate[1]": "charge hold item released",
    "checkout.reserve.steps[1]": "charge hold item",
    tier: "charge checkout hold item label reserve",
    "tier.switch[0].perks": "charge checkout hold item label reserve",
    "tier.switch[0].steps[1]": "charge checkout hold item label perks reserve",
    "tier.switch[1].steps[0]": "charge checkout hold item label reserve",
    log: "charge checkout chosen hold item label reserve",
    "": "charge checkout chosen hold item label log reserve",
  };
  deepEqual(Object.fromEntries(Object.keys(table).map((path) => [path, names(path)])), table);
});

Deno.test("visibility() binds names to steps, and set names to their keys", () => {
  const end = visibility(valid(FULL, FULL_FILES)).get("");
  deepEqual(end?.names.get("chosen"), { path: "tier", field: null });
  deepEqual(end?.names.get("label"), { path: "checkout.reserve.steps[1]", field: "label" });
  deepEqual(Object.fromEntries(end?.steps ?? []), {
    item: "item",
    charge: "checkout.charge",
    hold: "checkout.reserve.hold",
    reserve: "checkout.reserve",
    checkout: "checkout",
    tier: "tier",
    log: "log",
  });
});

Deno.test("visibility() lets an inner name hide an outer one inside its block only", () => {
  const seen = visibility(valid(withSteps(`
  - set: { a: 1 }
  - steps:
      - set: { a: 2 }
      - set: { b: "{{ .a }}" }
  - service: pay
    method: Pay
    input: { a: "{{ .a }}" }
`)));
  deepEqual(seen.get("steps[1].steps[1]")?.names.get("a")?.path, "steps[1].steps[0]");
  deepEqual(seen.get("steps[2]")?.names.get("a")?.path, "steps[0]");
});

Deno.test("visibility() stays small for a list of thousands of steps", () => {
  const lines = Array.from({ length: 3000 }, (_, at) => `  - { id: s${at}, set: { n${at}: 1 } }`);
  const seen = visibility(valid(withSteps(lines.join("\n"))));
  deepEqual(seen.get("s2999")?.names.get("n0"), { path: "s0", field: "n0" });
  deepEqual(seen.get("s2999")?.names.size, 2 * 2999);
});

/** Steps begin at line 5. */
const UNSEEN: readonly (readonly [what: string, steps: string, expected: readonly string[]])[] = [
  ["a name bound later", `  - set: { a: "{{ .b }}" }\n  - set: { b: 1 }`, ["5:19 unseen_name"]],
  [
    "a step that comes later",
    `  - set: { a: "{{ .steps.b.status }}" }\n  - { id: b, set: { c: 1 } }`,
    ["5:19 unseen_name"],
  ],
  ["a step's own output", `  - { id: a, service: pay, method: Pay, input: { x: "{{ .a }}" } }`, [
    "5:57 unseen_name",
  ]],
  ["the output of the block around", `  - { id: a, steps: [{ set: { b: "{{ .a }}" } }] }`, [
    "5:38 unseen_name",
  ]],
  ["a key of the same set", `  - set: { a: 1, b: "{{ .a }}" }`, ["5:25 unseen_name"]],
  [
    "a name inside a group",
    `  - { id: g, steps: [{ set: { a: 1 } }] }\n  - set: { b: "{{ .a }}" }`,
    ["6:19 unseen_name"],
  ],
  [
    "a name of another branch",
    `  - switch:\n      - { when: "{{ true }}", steps: [{ set: { a: 1 } }] }\n      - { steps: [{ set: { b: "{{ .a }}" } }] }`,
    ["7:35 unseen_name"],
  ],
  [
    "a sibling that is not needed",
    `  - parallel:\n      - { id: x, set: { a: 1 } }\n      - { id: y, set: { b: "{{ .a }}" } }`,
    ["7:32 unseen_name"],
  ],
  [
    "a sibling without an id",
    `  - parallel:\n      - { set: { a: 1 } }\n      - { id: y, set: { b: "{{ .a }}" } }`,
    ["7:32 unseen_name"],
  ],
  [
    "a sibling that needs this one",
    `  - parallel:\n      - { id: x, needs: [y], set: { a: 1 } }\n      - { id: y, set: { b: "{{ .a }}" } }`,
    ["7:32 unseen_name"],
  ],
  [
    "a name deep in a sibling",
    `  - parallel:\n      - { id: x, steps: [{ steps: [{ set: { a: 1 } }] }] }\n      - { id: y, needs: [x], set: { b: "{{ .a }}" } }`,
    ["7:44 unseen_name"],
  ],
  [
    "a needed sibling, through another",
    `  - parallel:\n      - { id: x, set: { a: 1 } }\n      - { id: y, needs: [x], set: { b: 1 } }\n      - { id: z, needs: [y], set: { c: "{{ .a }}" } }`,
    [],
  ],
  [
    "a name in a compensation",
    `  - { id: a, service: pay, method: Pay, compensate: { steps: [{ set: { b: 1 } }] } }\n  - set: { c: "{{ .b }}" }`,
    ["6:19 unseen_name"],
  ],
  ["a name that is nowhere", `  - set: { a: "{{ .nowhere }}" }`, ["5:19 unknown_name"]],
  ["a misspelt root", `  - set: { a: "{{ .inptu.x }}" }`, ["5:19 unknown_name"]],
  ["an unknown step", `  - set: { a: "{{ .steps.nowhere.status }}" }`, ["5:19 unknown_step"]],
  [".steps alone", `  - set: { a: "{{ .steps }}" }`, ["5:19 needs_a_name"]],
  [".env alone", `  - set: { a: "{{ .env }}" }`, ["5:19 needs_a_name"]],
  [
    "a field that a step has not",
    `  - { id: a, set: { b: 1 } }\n  - set: { c: "{{ .steps.a.result }}" }`,
    ["6:19 unknown_name"],
  ],
  ["a field that a run has not", `  - set: { a: "{{ .run.name }}" }`, ["5:19 unknown_name"]],
  [".error outside of catch", `  - set: { a: "{{ .error.code }}" }`, ["5:19 error_outside_catch"]],
  [
    "a secret in an input",
    `  - { service: pay, method: Pay, input: { a: "{{ .secrets.KEY }}" } }`,
    ["5:50 secret_misplaced"],
  ],
  ["a secret in when", `  - { when: "{{ .secrets.KEY == 'x' }}", set: { a: 1 } }`, [
    "5:17 secret_misplaced",
  ]],
  [
    "a secret in metadata",
    `  - { service: pay, method: Pay, metadata: { a: "{{ .secrets.KEY }}" } }`,
    [],
  ],
  [
    "a name after a step with a mistake",
    `  - { id: a, set: { x: 1 }, tiemout: 3s }\n  - { id: b, foreach: "{{ .input }}", steps: [] }\n  - set: { c: "{{ .a }} {{ .b }} {{ .x }}" }`,
    ["5:29 unknown_key", "6:14 not_supported", "6:46 empty_list"],
  ],
  [
    "needs that name no sibling",
    `  - { id: o, set: { p: 1 } }\n  - parallel: [{ id: a, needs: [o], set: { b: 1 } }]`,
    ["6:33 unknown_need"],
  ],
  [
    "needs that go round",
    `  - parallel:\n      - { id: a, needs: [b], set: { x: 1 } }\n      - { id: b, needs: [a], set: { y: 1 } }`,
    ["6:25 needs_circle"],
  ],
  ["needs of itself", `  - parallel: [{ id: a, needs: [a], set: { x: 1 } }]`, [
    "5:33 needs_circle",
  ]],
  ["needs outside of parallel", `  - { id: a, needs: [b], set: { x: 1 } }`, [
    "5:14 needs_outside_parallel",
  ]],
  ["return inside parallel", `  - parallel: [{ steps: [{ return: 1 }] }]`, ["5:28 return_inside"]],
  [
    "return inside a compensation",
    `  - { service: pay, method: Pay, compensate: { steps: [{ return: 1 }] } }`,
    ["5:58 return_inside"],
  ],
  [
    "a compensation of a compensation",
    `  - { service: pay, method: Pay, compensate: { steps: [{ service: pay, method: A, compensate: { method: B } }] } }`,
    ["5:83 nested_compensation"],
  ],
  [
    "retries of their own inside a compensation",
    `  - { service: pay, method: Pay, compensate: { steps: [{ service: pay, method: A, timeout: 1s, retry: {} }] } }`,
    ["5:83 nested_compensation", "5:96 nested_compensation"],
  ],
  ["what comes after return", `  - return: 1\n  - set: { a: 1 }`, ["6:5 unreachable"]],
  [
    "what comes after a fail that may be skipped",
    `  - { when: "{{ .input.x }}", fail: { code: ABORTED, message: no } }\n  - set: { a: 1 }`,
    [],
  ],
  ["a when that is text", `  - { when: "{{ 'a' }}", set: { a: 1 } }`, ["5:16 not_a_condition"]],
  ["a when with text around", `  - { when: "{{ true }} {{ false }}", set: { a: 1 } }`, [
    "5:16 not_a_condition",
  ]],
  ["a syntax error", `  - set: { a: "{{ .input. }}" }`, ["5:25 expression_syntax"]],
  ["a habit of Go templates", `  - set: { a: "{{ eq .input.a 1 }}" }`, ["5:19 go_template"]],
  [
    "a block of text",
    `  - set:\n      a: |\n        one {{ .input.x }}\n        two {{ .nowhere }}`,
    ["8:16 unknown_name"],
  ],
  ["text with escapes", `  - set: { a: "\\u00e9 \\" {{ .input.x }} {{ .nowhere }}" }`, [
    "5:44 unknown_name",
  ]],
];

for (const [what, steps, expected] of UNSEEN) {
  Deno.test(`parseWorkflow() knows who may name ${what}`, () => {
    const found = places(withSteps(steps)).filter((place) => !/unused_|no_comp/.test(place));
    deepEqual(found, expected);
  });
}

Deno.test("parseWorkflow() says why a name can't be seen", async (t) => {
  const told = UNSEEN.map(([what, steps]) => `# ${what}\n${shown(withSteps(steps))}`);
  await t.assertSnapshot(told.join("\n\n"));
});
