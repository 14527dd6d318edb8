/**
 * language.md §6, as a run sees it.
 *
 * What an expression comes to is tested in tests/workflow/expression_test.ts, whose tests quote the
 * sentences: 1 ("a string that is exactly one {{ }} keeps the value's own type", "with text around it,
 * a value becomes text", "null, bytes, NaN and types are no text"), 2 ("the scanner knows strings,
 * comments and brackets", "a result is never read as a template again, …"), 3 ("numbers from JSON are
 * doubles, …", tests/e2e/types_test.ts), 4 ("a missing field, key or item is an error that names it",
 * "has() asks …", "default() covers …"), 5 ("strings have CEL's string functions and extensions, …",
 * "json(), base64() and sha256()"), 7 ("an expression that runs away stops, …", "regular expressions
 * take linear time, …"). 6 is tested in tests/workflow/expression_load_test.ts and scope_test.ts. 8: the
 * places of secrets in scope_test.ts, where they come from in tests/engine/services_test.ts and
 * tests/cli/run_test.ts.
 */
import assert from "node:assert/strict";
import { memoryJournal } from "../../src/store/memory.ts";
import { mortalJournal, stage } from "../support/engines.ts";
import { castOf, inputsOf, play, refusals, workflowWith } from "../support/scene.ts";

Deno.test("§6 roots: `.input`, `.run` (`id`, `workflow`, `version`, `correlation_id`, `started_at`)", async () => {
  const { report } = await play(
    `
  - return:
      - "{{ .input.a }}"
      - "{{ .run.id }}"
      - "{{ .run.workflow }}"
      - "{{ .run.version }}"
      - "{{ .run.correlation_id }}"
      - "{{ .run.started_at }}"
`,
    { head: 'version: "1.0"', input: { a: 1 } },
  );
  assert.deepEqual(report.output, [1, "r", "rules", "1.0", "r", "2026-01-01T00:00:00Z"]);
});

Deno.test("§6 roots: `.steps.<id>` (`status`, `output`, `error`, `attempts`)", async () => {
  const { report } = await play(`
  - { id: fine, service: shop, method: Do }
  - { id: caught, service: shop, method: Refuse, catch: [ { result: { instead: true } } ] }
  - { id: skipped, when: "{{ false }}", wait: 1s }
  - return:
      - "{{ .steps.fine }}"
      - "{{ .steps.caught.status }} {{ .steps.caught.output }} {{ .steps.caught.attempts }}"
      - "{{ .steps.skipped.status }} {{ .steps.skipped.output }} {{ .steps.skipped.attempts }}"
`);
  assert.deepEqual(report.output, [
    { status: "completed", output: { id: "fine" }, error: null, attempts: 1 },
    'completed {"instead":true} 1',
    "skipped {} 0",
  ]);
});

const DO = "service: shop, method: Do";

for (
  const [what, head, branches, seen] of [
    ["skipped: its parallel is", 'when: "{{ false }}"', `{ id: late, ${DO} }`, "skipped"],
    [
      "skipped: the parallel around its group is",
      'when: "{{ false }}"',
      `{ steps: [ { id: late, ${DO} } ] }`,
      "skipped",
    ],
    [
      "skipped: the group is that it stands in",
      "",
      `{ when: "{{ false }}", steps: [ { id: late, ${DO} } ] }`,
      "skipped",
    ],
    [
      "cancelled: it waited for its turn when its parallel failed",
      "concurrency: 1, catch: [ {} ]",
      `{ service: shop, method: Refuse }, { id: late, ${DO} }`,
      "cancelled",
    ],
    [
      "cancelled: it needs one that failed",
      "catch: [ {} ]",
      `{ id: first, service: shop, method: Refuse }, { id: late, needs: [first], steps: [ { ${DO} } ] }`,
      "cancelled",
    ],
    [
      "cancelled: its group failed before it",
      "catch: [ {} ]",
      `{ steps: [ { service: shop, method: Refuse }, { steps: [ { wait: 1s } ] }, { id: late, ${DO} } ] }`,
      "cancelled",
    ],
    [
      "cancelled: its group has a catch that took what failed before it",
      "",
      `{ steps: [ { service: shop, method: Refuse }, { id: late, ${DO} } ], catch: [ {} ] }`,
      "cancelled",
    ],
  ] as const
) {
  Deno.test(`§6 \`.steps.<id>\` of what never started is ${what}`, async () => {
    const block = `{ parallel: [ ${branches} ]${head === "" ? "" : `, ${head}`} }`;
    const inRound = await play(
      `  - { foreach: [1], steps: [ ${block} ], result: "{{ .steps.late }}" }`,
    );
    const view = { status: seen, output: {}, error: null, attempts: 0 };
    assert.deepEqual(inRound.report.output, [view]);
    const inRun = await play(`  - ${block}\n  - return: "{{ .steps.late }}"`);
    assert.deepEqual(inRun.report.output, view);
  });
}

