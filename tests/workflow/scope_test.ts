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
    ship: "charge checkout chosen hold item label reserve",
    "ship[].sent": "charge checkout chosen hold item label parcel parcel_index reserve",
    "ship[].sent/compensate":
      "charge checkout chosen hold item label parcel parcel_index reserve sent",
    "ship[]/result": "charge checkout chosen hold item label parcel parcel_index reserve sent",
    "ship.catch[0]": "charge checkout chosen error hold item label reserve",
    "ship.catch[0]/result": "charge checkout chosen error hold item label none reserve",
    settled: "charge checkout chosen hold item label labels reserve",
    "settled[].steps[0]": "charge checkout chosen hold item label labels reserve state",
    "settled[]/until": "charge checkout chosen hold item label labels reserve state",
    "settled[]/result": "charge checkout chosen hold item label labels reserve state",
    "steps[6]": "charge checkout chosen hold item label labels reserve settled",
    "approval.catch[0].steps[0]":
      "charge checkout chosen error hold item label labels reserve settled",
    "checkout.charge/verify": "item",
    "checkout.charge/verify.result": "charge item",
    "checkout.charge.catch[0]": "error item",
    "checkout.charge.catch[0].fallback": "error item",
    "checkout.charge.catch[0].fallback/compensate": "error fallback item",
    "checkout.charge.catch[0]/result": "error fallback item",
    "invoice/compensate":
      "approval charge checkout chosen hold invoice item label labels reserve settled",
    log: "approval capture charge checkout chosen hold invoice item label labels reserve settled",
    "":
      "approval capture charge checkout chosen hold invoice item label labels log reserve settled",
  };
  deepEqual(Object.fromEntries(Object.keys(table).map((path) => [path, names(path)])), table);
});

const output = (path: string, previous = false) => ({ kind: "output", path, previous });

Deno.test("visibility() binds names to steps, and set names to their keys", () => {
  const end = visibility(valid(FULL, FULL_FILES)).get("");
  deepEqual(end?.names.get("chosen"), output("tier"));
  deepEqual(end?.names.get("label"), {
    kind: "field",
    path: "checkout.reserve.steps[1]",
    field: "label",
    previous: false,
  });
  const paths = Object.fromEntries([...end?.steps ?? []].map(([id, { path }]) => [id, path]));
  deepEqual(paths, {
    item: "item",
    charge: "checkout.charge",
    hold: "checkout.reserve.hold",
    reserve: "checkout.reserve",
    checkout: "checkout",
    tier: "tier",
    ship: "ship",
    settled: "settled",
    approval: "approval",
    invoice: "invoice",
    capture: "capture",
    log: "log",
  });
});

Deno.test("visibility() tells apart an item, its index, a caught error and what verify was answered", () => {
  const seen = visibility(valid(FULL, FULL_FILES));
  const bound = (scope: string, name: string) => seen.get(scope)?.names.get(name);
  deepEqual(bound("ship[].sent", "parcel"), { kind: "item", path: "ship" });
  deepEqual(bound("ship[].sent", "parcel_index"), { kind: "index", path: "ship" });
  deepEqual(bound("ship.catch[0]", "error"), { kind: "error", path: "ship" });
  deepEqual(bound("checkout.charge/verify.result", "charge"), {
    kind: "answer",
    path: "checkout.charge",
  });
  deepEqual(bound("checkout.charge/compensate", "charge"), output("checkout.charge"));
});

Deno.test("visibility() calls an item and its index `item` and `item_index`, unless told otherwise", () => {
  const seen = visibility(valid(withSteps(
    `  - { foreach: [1], steps: [{ id: a, set: { b: "{{ .item + .item_index }}" } }] }`,
  )));
  deepEqual([...seen.get("steps[0][].a")?.names.keys() ?? []], ["item", "item_index"]);
});

