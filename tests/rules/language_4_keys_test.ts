/**
 * language.md §4: the keys that every step may carry, sentence by sentence.
 *
 * Told at load, and tested there: "told apart by one key" (tests/workflow/language_rules_test.ts,
 * "no form", "two forms"), `id` "unique in the workflow" (there, "the same id twice"), `when` "one
 * {{ … }} that is a bool" (tests/workflow/scope_test.ts, "a when that is text"), `needs` "inside
 * parallel only" (there, "needs outside of parallel").
 */
import assert from "node:assert/strict";
import { called, inputsOf, oneAfterAnother, play, stepOf, took } from "../support/scene.ts";

/** Every form that takes time, each for a second or more, and what it looks like without it. */
const FORMS: Readonly<Record<string, string>> = {
  service: "service: shop, method: Slow",
  steps: "steps: [ { service: shop, method: Slow } ]",
  parallel: "parallel: [ { service: shop, method: Slow }, { wait: 3s } ]",
  foreach: "foreach: [1, 2], steps: [ { service: shop, method: Slow } ]",
  switch: "switch: [ { steps: [ { service: shop, method: Slow } ] } ]",
  repeat: 'repeat: [ { wait: 1s } ], until: "{{ false }}", max_rounds: 3',
  wait: "wait: 1s",
  await_signal: "await_signal: nobody",
  workflow: "workflow: child.yaml",
};

const CHILD = {
  "child.yaml":
    'name: child\nservices: { shop: { endpoint: "shop:1" } }\nsteps: [ { service: shop, method: Slow } ]',
};

Deno.test("§4 `id`, left out: derived from its place (`steps[2]`)", async () => {
  const played = await play(`
  - { service: shop, method: Do }
  - { id: named, service: shop, method: Do }
  - { service: shop, method: Do }
  - steps: [ { set: { a: 1 } }, { service: shop, method: Do } ]
`);
  assert.deepEqual(called(played), ["steps[0]", "named", "steps[2]", "steps[3].steps[1]"]);
  assert.equal(stepOf(played, "steps[2]").id, "steps[2]");
});

for (
  const [form, text] of Object.entries({
    ...FORMS,
    set: "set: { a: 1 }",
    fail: "fail: { code: ABORTED, message: no }",
    return: "return: { early: true }",
  })
) {
  Deno.test(`§4 \`when\` false: a step of the form ${form} is skipped, its output is {}`, async () => {
    const played = await play(
      `
  - { id: it, when: "{{ .input.want }}", ${text} }
  - set: { output: "{{ .it }}", status: "{{ .steps.it.status }}" }
`,
      { input: { want: false }, files: CHILD },
    );
    assert.equal(played.report.status, "completed");
    assert.deepEqual(played.report.output, { output: {}, status: "skipped" });
    assert.deepEqual(played.world.calls, []);
    assert.equal(took(played), 0);
  });
}

for (const [form, text] of Object.entries(FORMS)) {
  Deno.test(`§4 \`timeout\` is for the whole step: ${form} fails as STEP_TIMEOUT`, async () => {
    const played = await play(`  - { id: it, timeout: 500ms, ${text} }`, { files: CHILD });
    assert.equal(played.report.status, "failed");
    assert.equal(played.report.error?.code, "STEP_TIMEOUT");
    assert.equal(played.report.error?.step, "it");
    assert.equal(took(played), 500);
  });
}

Deno.test("§4 `timeout`: retries and waits included", async () => {
  const played = await play(
    `  - { id: it, timeout: 2500ms, service: shop, method: SlowFail, retry: { attempts: 9, initial_delay: 500ms, jitter: 0, backoff: constant } }`,
    { cast: { SlowFail: { fail: "UNAVAILABLE", after: 400 } } },
  );
  // Attempts at 0, 900 and 1800; the next would begin at 2700, too late.
  assert.equal(played.world.calls.length, 3);
  assert.equal(played.report.error?.attempts, 3);
  assert.ok(took(played) <= 2_500);
});

Deno.test("§4 `timeout` of a block: what is under way in it is cancelled, at its server too", async () => {
  const played = await play(
    `
  - id: it
    timeout: 500ms
    steps:
      - parallel:
          - { id: hangs, service: shop, method: Hang }
          - { id: loops, foreach: [1], steps: [ { id: inner, service: shop, method: Hang } ] }
`,
  );
  assert.equal(played.report.error?.code, "STEP_TIMEOUT");
  assert.equal(took(played), 500);
  assert.deepEqual(played.world.cancelled.toSorted(), [
    "r/it.steps[0].hangs/action",
    "r/it.steps[0].loops[0].inner/action",
  ]);
});