Deno.test("§6 roots: `.env` (only names that the workflow uses)", async () => {
  const asked: string[] = [];
  const { engine, clock, journal } = stage(castOf(), {
    env: (name) => {
      asked.push(name);
      return `value of ${name}`;
    },
  });
  try {
    const run = await engine.start(workflowWith('  - set: { a: "{{ .env.REGION }}" }'), {
      runId: "r",
    });
    assert.deepEqual((await run.result()).output, { a: "value of REGION" });
    assert.deepEqual(asked, ["REGION"]);
    const [started] = await Array.fromAsync(journal.read("r"));
    assert.equal(await journal.kept(String(started?.["env"])), '{"REGION":"value of REGION"}');
  } finally {
    await engine.close();
    clock.stop();
  }
});

Deno.test("§6.4 a missing field is an error, which `has` and `default` prevent", async () => {
  const { report } = await play(
    `
  - id: skipped
    when: "{{ false }}"
    service: shop
    method: Do
  - id: asks
    set: { asked: "{{ has(.input.a.b) }}", passed: "{{ default(.skipped.id, 'x') }}", empty: "{{ default(.input.a, 'x') }}", missing: "{{ default(.input.b.c.d, 'x') }}" }
  - id: fails
    set: { a: "{{ .input.b }}" }
    catch: [ { result: "{{ .error.code }}" } ]
  - return: [ "{{ .asks }}", "{{ .fails }}" ]
`,
    { input: { a: null } },
  );
  assert.deepEqual(report.output, [
    { asked: false, passed: "x", empty: "x", missing: "x" },
    "EXPRESSION_ERROR",
  ]);
});

Deno.test("§6.5 nothing reads the clock or random numbers", () => {
  for (const name of ["now", "random", "uuid"]) {
    assert.notDeepEqual(refusals(`  - set: { a: "{{ ${name}() }}" }`), [], name);
  }
});

Deno.test("§6.5 what a step sends is the same after a restart", async () => {
  const text = `
  - { id: one, service: shop, method: Do }
  - set: { text: "{{ .one.id }} at {{ .run.started_at }}" }
  - { id: two, service: shop, method: Lost, input: { text: "{{ .text }}", json: "{{ json(.one) }}", sum: "{{ sha256(.text) }}" }, retry: { attempts: 9 } }
`;
  const journal = memoryJournal();
  const sent: unknown[] = [];
  const cast = castOf({
    Lost: ({ input }) => {
      sent.push(input);
      return sent.length < 3 ? { hang: true } : { answer: {} };
    },
  });
  // The power is cut in the middle of the call, and once more after its first failure.
  for (const facts of [9, 2, Infinity]) {
    const { engine, clock } = stage(cast, { journal: mortalJournal(journal, facts) });
    const run = facts === 9
      ? await engine.start(workflowWith(text), { runId: "r" })
      : await engine.resume("r");
    await run.result().catch(() => {});
    await engine.close();
    clock.stop();
  }
  assert.ok(sent.length >= 3);
  assert.equal(new Set(sent.map((input) => JSON.stringify(input))).size, 1);
});

Deno.test("§6.7 an expression that would run away stops with EXPRESSION_ERROR", async () => {
  const { report } = await play(
    '  - set: { a: "{{ .input.l.map(a, .input.l.map(b, .input.l.map(c, .input.l.map(d, a + b + c + d)))) }}" }',
    { input: { l: Array.from({ length: 100 }, (_, at) => at) } },
  );
  assert.equal(report.error?.code, "EXPRESSION_ERROR");
});

Deno.test("§6.8 a secret never reaches the journal", async () => {
  const { engine, clock, journal, world } = stage(castOf(), {
    secrets: { read: () => Promise.resolve("hunter2") },
  });
  try {
    const workflow = workflowWith(
      '  - { service: shop, method: Do, metadata: { authorization: "Bearer {{ .secrets.TOKEN }}" }, compensate: { method: Undo, metadata: { authorization: "{{ .secrets.TOKEN }}" } } }\n  - { service: shop, method: Refuse }',
    );
    const report = await (await engine.start(workflow, { runId: "r" })).result();
    assert.deepEqual(world.calls.map(({ metadata }) => metadata["authorization"]), [
      "Bearer hunter2",
      undefined,
      "hunter2",
    ]);
    const facts = await Array.fromAsync(journal.read("r"));
    assert.doesNotMatch(JSON.stringify([facts, report]), /hunter2/);
  } finally {
    await engine.close();
    clock.stop();
  }
});

Deno.test("§6 an expression is made from what was recorded: a later answer of the service changes nothing", async () => {
  const played = await play(`
  - { id: one, service: shop, method: Do, output: a }
  - steps: [ { id: two, service: shop, method: Do, output: a, input: { before: "{{ .a.id }}" } }, { service: shop, method: Do, input: { inner: "{{ .a.id }}" } } ]
  - { service: shop, method: Do, input: { outer: "{{ .a.id }}" } }
`);
  assert.deepEqual(inputsOf(played, "Do").slice(1), [
    { before: "one" },
    { inner: "steps[1].two" },
    { outer: "one" },
  ]);
});