Deno.test("visibility() has in a round of repeat what the round before left, until it is bound anew", () => {
  const seen = visibility(valid(withSteps(`
  - id: pages
    repeat:
      - { id: first, set: { a: "{{ default(.page, {}) }} {{ default(.last, {}) }}" } }
      - { id: page, service: pay, method: List }
      - parallel:
          - { id: side, set: { b: "{{ .page }}" } }
          - id: group
            steps: [{ id: last, set: { c: "{{ default(.b, 0) }}" } }]
      - foreach: [1]
        steps: [{ id: deep, set: { d: "{{ .last }} {{ default(.deep_too, 0) }}" } }]
        output: deep_too
    until: "{{ .steps.page.status == 'completed' }}"
    max_rounds: 3
    result: "{{ .last }}"
`)));
  const bound = (scope: string, name: string) => seen.get(scope)?.names.get(name);
  const page = "pages[].page";
  const last = "pages[].steps[2].group.last";
  deepEqual(bound("pages[].first", "page"), output(page, true));
  deepEqual(bound("pages[].first", "last"), output(last, true));
  deepEqual(bound("pages[].first", "first"), output("pages[].first", true));
  deepEqual(bound("pages[].first", "deep"), undefined);
  deepEqual(bound(page, "page"), output(page, true));
  deepEqual(bound("pages[].steps[2].side", "page"), output(page));
  deepEqual(bound(last, "b"), {
    kind: "field",
    path: "pages[].steps[2].side",
    field: "b",
    previous: true,
  });
  deepEqual(bound("pages[].steps[3][].deep", "last"), output(last));
  deepEqual(bound("pages[].steps[3][].deep", "deep_too"), output("pages[].steps[3]", true));
  for (const scope of ["pages[]/until", "pages[]/result"]) {
    deepEqual([bound(scope, "page"), bound(scope, "last")], [output(page), output(last)]);
    deepEqual(seen.get(scope)?.steps.get("page"), { path: page, previous: false });
  }
  deepEqual(seen.get("pages[].first")?.steps.get("page"), { path: page, previous: true });
  deepEqual([...seen.get("")?.names.keys() ?? []], ["pages"]);
});