Deno.test("§4 `timeout`, left out: none", async () => {
  const played = await play("  - wait: 300d\n  - await_signal: late", {
    during: ({ run, after }) => after(400 * 24 * 3_600_000, () => run.signal("late")),
  });
  assert.equal(played.report.status, "completed");
  assert.equal(took(played), 400 * 24 * 3_600_000);
});

Deno.test("§4 `timeout` of what ends in a moment harms nothing", async () => {
  const { report } = await play("  - { timeout: 1s, set: { a: 1 } }");
  assert.deepEqual(report.output, { a: 1 });
});

Deno.test("§4 `output`: the name that the result gets in expressions; left out: the step's `id`", async () => {
  const { report } = await play(`
  - { id: one, service: shop, method: Do, output: uno }
  - { id: two, service: shop, method: Do }
  - { id: three, wait: 1s, output: tre }
  - return: [ "{{ .uno.id }}", "{{ .two.id }}", "{{ .tre }}", "{{ .steps.one.output.id }}" ]
`);
  assert.deepEqual(report.output, ["one", "two", {}, "one"]);
});

Deno.test("§4 `needs`: ids of siblings that come first", async () => {
  const played = await play(`
  - parallel:
      - { id: last, needs: [first, group], service: shop, method: Do }
      - { id: first, service: shop, method: Slow }
      - { id: group, steps: [ { id: inner, service: shop, method: Do }, { wait: 2s } ] }
`);
  assert.deepEqual(called(played), ["first", "group.inner", "last"].map((id) => `steps[0].${id}`));
  const { started_at } = stepOf(played, "steps[0].last");
  assert.equal(Date.parse(started_at) - Date.parse(played.report.started_at), 2_000);
});

Deno.test("§4 `needs`: a skipped sibling counts as done", async () => {
  const played = await play(`
  - parallel:
      - { id: skipped, when: "{{ false }}", service: shop, method: Do }
      - { id: no_branch, switch: [ { when: "{{ false }}", steps: [ { wait: 1s } ] } ] }
      - { id: it, needs: [skipped, no_branch], service: shop, method: Do, input: { a: "{{ default(.skipped.id, 'none') }}" } }
`);
  assert.equal(played.report.status, "completed");
  assert.deepEqual(called(played), ["steps[0].it"]);
  assert.deepEqual(inputsOf(played, "Do"), [{ a: "none" }]);
});

Deno.test("§4 `needs`: a sibling whose failure was caught counts as completed", async () => {
  const played = await play(`
  - parallel:
      - { id: caught, service: shop, method: Refuse, catch: [ { result: { id: instead } } ] }
      - { id: it, needs: [caught], service: shop, method: Do, input: { a: "{{ .caught.id }}" } }
`);
  assert.equal(played.report.status, "completed");
  assert.deepEqual(inputsOf(played, "Do"), [{ a: "instead" }]);
});

Deno.test("§4 a call: `retry` of the step, and `attempt_timeout` for one call", async () => {
  const played = await play(
    `  - { id: it, service: shop, method: Flaky, attempt_timeout: 100ms, retry: { attempts: 3, initial_delay: 1s, jitter: 0 } }`,
    { cast: { Flaky: oneAfterAnother({ hang: true }, { answer: { id: "2" } }) } },
  );
  assert.deepEqual(played.report.output, { id: "2" });
  assert.equal(took(played), 100 + 1_000);
});

Deno.test("§4 a call: `metadata` of its own, and a `compensate` whose service, left out, is the step's", async () => {
  const { world } = await play(
    `
  - { id: it, service: pay, method: Do, metadata: { x-tenant: "{{ .input.tenant }}" }, compensate: { method: Undo } }
  - { service: shop, method: Refuse }
`,
    {
      head: 'services: { shop: { endpoint: "shop:1" }, pay: { endpoint: "pay:1" } }',
      cast: { "pay/Do": { answer: {} }, "pay/Undo": { answer: {} } },
      input: { tenant: "acme" },
    },
  );
  assert.equal(world.calls[0]?.metadata["x-tenant"], "acme");
  assert.deepEqual(world.calls.map(({ method }) => method), ["pay/Do", "shop/Refuse", "pay/Undo"]);
});
