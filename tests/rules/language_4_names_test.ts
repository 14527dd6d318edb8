/**
 * language.md §4, "Names" and "Signals", sentence by sentence.
 *
 * Told at load, with the reason and the place: tests/workflow/scope_test.ts; "a name is bound once per
 * scope": tests/workflow/language_rules_test.ts ("the same name twice").
 */
import assert from "node:assert/strict";
import { inputsOf, play, refusals, took } from "../support/scene.ts";

Deno.test("§4 a step sees: enclosing scopes, earlier steps of its list", async () => {
  const played = await play(`
  - set: { a: 1 }
  - steps:
      - { id: b, set: { c: 2 } }
      - foreach: [3]
        steps:
          - switch: [ { steps: [ { service: shop, method: Do, input: { sum: "{{ .a + .c + .item }}" } } ] } ]
`);
  assert.deepEqual(inputsOf(played, "Do"), [{ sum: 6 }]);
});

Deno.test("§4 a step sees inside `parallel` what it `needs` (with what those need)", async () => {
  const played = await play(`
  - parallel:
      - { id: a, set: { x: 1 } }
      - { id: b, needs: [a], steps: [ { set: { y: "{{ .x + 1 }}" } } ] }
      - { id: c, needs: [b], service: shop, method: Do, input: { x: "{{ .x }}", y: "{{ .y }}", b: "{{ .steps.b.status }}" } }
`);
  assert.deepEqual(inputsOf(played, "Do"), [{ x: 1, y: 2, b: "completed" }]);
});

Deno.test("§4 `.steps.<id>` follows the same rule", () => {
  assert.deepEqual(
    refusals(
      '  - parallel: [ { id: a, set: { x: 1 } }, { id: b, set: { y: "{{ .steps.a.status }}" } } ]',
    ),
    ["unseen_name"],
  );
  assert.deepEqual(
    refusals(
      '  - { foreach: [1], steps: [ { id: a, wait: 1s } ] }\n  - set: { y: "{{ .steps.a.status }}" }',
    ),
    ["unseen_name"],
  );
});

Deno.test("§4 names bound in a `parallel` branch are visible after the block", async () => {
  const played = await play(`
  - parallel:
      - { id: a, set: { x: 1 } }
      - { id: b, steps: [ { set: { y: 2 } }, { id: in_b, service: shop, method: Do } ] }
  - set: { all: [ "{{ .x }}", "{{ .y }}", "{{ .in_b.id }}", "{{ .a.x }}", "{{ .steps.in_b.status }}" ] }
`);
  assert.deepEqual(played.report.output, {
    all: [1, 2, "steps[0].b.in_b", 1, "completed"],
  });
});

Deno.test("§4 each round of `foreach` is a scope of its own", async () => {
  const played = await play(`
  - foreach: [1, 2, 3]
    concurrency: 3
    steps:
      - wait: 1s
      - { set: { mine: "{{ .item * 10 }}" } }
      - { wait: 1s }
      - { service: shop, method: Do, input: { mine: "{{ .mine }}" } }
`);
  assert.deepEqual(inputsOf(played, "Do"), [{ mine: 10 }, { mine: 20 }, { mine: 30 }]);
});

for (
  const [form, block] of [
    ["foreach", "foreach: [1], steps: [ { set: { inner: 1 } } ]"],
    ["repeat", 'repeat: [ { set: { inner: 1 } } ], until: "{{ .inner == 1 }}", max_rounds: 2'],
    ["switch", "switch: [ { steps: [ { set: { inner: 1 } } ] } ]"],
    ["steps", "steps: [ { set: { inner: 1 } } ]"],
    ["catch", "wait: 1s, catch: [ { steps: [ { set: { inner: 1 } } ] } ]"],
  ] as const
) {
  Deno.test(`§4 anything else is an error at load: a name of ${form} is not seen after it`, () => {
    assert.deepEqual(refusals(`  - { ${block} }\n  - set: { x: "{{ .inner }}" }`), ["unseen_name"]);
  });
}

Deno.test("§4 the last round's names are visible to `until`", async () => {
  const played = await play(`
  - id: it
    repeat:
      - { id: page, service: shop, method: Do }
      - { set: { count: "{{ default(.count, 0) + 1 }}" } }
    until: "{{ .count == 3 && .page.id.startsWith('it[2]') && .steps.page.status == 'completed' }}"
    max_rounds: 5
    result: "{{ .count }}"
`);
  assert.equal(played.report.output, 3);
});