Deno.test("visibility() tells a step called result or until from a loop's own", () => {
  const seen = visibility(valid(withSteps(`
  - id: r
    repeat: [{ id: result, set: { a: 1 } }, { id: until, service: pay, method: Pay, catch: [{ steps: [{ id: x, set: { b: 1 } }] }] }]
    until: "{{ .until.x }}"
    max_rounds: 3
    result: "{{ .result }}"
`)));
  const result = (scope: string) => seen.get(scope)?.names.get("result");
  deepEqual(result("r[].result"), output("r[].result", true));
  deepEqual(result("r[]/result"), output("r[].result"));
  deepEqual(result("r[]/until"), output("r[].result"));
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
  deepEqual(seen.get("s2999")?.names.get("n0"), {
    kind: "field",
    path: "s0",
    field: "n0",
    previous: false,
  });
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
    ["5:29 unknown_key", "6:46 empty_list"],
  ],
  // In rounds
  [
    "an item from outside its rounds",
    `  - { id: f, foreach: [1], steps: [{ set: { a: "{{ .item }}" } }] }\n  - set: { b: "{{ .item }} {{ .item_index }}" }`,
    ["6:19 unseen_name", "6:31 unseen_name"],
  ],
  [
    "an item in the list of items, in when and in catch",
    `  - { foreach: "{{ .x }}", as: x, when: "{{ .x }}", catch: [{ result: "{{ .x }}" }], steps: [{ set: { a: 1 } }] }`,
    ["5:20 unseen_name", "5:45 unseen_name", "5:75 unseen_name"],
  ],
  [
    "the own result of a foreach",
    `  - { id: f, foreach: "{{ .f }}", steps: [{ set: { a: "{{ .f }}" } }], result: "{{ .f }}" }`,
    ["5:27 unseen_name", "5:59 unseen_name", "5:84 unseen_name"],
  ],
  [
    "what a round of foreach binds, from outside",
    `  - { id: f, foreach: [1], steps: [{ id: a, set: { b: 1 } }] }\n  - set: { c: "{{ .b }} {{ .steps.a.status }}" }`,
    ["6:19 unseen_name", "6:28 unseen_name"],
  ],
  [
    "what a round of foreach binds, from a step before it",
    `  - { id: f, foreach: [1], steps: [{ set: { a: "{{ .b }}" } }, { set: { b: 1 } }] }`,
    ["5:52 unseen_name"],
  ],
  [
    "what a round of repeat binds, from outside",
    `  - { repeat: [{ set: { b: 1 } }], until: "{{ .b == 1 }}", max_rounds: 3 }\n  - set: { c: "{{ .b }}" }`,
    ["6:19 unseen_name"],
  ],
  [
    "what a block in a round of repeat binds, from the round's end",
    `  - { repeat: [{ steps: [{ set: { b: 1 } }] }], until: "{{ .b == 1 }}", max_rounds: 3 }`,
    ["5:60 unseen_name"],
  ],
  [
    "what a later step of a round of repeat binds",
    `  - { repeat: [{ set: { a: "{{ default(.b, 0) }}" } }, { set: { b: 1 } }], until: "{{ .b == 1 }}", max_rounds: 3 }`,
    [],
  ],
  [
    "items of rounds within rounds",
    `  - { foreach: [[1]], as: row, steps: [{ foreach: "{{ .row }}", as: cell, steps: [{ set: { a: "{{ .row_index + .cell + .cell_index }}" } }] }] }`,
    [],
  ],
  [
    "an item that hides the one around",
    `  - { foreach: [[1]], steps: [{ foreach: "{{ .item }}", steps: [{ set: { a: 1 } }] }] }`,
    ["5:42 hidden_name", "5:42 hidden_name"],
  ],
  [
    "an item that hides a name",
    `  - set: { user: 1, user_index: 2 }\n  - { foreach: [1], as: user, steps: [{ set: { a: 1 } }] }`,
    ["6:25 hidden_name", "6:25 hidden_name"],
  ],
  [
    "an item that is called as a step of its round",
    `  - { foreach: [1], as: user, steps: [{ id: user, set: { a: 1 } }, { set: { user_index: 1 } }] }`,
    ["5:45 duplicate_name", "5:77 duplicate_name"],
  ],
  ["an item called as a root", `  - { foreach: [1], as: input, steps: [{ set: { a: 1 } }] }`, [
    "5:25 reserved_name",
  ]],
  [
    "a name of a round of repeat that hides another",
    `  - set: { page: 1 }\n  - { repeat: [{ set: { page: "{{ .page }}" } }], until: "{{ true }}", max_rounds: 3 }`,
    ["6:25 hidden_name"],
  ],
  [
    "a loop variable that hides an item",
    `  - { foreach: [[1]], steps: [{ set: { a: "{{ [1].map(item, item) }}" } }] }`,
    ["5:50 shadowed_root"],
  ],
  [
    "an until that is no bool",
    `  - { repeat: [{ set: { a: 1 } }], until: "{{ 'x' }}", max_rounds: 3 }`,
    [
      "5:46 not_a_condition",
    ],
  ],
  // In catch, verify and compensations
  [
    ".error in every part of a catch",
    `  - { service: pay, method: Pay, catch: [{ when: "{{ .error.code == 'X' }}", steps: [{ steps: [{ set: { a: "{{ .error.details }}" } }] }], result: "{{ .error.metadata.x }}" }] }`,
    [],
  ],
  [
    "a field that an error has not",
    `  - { service: pay, method: Pay, catch: [{ result: "{{ .error.status }}" }] }`,
    ["5:56 unknown_name"],
  ],
  [
    ".error after the step that caught it",
    `  - { service: pay, method: Pay, catch: [{ result: 1 }] }\n  - set: { a: "{{ .error.code }}" }`,
    ["6:19 error_outside_catch"],
  ],
  [
    "the result of the step that failed",
    `  - { id: p, service: pay, method: Pay, catch: [{ when: "{{ .p.x == 1 }}", steps: [{ set: { a: "{{ .p }}" } }], result: "{{ .p }}" }] }`,
    ["5:61 unseen_name", "5:100 unseen_name", "5:125 unseen_name"],
  ],
  [
    "what the block bound that failed",
    `  - { id: b, steps: [{ set: { a: 1 } }], catch: [{ result: "{{ .a }}" }] }`,
    ["5:64 unseen_name"],
  ],
  [
    "what a catch binds, in its when, in its result and outside",
    `  - { service: pay, method: Pay, catch: [{ when: "{{ .a == 1 }}", steps: [{ set: { a: 1 } }], result: "{{ .a }}" }] }\n  - set: { b: "{{ .a }}" }`,
    ["5:54 unseen_name", "6:19 unseen_name"],
  ],
  [
    "what another entry of a catch binds",
    `  - { service: pay, method: Pay, catch: [{ codes: [ABORTED], steps: [{ set: { a: 1 } }] }, { result: "{{ .a }}" }] }`,
    ["5:106 unseen_name"],
  ],
  [
    "the answer of a verify, in its result and in its input",
    `  - { id: p, service: pay, method: Pay, verify: { method: Find, input: { a: "{{ .p.id }}" }, result: "{{ .p.id }}" } }`,
    ["5:81 unseen_name"],
  ],
  [
    "the answer of a verify whose step has no name",
    `  - { service: pay, method: Pay, verify: { method: Find, result: "{{ .p.id }}" } }`,
    ["5:70 unknown_name"],
  ],
  [
    "a secret in the input of a child, and in the metadata of a verify",
    `  - { service: pay, method: Pay, verify: { method: Find, metadata: { a: "{{ .secrets.KEY }}" }, input: { a: "{{ .secrets.KEY }}" } } }`,
    ["5:113 secret_misplaced"],
  ],
  // What may stand where
  [
    "return inside foreach",
    `  - { foreach: [1], steps: [{ switch: [{ steps: [{ return: 1 }] }] }] }`,
    [
      "5:52 return_inside",
    ],
  ],
  [
    "return inside a catch inside foreach",
    `  - { foreach: [1], steps: [{ service: pay, method: Pay, catch: [{ steps: [{ return: 1 }] }] }] }`,
    ["5:78 return_inside"],
  ],
  [
    "return in repeat, and in the catch of a foreach",
    `  - { repeat: [{ return: 1 }], until: "{{ true }}", max_rounds: 1 }\n  - { foreach: [1], steps: [{ set: { a: 1 } }], catch: [{ steps: [{ return: 1 }] }] }`,
    [],
  ],
  [
    "a fail that is caught is no end",
    `  - { fail: { code: ABORTED, message: x }, catch: [{ codes: [ABORTED] }] }\n  - return: 1`,
    [],
  ],
  [
    "a call inside a compensation that is verified, caught or a pivot",
    `  - { service: pay, method: Pay, compensate: { steps: [{ service: pay, method: A, verify: { method: V }, pivot: true, catch: [{ undo: true }] }] } }`,
    ["5:83 nested_compensation", "5:106 nested_compensation", "5:119 nested_compensation"],
  ],
  [
    "a block inside a compensation that is caught",
    `  - { service: pay, method: Pay, compensate: { steps: [{ steps: [{ fail: { code: ABORTED, message: x } }], catch: [{ undo: true }, { codes: [ABORTED] }] }] } }`,
    ["5:118 nested_compensation"],
  ],
  [
    "forms inside a compensation",
    `  - { service: pay, method: Pay, compensate: { steps: [{ foreach: [1], steps: [{ wait: 1s }] }, { await_signal: x }] } }`,
    [],
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
    const found = places(withSteps(steps))
      .filter((place) => !/unused_|no_comp|unverified|never_fits/.test(place));
    deepEqual(found, expected);
  });
}

Deno.test("parseWorkflow() says why a name can't be seen", async (t) => {
  const told = UNSEEN.map(([what, steps]) => `# ${what}\n${shown(withSteps(steps))}`);
  await t.assertSnapshot(told.join("\n\n"));
});
