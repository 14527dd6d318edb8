/** Child runs go on after any fact of theirs or of their parents. */
import assert from "node:assert/strict";
import { answers, playInterrupted, type RestartCase } from "../support/restarts.ts";
import type { Script } from "../support/world.ts";

const plain = {
  "shop/A": answers,
  "shop/B": answers,
  "shop/Undo": answers,
  "mail/Tell": answers,
  "mail/Undo": answers,
};

/** Two steps that can be undone, and one that may fail. */
const CHILD = `
steps:
  - { id: a, service: shop, method: A, input: { n: "{{ .input.n }}" }, compensate: { method: Undo, input: { of: "{{ .a.echo.n }}" } } }
  - { id: b, service: shop, method: B, input: { n: "{{ .a.echo.n }}" }, compensate: { service: mail, method: Undo, input: { of: "{{ .b.echo.n }}" } } }
output: { n: "{{ .b.echo.n }}" }
`;
const FAILING = `
steps:
  - { id: a, service: shop, method: A, input: { n: "{{ .input.n }}" }, compensate: { method: Undo } }
  - { id: bad, service: mail, method: Bad }
`;

const CASES: readonly RestartCase[] = [
  {
    name: "a child run between two calls",
    status: "completed",
    scripts: plain,
    children: { "child.yaml": CHILD },
    steps: `
steps:
  - { id: first, service: shop, method: A }
  - { id: sub, workflow: child.yaml, input: { n: 7 } }
  - { id: tell, service: mail, method: Tell, input: { n: "{{ .sub.n }}" } }
`,
    expect: ({ children }) => assert.deepEqual(children.get("r/sub")?.output, { n: 7 }),
  },
  {
    name: "a child run that fails and is caught",
    status: "completed",
    scripts: { ...plain, "mail/Bad": { fail: "ABORTED", after: 100 } },
    children: { "child.yaml": FAILING },
    steps: `
steps:
  - { id: sub, workflow: child.yaml, input: { n: 7 }, catch: [ { codes: [CHILD_FAILED], result: { why: "{{ .error.message }}" } } ] }
  - { id: tell, service: mail, method: Tell, input: { why: "{{ .sub.why }}" } }
`,
    expect: ({ children }) => assert.equal(children.get("r/sub")?.status, "compensated"),
  },
  {
    name: "a child run that fails, and its parent with it",
    status: "compensated",
    scripts: { ...plain, "mail/Bad": { fail: "ABORTED", after: 100 } },
    children: { "child.yaml": FAILING },
    steps: `
steps:
  - { id: first, service: shop, method: A, compensate: { method: Undo } }
  - { id: sub, workflow: child.yaml, input: { n: 7 } }
`,
  },
  {
    name: "a child run that had completed is rolled back by its own compensations",
    status: "compensated",
    scripts: plain,
    children: { "child.yaml": CHILD },
    steps: `
steps:
  - { id: first, service: shop, method: A, compensate: { method: Undo } }
  - { id: sub, workflow: child.yaml, input: { n: 7 } }
  - { id: last, service: shop, method: A, compensate: { method: Undo } }
  - fail: { code: ABORTED, message: no }
`,
    expect: ({ world }) =>
      assert.deepEqual(world.effects.filter((key) => key.endsWith("/compensate")), [
        "r/last/compensate",
        "r/sub/b/compensate",
        "r/sub/a/compensate",
        "r/first/compensate",
      ]),
  },
  {
    name: "a child run that had completed is undone by what its step declares",
    status: "compensated",
    scripts: plain,
    children: { "child.yaml": CHILD },
    steps: `
steps:
  - { id: sub, workflow: child.yaml, input: { n: 7 }, compensate: { service: mail, method: Undo, input: { n: "{{ .sub.n }}" } } }
  - fail: { code: ABORTED, message: no }
`,
  },
  {
    name: "children of children, rolled back",
    status: "compensated",
    scripts: plain,
    children: {
      "child.yaml": CHILD,
      "middle.yaml": `
steps:
  - { id: before, service: shop, method: A, compensate: { method: Undo } }
  - { id: deep, workflow: child.yaml, input: { n: "{{ .input.n }}" } }
output: { n: "{{ .deep.n }}" }
`,
    },
    steps: `
steps:
  - { id: sub, workflow: middle.yaml, input: { n: 7 } }
  - { id: tell, service: mail, method: Tell, input: { n: "{{ .sub.n }}" } }
  - fail: { code: ABORTED, message: no }
`,
    expect: ({ world }) =>
      assert.equal(world.effects.filter((key) => key.endsWith("/compensate")).length, 3),
  },
  {
    name: "a child run in each round of a foreach, two at a time",
    status: "completed",
    input: { items: [1, 2, 3] },
    scripts: plain,
    children: { "child.yaml": CHILD },
    steps: `
steps:
  - id: all
    foreach: "{{ .input.items }}"
    concurrency: 2
    steps: [ { id: sub, workflow: child.yaml, input: { n: "{{ .item }}" } } ]
    result: "{{ .sub.n }}"
output: "{{ .all }}"
`,
    expect: ({ report }) => assert.deepEqual(report.output, [1, 2, 3]),
  },
  {
    name: "children of the rounds of a foreach, all undone",
    status: "compensated",
    input: { items: [1, 2] },
    scripts: plain,
    children: { "child.yaml": CHILD },
    steps: `
steps:
  - id: all
    foreach: "{{ .input.items }}"
    steps: [ { id: sub, workflow: child.yaml, input: { n: "{{ .item }}" } } ]
  - fail: { code: ABORTED, message: no }
`,
  },
  {
    name: "a child run that waits, out of its step's time",
    status: "completed",
    scripts: plain,
    children: {
      "child.yaml": `
steps:
  - { id: a, service: shop, method: A, compensate: { method: Undo } }
  - wait: 1h
`,
    },
    steps: `
steps:
  - { id: sub, workflow: child.yaml, timeout: 1m, input: {}, catch: [ { codes: [STEP_TIMEOUT], result: { code: "{{ .error.code }}" } } ] }
`,
    expect: ({ children }) => assert.equal(children.get("r/sub")?.status, "timed_out"),
  },
  {
    name: "a child run beside a branch that fails",
    status: "failed", // the child has undone what it did: its parent has nothing to undo
    scripts: { ...plain, "mail/Bad": { fail: "ABORTED", after: 60_000 } },
    children: {
      "child.yaml": `
steps:
  - { id: a, service: shop, method: A, compensate: { method: Undo } }
  - wait: 1h
`,
    },
    steps: `
steps:
  - parallel:
      - { id: sub, workflow: child.yaml, input: {} }
      - { id: bad, service: mail, method: Bad }
`,
    expect: ({ children }) => assert.equal(children.get("r/steps[0].sub")?.status, "cancelled"),
  },
  {
    name: "a parent that is cancelled while its child waits",
    status: "cancelled",
    scripts: plain,
    cancelAt: 60_000,
    children: {
      "child.yaml": `
steps:
  - { id: a, service: shop, method: A, compensate: { method: Undo } }
  - wait: 1h
`,
    },
    steps: `
steps:
  - { id: first, service: shop, method: A, compensate: { method: Undo } }
  - { id: sub, workflow: child.yaml, input: {} }
`,
  },
  ...(["retry", "skip", "abort"] as const).map((action): RestartCase => ({
    name: `a child run that is parked, and an operator's ${action}`,
    // A child that could not undo all has failed, and so has its parent.
    status: action === "retry" ? "compensated" : "incomplete",
    scripts: (mended) => ({
      ...plain,
      "mail/Bad": { fail: "ABORTED" },
      "shop/Undo": (call) => mended() ? answersTo(call) : { fail: "INVALID_ARGUMENT" },
    }),
    operator: () => ({ action }),
    children: { "child.yaml": FAILING },
    steps: `
steps:
  - { id: first, service: shop, method: A, compensate: { service: mail, method: Undo } }
  - { id: sub, workflow: child.yaml, input: { n: 7 } }
`,
  })),
  ...(["retry", "skip", "abort"] as const).map((action): RestartCase => ({
    name: `a child run that is parked while it is rolled back, and an operator's ${action}`,
    status: action === "retry" ? "compensated" : "incomplete",
    scripts: (mended) => ({
      ...plain,
      "mail/Undo": (call) => mended() ? answersTo(call) : { fail: "INVALID_ARGUMENT" },
    }),
    operator: () => ({ action }),
    children: { "child.yaml": CHILD },
    steps: `
steps:
  - { id: first, service: shop, method: A, compensate: { method: Undo } }
  - { id: sub, workflow: child.yaml, input: { n: 7 } }
  - fail: { code: ABORTED, message: no }
`,
  })),
  ...(["retry", "skip", "abort"] as const).map((action): RestartCase => ({
    name: `a child run that is parked past its pivot, and an operator's ${action}`,
    status: action === "abort" ? "incomplete" : "completed",
    scripts: (mended) => ({
      ...plain,
      "mail/Bad": (call) => mended() ? answersTo(call) : { fail: "ABORTED" },
    }),
    operator: () => ({ action }),
    children: {
      "child.yaml": `
steps:
  - { id: pay, service: shop, method: A, pivot: true }
  - { id: bad, service: mail, method: Bad }
`,
    },
    steps: `
steps:
  - { id: first, service: shop, method: A, compensate: { method: Undo } }
  - { id: sub, workflow: child.yaml, input: { n: 7 } }
  - { id: tell, service: mail, method: Tell }
`,
  })),
  {
    name: "a child run whose input does not fit",
    status: "compensated",
    scripts: plain,
    children: {
      "child.yaml": `
input: { type: object, properties: { n: { type: string } } }
steps: [ { id: a, service: shop, method: A } ]
`,
    },
    steps: `
steps:
  - { id: first, service: shop, method: A, compensate: { method: Undo } }
  - { id: sub, workflow: child.yaml, input: { n: 7 } }
`,
  },
];

function answersTo(call: Parameters<Extract<Script, (...args: never) => unknown>>[0]) {
  return typeof answers === "function" ? answers(call, 1) : answers;
}

for (const test of CASES) {
  Deno.test(`a run goes on after any fact: ${test.name}`, () => playInterrupted(test));
}
