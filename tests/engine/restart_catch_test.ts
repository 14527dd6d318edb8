/** What catches, verifies and pivots do goes on after any fact. */
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
const fails = (code: string): Script => ({ fail: code, after: 100 });

const CASES: readonly RestartCase[] = [
  {
    name: "catch on a call, with codes, when, steps and result",
    status: "completed",
    scripts: { ...plain, "shop/Bad": { fail: "NOT_FOUND", reason: "GONE" } },
    steps: `
steps:
  - { id: a, service: shop, method: A }
  - id: bad
    service: shop
    method: Bad
    catch:
      - { codes: [ABORTED], result: { never: true } }
      - { reason: OTHER, result: { never: true } }
      - { when: "{{ .error.code == 'ABORTED' }}", result: { never: true } }
      - codes: [NOT_FOUND]
        reason: GONE
        when: "{{ .error.message.contains('failed') && .a.from == 'shop/A' }}"
        steps:
          - { id: b, service: shop, method: B, input: { code: "{{ .error.code }}", step: "{{ .error.step }}" } }
          - set: { word: "{{ .b.echo.code }}" }
        result: { word: "{{ .word }}", from: "{{ .b.from }}" }
  - { id: tell, service: mail, method: Tell, input: { word: "{{ .bad.word }}" } }
`,
  },
  {
    name: "catch with nothing to do, and with the output of its last step",
    status: "completed",
    scripts: { ...plain, "shop/Bad": fails("NOT_FOUND") },
    steps: `
steps:
  - { id: none, service: shop, method: Bad, catch: [ {} ] }
  - { id: last, service: shop, method: Bad, catch: [ { steps: [ { id: a, service: shop, method: A }, { id: b, service: shop, method: B } ] } ] }
  - { id: gone, service: shop, method: Bad, catch: [ { steps: [ { return: { last: "{{ .last.from }}", none: "{{ .none }}" } } ] } ] }
  - { id: never, service: shop, method: A }
`,
    expect: ({ report }) => assert.deepEqual(report.output, { last: "shop/B", none: {} }),
  },
  {
    name: "blocks that fail by themselves, and what they came to",
    status: "completed",
    scripts: { ...plain, "shop/Bad": fails("FAILED_PRECONDITION") },
    steps: `
steps:
  - parallel:
      - id: late
        timeout: 5s
        steps: [ { id: a, service: shop, method: A }, { wait: 1h } ]
        catch: [ { result: "{{ .error.outcome }}" } ]
      - id: again
        repeat: [ { service: shop, method: Bad, catch: [ {} ] } ]
        until: "{{ false }}"
        every: 1s
        max_rounds: 2
        catch: [ { result: "{{ .error.outcome }}" } ]
      - id: undone
        foreach: [1]
        steps:
          - steps:
              - { id: b, service: shop, method: B, compensate: { method: Undo, input: { of: b } } }
              - { wait: 1s }
            timeout: 500ms
            catch: [ { undo: true } ]
          - { wait: 1s }
        result: "{{ .input.no }}"
        catch: [ { result: "{{ .error.outcome }}" } ]
output: "{{ [.late, .again, .undone] }}"
`,
    expect: ({ report }) => assert.deepEqual(report.output, ["unknown", "rejected", "not_sent"]),
  },
  {
    name: "catch on a block that undoes what it did, before its steps",
    status: "compensated",
    scripts: { ...plain, "shop/Bad": fails("FAILED_PRECONDITION") },
    steps: `
steps:
  - { id: before, service: shop, method: A, compensate: { method: Undo, input: { of: before } } }
  - id: block
    steps:
      - { id: a, service: shop, method: A, compensate: { method: Undo, input: { of: a } } }
      - { id: b, service: shop, method: B, compensate: { steps: [ { service: mail, method: Undo, input: { of: b } }, { service: shop, method: Undo, input: { of: b2 } } ] } }
      - { id: bad, service: shop, method: Bad }
    catch:
      - undo: true
        steps: [ { id: instead, service: shop, method: B, input: { why: "{{ .error.step }}" }, compensate: { method: Undo, input: { of: instead } } } ]
        result: { instead: "{{ .instead.from }}" }
  - { id: tell, service: mail, method: Tell, input: { b: "{{ .block.instead }}" } }
  - fail: { code: ABORTED, message: "after all" }
`,
    expect: ({ world }) =>
      assert.deepEqual(world.effects.filter((key) => key.includes("compensate")), [
        "r/block.b.compensate[0]/compensate",
        "r/block.b.compensate[1]/compensate",
        "r/block.a/compensate",
        "r/block.catch[0].instead/compensate",
        "r/before/compensate",
      ]),
  },
  {
    name: "catch that undoes its block leaves what it did instead",
    status: "completed",
    scripts: { ...plain, "shop/Bad": fails("FAILED_PRECONDITION") },
    steps: `
steps:
  - id: block
    steps:
      - { id: a, service: shop, method: A, compensate: { method: Undo, input: { of: a } } }
      - { id: bad, service: shop, method: Bad }
    catch:
      - undo: true
        steps:
          - { id: instead, service: shop, method: B, compensate: { method: Undo, input: { of: instead } } }
          - { id: more, service: mail, method: Tell, compensate: { method: Undo, input: { of: more } } }
`,
    expect: ({ world }) =>
      assert.deepEqual(world.effects.filter((key) => key.includes("compensate")), [
        "r/block.a/compensate",
      ]),
  },
  {
    name: "catch whose own steps fail, caught further out",
    status: "completed",
    scripts: { ...plain, "shop/Bad": fails("NOT_FOUND"), "mail/Bad": fails("ABORTED") },
    steps: `
steps:
  - id: outer
    steps:
      - { id: a, service: shop, method: A, compensate: { method: Undo } }
      - id: bad
        service: shop
        method: Bad
        catch: [ { codes: [NOT_FOUND], steps: [ { id: worse, service: mail, method: Bad } ] }, { codes: [ABORTED], result: { never: true } } ]
    catch: [ { codes: [ABORTED], undo: true, result: { step: "{{ .error.step }}" } } ]
output: "{{ .outer.step }}"
`,
    expect: ({ report }) =>
      assert.equal(report.output, "bad.catch[0].worse".replace(/^/, "outer.")),
  },
  {
    name: "catch in the rounds of a foreach, three at a time",
    status: "completed",
    input: { items: [1, 2, 3, 4, 5] },
    scripts: {
      ...plain,
      "shop/Do": ({ input }) =>
        (input as { n: number }).n % 2 === 0
          ? { fail: "NOT_FOUND", after: 500 }
          : { answer: { n: (input as { n: number }).n }, after: 700 },
    },
    steps: `
steps:
  - id: all
    foreach: "{{ .input.items }}"
    concurrency: 3
    steps:
      - id: round
        steps:
          - { id: a, service: shop, method: A, compensate: { method: Undo, input: { n: "{{ .item }}" } } }
          - { id: do, service: shop, method: Do, input: { n: "{{ .item }}" } }
        catch: [ { undo: true, steps: [ { id: tell, service: mail, method: Tell, input: { n: "{{ .item }}", at: "{{ .error.step }}" } } ], result: { n: 0 } } ]
    result: "{{ .round.n }}"
output: "{{ .all }}"
`,
    expect: ({ report }) => assert.deepEqual(report.output, [1, 0, 3, 0, 5]),
  },
  {
    name: "catch on a parallel, whose siblings have settled first",
    status: "completed",
    inDoubt: ["both.slow"],
    scripts: {
      ...plain,
      "shop/Bad": fails("NOT_FOUND"),
      "shop/Slow": { answer: { ok: true }, after: 5_000 },
    },
    steps: `
steps:
  - id: both
    parallel:
      - { id: slow, service: shop, method: Slow, compensate: { method: Undo } }
      - { id: bad, service: shop, method: Bad }
    catch: [ { undo: true, result: { code: "{{ .error.code }}" } } ]
  - { id: tell, service: mail, method: Tell, input: { code: "{{ .both.code }}" } }
`,
    expect: ({ world }) => assert.equal(world.effects[1], "r/both.slow/compensate"),
  },
  {
    name: "catch of a timeout of a block, and of an expression that fails as its step starts",
    status: "completed",
    inDoubt: ["block.hang"],
    scripts: { ...plain, "shop/Hang": { hang: true } },
    steps: `
steps:
  - id: block
    steps: [ { id: a, service: shop, method: A }, { id: hang, service: shop, method: Hang, compensate: { method: Undo } } ]
    timeout: 5s
    catch: [ { codes: [STEP_TIMEOUT], undo: true } ]
  - id: bad
    set: { x: "{{ .a2.no.such }}" }
    catch: [ { codes: [EXPRESSION_ERROR], result: { x: none } } ]
  - { id: when, service: shop, method: A, when: "{{ .a2.no.such }}", catch: [ { steps: [ { id: tell, service: mail, method: Tell, input: { m: "{{ .error.code }}" } } ] } ] }
  - { id: each, foreach: "{{ .a2.no }}", steps: [ { service: shop, method: A } ], catch: [ { result: [] } ] }
  - { id: choose, switch: [ { when: "{{ .a2.no }}", steps: [ { service: shop, method: A } ] } ], catch: [ { result: [] } ] }
  - { id: until, wait: { until: "{{ .a2.no }}" }, catch: [ {} ] }
`.replace("steps:\n", "steps:\n  - { id: a2, service: shop, method: A }\n"),
  },
  {
    name: "a step of unknown outcome, caught, is undone with the rest",
    status: "compensated",
    scripts: { ...plain, "mail/Doubt": fails("UNAVAILABLE") },
    steps: `
steps:
  - { id: doubt, service: mail, method: Doubt, compensate: { service: shop, method: Undo, input: { of: doubt } }, catch: [ { result: {} } ] }
  - { id: a, service: shop, method: A, compensate: { method: Undo, input: { of: a } } }
  - fail: { code: ABORTED, message: no }
`,
  },
  {
    name: "verify that finds that it happened",
    status: "completed",
    scripts: { ...plain, "mail/Doubt": fails("UNAVAILABLE"), "mail/Find": answers },
    steps: `
steps:
  - id: doubt
    service: mail
    method: Doubt
    verify: { method: Find, input: { x: "{{ .input.x }}" }, result: { found: "{{ .doubt.echo.x }}" } }
    compensate: { method: Undo }
  - { id: tell, service: mail, method: Tell, input: { x: "{{ .doubt.found }}" } }
`,
    expect: ({ report }) => assert.equal(report.steps[0]?.status, "completed"),
  },
  {
    name: "verify that finds that it did not happen",
    status: "compensated",
    scripts: {
      ...plain,
      "mail/Doubt": fails("UNAVAILABLE"),
      "mail/Find": ({ attempt }) => attempt < 3 ? { fail: "INTERNAL" } : { fail: "NOT_FOUND" },
    },
    steps: `
steps:
  - { id: a, service: shop, method: A, compensate: { method: Undo } }
  - { id: doubt, service: mail, method: Doubt, verify: { method: Find }, compensate: { method: Undo } }
`,
    expect: ({ report }) => assert.equal(report.steps[1]?.outcome, "rejected"),
  },
  {
    name: "verify of a call that hangs, in the rounds of a foreach",
    status: "completed",
    input: { items: [1, 2, 3] },
    scripts: {
      ...plain,
      "mail/Doubt": { hang: true },
      "mail/Find": ({ input }) =>
        (input as { n: number }).n === 2
          ? { fail: "NOT_FOUND" }
          : { answer: { n: (input as { n: number }).n } },
    },
    steps: `
steps:
  - id: all
    foreach: "{{ .input.items }}"
    concurrency: 2
    steps:
      - id: doubt
        service: mail
        method: Doubt
        attempt_timeout: 2s
        verify: { method: Find, input: { n: "{{ .item }}" } }
        catch: [ { result: { n: -1 } } ]
    result: "{{ .doubt.n }}"
output: "{{ .all }}"
`,
    expect: ({ report }) => assert.deepEqual(report.output, [1, -1, 3]),
  },
  ...(["retry", "skip", "abort"] as const).map((action): RestartCase => ({
    name: `verify that is parked, and an operator's ${action}`,
    status: action === "abort" ? "incomplete" : action === "retry" ? "completed" : "compensated",
    scripts: (mended) => ({
      ...plain,
      "mail/Doubt": fails("UNAVAILABLE"),
      "mail/Find": (call) => mended() ? answersTo(call) : { fail: "PERMISSION_DENIED" },
    }),
    operator: () => ({ action }),
    steps: `
steps:
  - { id: a, service: shop, method: A, compensate: { method: Undo, input: { of: a } } }
  - { id: doubt, service: mail, method: Doubt, verify: { method: Find }, compensate: { method: Undo, input: { of: doubt } } }
`,
  })),
  ...(["retry", "skip", "abort"] as const).map((action): RestartCase => ({
    name: `a compensation that is parked, and an operator's ${action}`,
    status: action === "retry" ? "compensated" : "incomplete",
    scripts: (mended) => ({
      ...plain,
      "mail/Undo": (call) => mended() ? answersTo(call) : { fail: "INVALID_ARGUMENT" },
    }),
    operator: () => ({ action, ...(action === "retry" && { input: { of: "changed" } }) }),
    steps: `
steps:
  - { id: a, service: shop, method: A, compensate: { method: Undo, input: { of: a } } }
  - { id: b, service: shop, method: B, compensate: { service: mail, method: Undo, input: { of: b } } }
  - { id: c, service: shop, method: B, compensate: { method: Undo, input: { of: c } } }
  - fail: { code: ABORTED, message: no }
`,
  })),
  ...(["retry", "skip", "abort"] as const).map((action): RestartCase => ({
    name: `a group of compensating steps that is parked, and an operator's ${action}`,
    status: action === "retry" ? "compensated" : "incomplete",
    scripts: (mended) => ({
      ...plain,
      "mail/Undo": (call) => mended() ? answersTo(call) : { fail: "INVALID_ARGUMENT" },
    }),
    operator: () => ({ action }),
    steps: `
steps:
  - { id: a, service: shop, method: A, compensate: { method: Undo, input: { of: a } } }
  - id: b
    service: shop
    method: B
    compensate:
      steps: [ { service: shop, method: Undo }, { service: mail, method: Undo }, { service: shop, method: A } ]
  - fail: { code: ABORTED, message: no }
`,
  })),
  ...(["retry", "skip", "abort"] as const).map((action): RestartCase => ({
    name: `what a catch undoes that is parked, and an operator's ${action}`,
    status: action === "retry" ? "compensated" : "incomplete",
    scripts: (mended) => ({
      ...plain,
      "mail/Undo": (call) => mended() ? answersTo(call) : { fail: "INVALID_ARGUMENT" },
    }),
    operator: () => ({ action }),
    steps: `
steps:
  - id: g
    steps:
      - { id: a, service: shop, method: A, compensate: { method: Undo, input: { of: a } } }
      - { id: b, service: shop, method: B, compensate: { service: mail, method: Undo, input: { of: b } } }
      - fail: { code: ABORTED, message: no }
    catch: [ { undo: true } ]
  - fail: { code: OUT_OF_RANGE, message: no }
`,
    expect: ({ report }) =>
      assert.equal(report.error?.code, action === "abort" ? "ABORTED" : "OUT_OF_RANGE"),
  })),
  ...(["retry", "skip", "abort"] as const).map((action): RestartCase => ({
    name: `a pivot that is parked, and an operator's ${action}`,
    status: action === "abort" ? "incomplete" : "completed",
    scripts: (mended) => ({
      ...plain,
      "mail/Pay": (call) => mended() ? answersTo(call) : { fail: "UNAVAILABLE" },
    }),
    operator: () => ({ action, ...(action === "skip" && { output: { from: "the operator" } }) }),
    steps: `
steps:
  - { id: a, service: shop, method: A, compensate: { method: Undo } }
  - { id: pay, service: mail, method: Pay, pivot: true }
  - { id: tell, service: mail, method: Tell, input: { paid: "{{ .pay.from }}" } }
`,
    expect: ({ report }) =>
      action !== "skip" ||
      assert.deepEqual(report.output, { from: "mail/Tell", echo: { paid: "the operator" } }),
  })),
  ...(["retry", "skip", "abort"] as const).map((action): RestartCase => ({
    name: `a step after the pivot that is parked beside its siblings, and an operator's ${action}`,
    status: action === "abort" ? "incomplete" : "completed",
    scripts: (mended) => ({
      ...plain,
      "mail/Bad": (call) => mended() ? answersTo(call) : { fail: "FAILED_PRECONDITION" },
      "shop/Slow": { answer: { ok: true }, after: 5_000 },
    }),
    operator: () => ({ action, ...(action === "skip" && { output: { from: "the operator" } }) }),
    steps: `
steps:
  - { id: a, service: shop, method: A, compensate: { method: Undo } }
  - { id: pay, service: mail, method: Tell, pivot: true }
  - id: both
    parallel:
      - { id: slow, service: shop, method: Slow }
      - { id: bad, service: mail, method: Bad }
      - { id: after, service: mail, method: Tell, needs: [bad], input: { bad: "{{ .bad.from }}" } }
      - { id: more, service: mail, method: Tell, needs: [slow] }
  - id: caught
    service: shop
    method: A
    input: { x: "{{ .both.after.echo.bad }}" }
`,
  })),
  {
    name: "an expression that fails past the pivot, and an operator's output",
    status: "completed",
    scripts: plain,
    operator: () => ({ action: "skip", output: { word: "given" } }),
    steps: `
steps:
  - { id: pay, service: mail, method: Tell, pivot: true }
  - { id: words, set: { word: "{{ .pay.no.such }}" } }
  - { id: tell, service: mail, method: Tell, input: { w: "{{ .words.word }}" } }
`,
  },
  {
    name: "a failure past the pivot that a catch takes, and a run's timeout that no longer counts",
    status: "completed",
    scripts: { ...plain, "mail/Bad": fails("ABORTED") },
    steps: `
timeout: 1m
steps:
  - { id: a, service: shop, method: A, compensate: { method: Undo } }
  - { id: pay, service: mail, method: Tell, pivot: true }
  - wait: 1h
  - id: block
    steps: [ { id: bad, service: mail, method: Bad } ]
    catch: [ { undo: true, steps: [ { id: tell, service: mail, method: Tell } ] } ]
`,
  },
  {
    name: "an operator's retry of a step past the pivot in a loop's round",
    status: "completed",
    input: { items: [1, 2, 3] },
    scripts: (mended) => ({
      ...plain,
      "shop/Do": (call) =>
        mended() || (call.input as { n: number }).n !== 2
          ? answersTo(call)
          : { fail: "FAILED_PRECONDITION" },
    }),
    operator: () => ({ action: "retry" }),
    steps: `
steps:
  - { id: pay, service: mail, method: Tell, pivot: true }
  - id: all
    foreach: "{{ .input.items }}"
    concurrency: 2
    steps: [ { id: do, service: shop, method: Do, input: { n: "{{ .item }}" } }, { id: tell, service: mail, method: Tell, input: { n: "{{ .do.echo.n }}" } } ]
    result: "{{ .tell.echo.n }}"
output: "{{ .all }}"
`,
    expect: ({ report }) => assert.deepEqual(report.output, [1, 2, 3]),
  },
];

function answersTo(call: Parameters<Extract<Script, (...args: never) => unknown>>[0]) {
  return typeof answers === "function" ? answers(call, 1) : answers;
}

for (const test of CASES) {
  Deno.test(`a run goes on after any fact: ${test.name}`, () => playInterrupted(test));
}
