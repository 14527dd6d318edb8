/** Waits and signals go on after any fact. */
import assert from "node:assert/strict";
import { answers, checkPauses, playInterrupted, type RestartCase } from "../support/restarts.ts";

const scripts = { "shop/A": answers, "shop/Undo": answers, "mail/Tell": answers };

const CASES: readonly RestartCase[] = [
  {
    name: "wait for a time, and until a moment",
    status: "completed",
    scripts,
    input: { at: "2026-01-01T00:05:00+00:00", gone: "2025-01-01T00:00:00Z" },
    steps: `
steps:
  - { id: a, service: shop, method: A, input: { at: "{{ .input.at }}" } }
  - wait: 1m
  - wait: { until: "{{ .a.echo.at }}" }
  - id: late
    wait: { until: "{{ .input.at }}" }
    when: "{{ .a.from == 'never' }}"
  - { id: tell, service: mail, method: Tell }
`,
    expect: ({ report: { started_at, finished_at } }) => {
      assert.equal(finished_at, "2026-01-01T00:05:00.000Z");
      assert.equal(started_at, "2026-01-01T00:00:00.000Z");
    },
  },
  {
    name: "wait for something that is no time",
    status: "compensated",
    scripts,
    steps: `
steps:
  - { id: a, service: shop, method: A, compensate: { method: Undo } }
  - wait: { until: "{{ .a.from }}" }
`,
  },
  {
    name: "waits side by side, one out of time",
    status: "completed",
    scripts,
    steps: `
steps:
  - id: both
    parallel:
      - { id: long, wait: 3m }
      - { id: short, wait: 1m, timeout: 30s, catch: [ { codes: [STEP_TIMEOUT], steps: [ { id: told, service: mail, method: Tell, input: { code: "{{ .error.code }}" } } ] } ] }
      - { id: after, needs: [short], service: shop, method: A, input: { x: "{{ .short.from }}" } }
`,
  },
  {
    name: "a signal that came before its step",
    status: "completed",
    scripts,
    signals: [{ name: "go", id: "s1", payload: { by: "ann" }, at: 1_000 }],
    steps: `
steps:
  - wait: 1m
  - { id: go, await_signal: go }
  - { id: tell, service: mail, method: Tell, input: { by: "{{ .go.by }}" } }
`,
  },
  {
    name: "a signal that comes while its step waits",
    status: "completed",
    scripts,
    signals: [{ name: "other", id: "s0", payload: {}, at: 1_000 }, {
      name: "go",
      id: "s1",
      payload: { by: "ann" },
      at: 60_000,
    }],
    steps: `
steps:
  - { id: a, service: shop, method: A }
  - { id: go, await_signal: go, timeout: 1h }
  - { id: tell, service: mail, method: Tell, input: { by: "{{ .go.by }}" } }
`,
  },
  {
    name: "two waits for signals of one name, of which one came twice",
    status: "completed",
    scripts,
    signals: [
      { name: "go", id: "s1", payload: { by: "ann" }, at: 1_000 },
      { name: "go", id: "s1", payload: { by: "ann, again" }, at: 2_000 },
      { name: "go", id: "s2", payload: { by: "bob" }, at: 30_000 },
    ],
    steps: `
steps:
  - { id: first, await_signal: go }
  - wait: 10s
  - { id: second, await_signal: go }
output: { first: "{{ .first.by }}", second: "{{ .second.by }}" }
`,
    expect: ({ report }) => assert.deepEqual(report.output, { first: "ann", second: "bob" }),
  },
  {
    name: "two waits side by side for signals of one name",
    status: "completed",
    scripts,
    signals: [
      { name: "go", id: "s1", payload: { by: "ann" }, at: 1_000 },
      { name: "go", id: "s2", payload: { by: "bob" }, at: 2_000 },
      { name: "go", id: "s3", payload: { by: "cid" }, at: 2_000 },
    ],
    steps: `
steps:
  - id: both
    parallel:
      - { id: first, await_signal: go }
      - { id: second, await_signal: go }
  - { id: tell, service: mail, method: Tell, input: { a: "{{ .first.by }}", b: "{{ .second.by }}" } }
`,
  },
  {
    name: "a signal that never comes",
    status: "compensated",
    scripts,
    steps: `
steps:
  - { id: a, service: shop, method: A, compensate: { method: Undo } }
  - { id: go, await_signal: go, timeout: 24h }
`,
    expect: ({ report }) => assert.equal(report.error?.code, "STEP_TIMEOUT"),
  },
  {
    name: "signals in the rounds of loops",
    status: "completed",
    scripts,
    signals: [
      { name: "go", id: "s1", payload: { n: 1 }, at: 1_000 },
      { name: "go", id: "s2", payload: { n: 2 }, at: 60_000 },
      { name: "stop", id: "s3", payload: { n: 3 }, at: 1_000 },
    ],
    steps: `
steps:
  - id: rounds
    repeat: [ { id: go, await_signal: go }, { id: tell, service: mail, method: Tell, input: { n: "{{ .go.n }}" } } ]
    until: "{{ .go.n == 2.0 }}"
    every: 2s
    max_rounds: 5
  - { id: stop, await_signal: stop }
`,
  },
  {
    name: "cancelled while it waits for a signal and for a time",
    status: "cancelled",
    scripts,
    cancelAt: 30_000,
    steps: `
steps:
  - { id: a, service: shop, method: A, compensate: { method: Undo } }
  - parallel:
      - { id: go, await_signal: go }
      - { id: long, wait: 1h }
`,
  },
  {
    name: "a signal in the steps that a catch does instead",
    status: "completed",
    scripts: { ...scripts, "shop/A": { fail: "NOT_FOUND" } },
    signals: [{ name: "go", id: "s1", payload: { by: "ann" }, at: 60_000 }],
    steps: `
steps:
  - id: a
    service: shop
    method: A
    catch: [ { steps: [ { id: go, await_signal: go }, { wait: 1m }, { id: tell, service: mail, method: Tell, input: { by: "{{ .go.by }}" } } ] } ]
output: "{{ .a.echo.by }}"
`,
    expect: ({ report }) => assert.equal(report.output, "ann"),
  },
];

for (const test of CASES) {
  Deno.test(`a run goes on after any fact: ${test.name}`, () =>
    playInterrupted(test, ({ facts }, options) => {
      for (const run of facts.values()) checkPauses(run, 2_000, options);
    }));
}