Deno.test("§4 the last round's names are visible, in `repeat`, to the next round (use `default(…)` for the first)", async () => {
  const played = await play(
    `
  - repeat:
      - id: page
        service: shop
        method: Page
        input: { token: "{{ default(.page.next, 'first') }}", was: "{{ default(.steps.page.status, 'none') }}", count: "{{ default(.count, 0) }}" }
      - set: { count: "{{ default(.count, 0) + 1 }}" }
    until: "{{ .page.next == '' }}"
    max_rounds: 5
`,
    { cast: { Page: (_, nth) => ({ answer: { next: nth < 3 ? `t${nth}` : "" } }) } },
  );
  assert.equal(played.report.status, "completed");
  assert.deepEqual(inputsOf(played, "Page"), [
    { token: "first", was: "none", count: 0 },
    { token: "t1", was: "completed", count: 1 },
    { token: "t2", was: "completed", count: 2 },
  ]);
});

Deno.test("§4 without `default(…)` the first round can't see what no round has bound", async () => {
  const { report } = await play(`
  - id: it
    repeat:
      - { id: call, service: shop, method: Do, input: { token: "{{ .token }}" } }
      - set: { token: x }
    until: "{{ true }}"
    max_rounds: 5
`);
  assert.equal(report.error?.code, "EXPRESSION_ERROR");
  assert.equal(report.error?.step, "it[0].call");
});

Deno.test("§4 a round that skips a step leaves its name as {}, not as the round before had it", async () => {
  const { report } = await play(`
  - id: it
    repeat:
      - { when: "{{ default(.n, 0) == 0 }}", id: a, set: { found: yes } }
      - set: { n: "{{ default(.n, 0) + 1 }}", seen: "{{ default(.found, 'no') }}" }
    until: "{{ .n == 2 }}"
    max_rounds: 5
    result: "{{ .seen }}"
`);
  assert.equal(report.output, "no");
});

Deno.test("§4 `foreach` in `repeat` in `foreach`: each sees its own rounds", async () => {
  const { report } = await play(`
  - id: it
    foreach: [1, 2]
    as: a
    steps:
      - id: turns
        repeat:
          - id: sums
            foreach: [10, 20]
            as: b
            steps: [ { set: { s: "{{ .a * 100 + .b + default(.n, 0) }}" } } ]
            result: "{{ .s }}"
          - set: { n: "{{ default(.n, 0) + 1 }}" }
        until: "{{ .n == 2 }}"
        max_rounds: 2
        result: "{{ .sums }}"
`);
  assert.deepEqual(report.output, [[111, 121], [211, 221]]);
});

Deno.test("§4 a signal's payload is the output of `await_signal`", async () => {
  const played = await play(
    '  - { id: approval, await_signal: approval, timeout: 24h }\n  - set: { by: "{{ .approval.by }}" }',
    { during: ({ run, after }) => after(5_000, () => run.signal("approval", { by: "ada" })) },
  );
  assert.deepEqual(played.report.output, { by: "ada" });
  assert.equal(took(played), 5_000);
});

Deno.test("§4 signals are kept from the run's start", async () => {
  const played = await play("  - wait: 1h\n  - { id: a, await_signal: go, timeout: 1s }", {
    during: ({ run }) => run.signal("go", { early: true }),
  });
  assert.deepEqual(played.report.output, { early: true });
  assert.equal(took(played), 3_600_000);
});

Deno.test("§4 signals are delivered oldest first, one to each `await_signal`", async () => {
  const { report } = await play(
    `
  - wait: 1m
  - parallel: [ { id: a, await_signal: go }, { id: b, await_signal: go }, { id: other, await_signal: stop } ]
  - { id: c, await_signal: go }
  - return: [ "{{ .a }}", "{{ .b }}", "{{ .c }}", "{{ .other }}" ]
`,
    {
      during: async ({ run, after }) => {
        await run.signal("go", 1);
        await run.signal("stop", "s");
        await run.signal("go", 2);
        after(120_000, () => run.signal("go", 3));
      },
    },
  );
  assert.deepEqual(report.output, [1, 2, 3, "s"]);
});

Deno.test("§4 signals are deduplicated by their id, also after they were delivered", async () => {
  const { report } = await play(
    "  - { id: a, await_signal: go }\n  - { id: b, await_signal: go, timeout: 1m, catch: [ { result: none } ] }\n  - return: [ '{{ .a }}', '{{ .b }}' ]",
    {
      during: async ({ run, after }) => {
        await run.signal("go", 1, "id-1");
        await run.signal("go", 2, "id-1");
        after(10_000, () => run.signal("go", 3, "id-1"));
      },
    },
  );
  assert.deepEqual(report.output, [1, "none"]);
});

Deno.test("§4 a signal that nobody waits for harms nothing", async () => {
  const { report } = await play("  - wait: 1s", { during: ({ run }) => run.signal("nobody") });
  assert.equal(report.status, "completed");
});
