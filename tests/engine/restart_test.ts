/** Runs of calls and blocks go on after any fact: see `restarts.ts`. */
import assert from "node:assert/strict";
import {
  answers,
  cutAfter,
  cutBeyond,
  play,
  playInterrupted,
  type RestartCase,
} from "../support/restarts.ts";

const CASES: readonly RestartCase[] = [
  {
    name: "a sequence of calls, each using the one before",
    status: "completed",
    scripts: { "shop/A": answers, "shop/B": answers, "mail/C": answers },
    steps: `
steps:
  - { id: a, service: shop, method: A, input: { x: "{{ .input.x }}" } }
  - { id: b, service: shop, method: B, input: { x: "{{ .a.echo.x }}" }, output: bee }
  - { id: c, service: mail, method: C, input: { x: "{{ .bee.from }}", s: "{{ .steps.a.status }}" } }
output: { a: "{{ .a.from }}", c: "{{ .c.echo }}" }
`,
  },
  {
    name: "retries with their delays",
    status: "completed",
    scripts: {
      "shop/A": ({ attempt }) => attempt < 3 ? { fail: "UNAVAILABLE" } : { answer: { ok: true } },
      "shop/B": answers,
    },
    steps: `
steps:
  - { id: a, service: shop, method: A }
  - { id: b, service: shop, method: B, input: { n: "{{ .steps.a.attempts }}" } }
`,
  },
  {
    name: "set, when, switch and return",
    status: "completed",
    scripts: { "shop/A": answers, "shop/B": answers },
    steps: `
steps:
  - id: names
    set: { total: "{{ .input.x + 1 }}", label: "n={{ .input.x }}" }
  - { id: skipped, service: shop, method: A, when: "{{ .total > 100.0 }}" }
  - id: chosen
    switch:
      - when: "{{ .total > 100.0 }}"
        steps: [ { id: never, service: shop, method: A } ]
      - when: "{{ .total > 1.0 }}"
        steps:
          - { id: small, service: shop, method: B, input: { label: "{{ .label }}" } }
          - { id: after, service: shop, method: A, input: { from: "{{ .small.from }}" } }
      - steps: [ { id: other, service: shop, method: A } ]
  - switch: [ { when: "{{ false }}", steps: [ { id: no, service: shop, method: A } ] } ]
  - steps:
      - { id: inner, service: shop, method: B }
      - return: { inner: "{{ .inner.from }}", chosen: "{{ .chosen.from }}", none: "{{ default(.skipped.x, 'none') }}" }
  - { id: unreached, service: shop, method: A }
`,
  },
  {
    name: "parallel with needs, groups and concurrency",
    status: "completed",
    scripts: { "shop/A": answers, "shop/B": answers, "mail/C": answers, "mail/D": answers },
    steps: `
steps:
  - id: both
    parallel:
      - { id: a, service: shop, method: A }
      - { id: b, service: shop, method: B, needs: [a], input: { x: "{{ .a.from }}" } }
      - id: group
        steps:
          - { id: c, service: mail, method: C }
          - { id: d, service: mail, method: D, input: { x: "{{ .c.from }}" } }
      - { id: last, service: shop, method: A, needs: [b, group], input: { x: "{{ .d.echo.x }}" } }
    concurrency: 2
output: { keys: "{{ .both.last.echo }}", c: "{{ .c.from }}" }
`,
  },
  {
    name: "a failure that nothing has to be undone for",
    status: "failed",
    scripts: { "shop/A": answers, "shop/B": { fail: "INVALID_ARGUMENT" } },
    steps: `
steps:
  - { id: a, service: shop, method: A }
  - { id: b, service: shop, method: B }
`,
  },
  {
    name: "a rollback in reverse order",
    status: "compensated",
    scripts: {
      "shop/A": answers,
      "shop/B": answers,
      "shop/Undo": answers,
      "mail/C": { fail: "UNAVAILABLE" },
      "mail/Undo": ({ attempt }) => attempt < 2 ? { fail: "INTERNAL" } : { answer: {} },
    },
    steps: `
steps:
  - { id: a, service: shop, method: A, compensate: { method: Undo, input: { id: "{{ .a.from }}" } } }
  - id: both
    parallel:
      - { id: b, service: shop, method: B, compensate: { service: mail, method: Undo, input: { id: "{{ .b.from }}", a: "{{ .a.from }}" } } }
      - { id: plain, service: shop, method: A }
  - { id: c, service: mail, method: C, compensate: { service: shop, method: Undo } }
`,
  },
  {
    name: "a rollback with compensating steps",
    status: "compensated",
    scripts: { "shop/A": answers, "shop/Undo": answers, "mail/Tell": answers },
    steps: `
steps:
  - id: a
    service: shop
    method: A
    compensate:
      steps:
        - { id: undo, service: shop, method: Undo, input: { id: "{{ .a.from }}" } }
        - set: { word: "{{ .undo.from }}" }
        - { id: tell, service: mail, method: Tell, input: { word: "{{ .word }}" }, when: "{{ .word != '' }}" }
  - fail: { code: FAILED_PRECONDITION, message: "No {{ .a.from }}" }
`,
  },
  {
    name: "a failing branch with siblings in flight",
    status: "compensated",
    inDoubt: ["steps[0].kept"],
    scripts: {
      "shop/Slow": { answer: { slow: true }, after: 5_000 },
      "mail/Slow": { answer: { slow: true }, after: 5_000 },
      "shop/Fail": { fail: "FAILED_PRECONDITION", after: 1_000 },
      "shop/Undo": answers,
    },
    steps: `
steps:
  - parallel:
      - { id: kept, service: shop, method: Slow, compensate: { method: Undo } }
      - { id: dropped, service: mail, method: Slow }
      - { id: bad, service: shop, method: Fail }
      - { id: never, service: shop, method: Slow, needs: [kept] }
`,
  },
  {
    name: "a failing branch where the others finish",
    status: "compensated",
    scripts: {
      "shop/Slow": { answer: { slow: true }, after: 5_000 },
      "shop/Fail": { fail: "FAILED_PRECONDITION", after: 1_000 },
      "shop/Undo": answers,
      "mail/Next": answers,
    },
    steps: `
steps:
  - parallel:
      - steps:
          - { id: kept, service: shop, method: Slow, compensate: { method: Undo } }
          - { id: next, service: mail, method: Next }
      - { id: bad, service: shop, method: Fail }
    on_failure: finish
`,
  },
  {
    name: "a step out of time, its call in doubt",
    status: "compensated",
    scripts: { "shop/A": answers, "shop/Hang": { hang: true }, "shop/Undo": answers },
    steps: `
steps:
  - { id: a, service: shop, method: A, compensate: { method: Undo, input: { what: a } } }
  - { id: hang, service: shop, method: Hang, timeout: 2s, compensate: { method: Undo, input: { what: hang } } }
`,
  },
  {
    name: "a run out of time",
    status: "timed_out",
    inDoubt: ["hang"],
    scripts: { "shop/A": answers, "shop/Hang": { hang: true }, "shop/Undo": answers },
    steps: `
timeout: 3s
steps:
  - { id: a, service: shop, method: A, compensate: { method: Undo, input: { what: a } } }
  - { id: hang, service: shop, method: Hang }
`,
  },
  {
    name: "an expression that fails",
    status: "compensated",
    scripts: { "shop/A": answers, "shop/Undo": answers },
    steps: `
steps:
  - { id: a, service: shop, method: A, compensate: { method: Undo } }
  - { id: b, service: shop, method: A, input: { x: "{{ .a.no.such }}" } }
`,
  },
];

for (const test of CASES) {
  Deno.test(`a run goes on after any fact: ${test.name}`, () => playInterrupted(test));
}

Deno.test("a call that may not be repeated is made once, wherever the power is cut, and is in doubt then", async () => {
  const test: RestartCase = {
    name: "a call that may not be repeated",
    status: "completed",
    scripts: { "shop/A": { answer: { ok: true }, after: 1_000 }, "shop/Undo": answers },
    steps: `
steps:
  - { id: a, service: shop, method: A, idempotent: false, compensate: { method: Undo } }
  - { id: b, service: shop, method: A, idempotent: false }
`,
  };
  const { total } = await play(test);
  for (let facts = 1; facts < total; facts++) {
    for (const power of [cutAfter(facts), cutBeyond(facts)]) {
      const { world, report } = await play(test, [power]);
      const made = world.calls.map(({ key }) => key);
      assert.equal(new Set(made).size, made.length, `cut at fact ${facts}`);
      const doubted = report.steps.filter(({ outcome }) => outcome === "unknown");
      const ends = doubted.length === 0 ? "completed" : "compensated";
      assert.equal(report.status, ends, `cut at fact ${facts}`);
    }
  }
});
