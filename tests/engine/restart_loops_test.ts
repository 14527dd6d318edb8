/** Loops go on after any fact: what is done is not done again, and pauses end when they were meant to. */
import assert from "node:assert/strict";
import { answers, checkPauses, playInterrupted, type RestartCase } from "../support/restarts.ts";

const slowly = (milliseconds: number) => ({ answer: { ok: true }, after: milliseconds });

const CASES: readonly RestartCase[] = [
  {
    name: "foreach, one after the other, with its item, its index and a result",
    status: "completed",
    scripts: { "shop/Pack": answers, "mail/Tell": answers },
    input: { items: ["a", "b", "c"] },
    steps: `
steps:
  - id: ship
    foreach: "{{ .input.items }}"
    steps:
      - { id: pack, service: shop, method: Pack, input: { item: "{{ .item }}", n: "{{ .item_index }}" } }
      - { id: tell, service: mail, method: Tell, input: { packed: "{{ .pack.echo.item }}" } }
    result: "{{ .item + .tell.echo.packed }}"
  - { id: all, service: mail, method: Tell, input: { all: "{{ .ship }}" } }
output: "{{ .ship }}"
`,
    expect: ({ report }) => assert.deepEqual(report.output, ["aa", "bb", "cc"]),
  },
  {
    name: "foreach, three at a time, whose rounds end out of order",
    status: "completed",
    input: { items: [5, 1, 3, 2, 4] },
    scripts: {
      "shop/Pack": ({ input }) => ({
        answer: { n: (input as { n: number }).n },
        after: (input as { n: number }).n * 1_000,
      }),
      "mail/Tell": answers,
    },
    steps: `
steps:
  - id: ship
    foreach: "{{ .input.items }}"
    as: it
    concurrency: 3
    steps:
      - { id: pack, service: shop, method: Pack, input: { n: "{{ .it }}" }, compensate: { method: Pack } }
      - { id: tell, service: mail, method: Tell, input: { n: "{{ .pack.n }}" } }
    result: "{{ .pack.n * 10.0 }}"
output: "{{ .ship }}"
`,
    expect: ({ report }) => assert.deepEqual(report.output, [50, 10, 30, 20, 40]),
  },
  {
    name: "foreach, three at a time, that fails in the middle: the others are cancelled",
    status: "compensated",
    input: { items: [0, 1, 2, 3, 4, 5] },
    inDoubt: ["ship[2].pack", "ship[3].pack", "ship[4].pack"],
    scripts: {
      "shop/Pack": ({ input }) => {
        const { n } = input as { n: number };
        return n === 3 ? { fail: "FAILED_PRECONDITION", after: 500 } : slowly(n < 2 ? 100 : 2_000);
      },
      "shop/Unpack": answers,
    },
    steps: `
steps:
  - id: ship
    foreach: "{{ .input.items }}"
    concurrency: 3
    steps:
      - { id: pack, service: shop, method: Pack, input: { n: "{{ .item }}" }, compensate: { method: Unpack, input: { n: "{{ .item }}" } } }
`,
    expect: ({ report }) => assert.equal(report.error?.step, "ship[3].pack"),
  },
  {
    name: "foreach, three at a time, that fails in the middle: the others finish",
    status: "compensated",
    input: { items: [0, 1, 2, 3, 4, 5] },
    scripts: {
      "shop/Pack": ({ input }) => {
        const { n } = input as { n: number };
        return n === 3
          ? { fail: "FAILED_PRECONDITION", after: 6_000 }
          : slowly(n < 5 ? 2_000 : 20_000);
      },
      "shop/Unpack": answers,
      "mail/Tell": answers,
    },
    steps: `
steps:
  - id: ship
    foreach: "{{ .input.items }}"
    concurrency: 3
    on_failure: finish
    steps:
      - { id: pack, service: shop, method: Pack, input: { n: "{{ .item }}" }, compensate: { method: Unpack, input: { n: "{{ .item }}" } } }
      - { id: tell, service: mail, method: Tell }
`,
  },
  {
    name: "foreach over nothing, and over items that are no list",
    status: "failed",
    scripts: { "shop/Pack": answers },
    input: { none: [], text: "no list" },
    steps: `
steps:
  - { id: none, foreach: "{{ .input.none }}", steps: [ { id: never, service: shop, method: Pack } ] }
  - { id: one, service: shop, method: Pack, input: { none: "{{ .none }}" } }
  - { id: bad, foreach: "{{ .input.text }}", steps: [ { id: no, service: shop, method: Pack } ] }
`,
  },
  {
    name: "repeat with a pause, each round reading the one before",
    status: "completed",
    scripts: {
      "shop/Get": ({ input }) => ({
        answer: { n: (input as { last: number }).last + 1 },
        after: 300,
      }),
      "mail/Tell": answers,
    },
    steps: `
steps:
  - id: settled
    repeat:
      - { id: state, service: shop, method: Get, input: { last: "{{ default(.state.n, 0) }}" } }
      - { id: tell, service: mail, method: Tell, input: { n: "{{ .state.n }}" } }
    until: "{{ .state.n >= 3.0 }}"
    every: 2s
    max_rounds: 10
    result: { rounds: "{{ .state.n }}" }
output: "{{ .settled }}"
`,
    expect: ({ report }) => assert.deepEqual(report.output, { rounds: 3 }),
  },
  {
    name: "repeat that is never done",
    status: "compensated",
    scripts: { "shop/Get": answers, "shop/Undo": answers },
    steps: `
steps:
  - id: settled
    repeat: [ { id: state, service: shop, method: Get, compensate: { method: Undo } } ]
    until: "{{ .state.from == 'nothing' }}"
    every: 2s
    max_rounds: 3
`,
    expect: ({ report }) => assert.equal(report.error?.code, "REPEAT_EXHAUSTED"),
  },
  {
    name: "repeat whose until can't be evaluated, and whose failure is caught",
    status: "completed",
    scripts: { "shop/Get": answers, "shop/Undo": answers, "mail/Tell": answers },
    steps: `
steps:
  - id: settled
    repeat: [ { id: state, service: shop, method: Get } ]
    until: "{{ .state.no.such == 1 }}"
    every: 2s
    max_rounds: 3
    catch: [ { codes: [EXPRESSION_ERROR], result: { gone: "{{ .error.step }}" } } ]
  - { id: tell, service: mail, method: Tell, input: { gone: "{{ .settled.gone }}" } }
`,
  },
  {
    name: "return in a repeat in a switch",
    status: "completed",
    scripts: {
      "shop/Get": ({ input }) => ({ answer: { n: (input as { last: number }).last + 1 } }),
    },
    steps: `
steps:
  - switch:
      - steps:
          - id: settled
            repeat:
              - { id: state, service: shop, method: Get, input: { last: "{{ default(.state.n, 0) }}" } }
              - switch:
                  - when: "{{ .state.n == 2.0 }}"
                    steps: [ { return: { got: "{{ .state.n }}" } } ]
            until: "{{ false }}"
            every: 2s
            max_rounds: 5
  - { id: never, service: shop, method: Get, input: { last: 0 } }
output: { not: this }
`,
    expect: ({ report }) => assert.deepEqual(report.output, { got: 2 }),
  },
  {
    name: "loops in loops, with a parallel in the innermost",
    status: "completed",
    input: { rows: [[1, 2], [3]] },
    scripts: { "shop/Get": answers, "mail/Tell": answers },
    steps: `
steps:
  - id: rows
    foreach: "{{ .input.rows }}"
    as: row
    concurrency: 2
    steps:
      - id: cells
        foreach: "{{ .row }}"
        as: cell
        steps:
          - id: both
            parallel:
              - { id: a, service: shop, method: Get, input: { c: "{{ .cell }}", at: "{{ [.row_index, .cell_index] }}" } }
              - { id: b, service: mail, method: Tell, needs: [a], input: { of: "{{ .a.echo.c }}" } }
          - id: twice
            repeat: [ { id: again, service: mail, method: Tell, input: { c: "{{ .cell }}", before: "{{ default(.again.echo.before, -1) + 1 }}" } } ]
            until: "{{ .again.echo.before == 1.0 }}"
            max_rounds: 3
        result: "{{ .b.echo.of }}"
    result: "{{ .cells }}"
output: "{{ .rows }}"
`,
    expect: ({ report }) => assert.deepEqual(report.output, [[1, 2], [3]]),
  },
  {
    name: "a rollback over the rounds of two loops",
    status: "compensated",
    input: { items: [1, 2] },
    scripts: { "shop/Do": answers, "shop/Undo": answers, "mail/Undo": answers },
    steps: `
steps:
  - id: outer
    foreach: "{{ .input.items }}"
    steps:
      - id: inner
        repeat:
          - id: done
            service: shop
            method: Do
            input: { n: "{{ default(.done.echo.n, 0) + 1 }}" }
            compensate:
              steps:
                - { id: undo, service: shop, method: Undo, input: { n: "{{ .done.echo.n }}", item: "{{ .item }}" } }
                - { service: mail, method: Undo, input: { n: "{{ .undo.echo.n }}" } }
        until: "{{ .done.echo.n == 2.0 }}"
        max_rounds: 5
  - fail: { code: ABORTED, message: no }
`,
  },
  {
    name: "a run out of time in the pause of a repeat",
    status: "timed_out",
    scripts: { "shop/Get": answers, "shop/Undo": answers },
    steps: `
timeout: 3s
steps:
  - id: settled
    repeat: [ { id: state, service: shop, method: Get, compensate: { method: Undo } } ]
    until: "{{ false }}"
    every: 2s
    max_rounds: 10
`,
  },
];

for (const test of CASES) {
  Deno.test(`a run goes on after any fact: ${test.name}`, () =>
    playInterrupted(test, ({ facts }, options) => {
      if (!test.steps.includes("every:")) return;
      for (const run of facts.values()) checkPauses(run, 2_000, options);
    }));
}
