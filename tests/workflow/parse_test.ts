import {
  deepEqual,
  equal,
  partialDeepStrictEqual as partialDeepEqual,
  throws,
} from "node:assert/strict";
import { eachStep } from "../../src/workflow/calls.ts";
import { loadWorkflow } from "../../src/workflow/parse.ts";
import type { CallStep, Workflow } from "../../src/workflow/model.ts";
import { parse, places, valid, withSteps } from "../support/parsing.ts";
import { FIRST, FULL, FULL_FILES } from "../support/workflows.ts";

function call(workflow: Workflow, path: string): CallStep {
  const step = [...eachStep(workflow.steps)].find((each) => each.path === path);
  if (step?.kind !== "call") throw new Error(`No call at ${path}`);
  return step;
}

Deno.test("parseWorkflow() reads the first workflow of language.md as it stands", async (t) => {
  const { workflow, problems } = parse(FIRST);
  // What undoes the step reads the step's own answer, which may be lost.
  deepEqual(problems.map(({ code }) => code), ["unverified_compensation"]);
  await t.assertSnapshot(workflow);
});

Deno.test("parseWorkflow() reads everything there is", async (t) => {
  const { workflow, problems } = parse(FULL, FULL_FILES);
  deepEqual(problems, []);
  await t.assertSnapshot(workflow);
});

Deno.test("parseWorkflow() freezes what it yields", () => {
  const workflow = valid(FIRST);
  throws(() => Object.assign(workflow.steps[0] ?? {}, { id: "other" }), TypeError);
});

const RETRY = {
  backoff: "exponential",
  initialDelay: 500,
  multiplier: 2,
  maxDelay: 10_000,
  jitter: 0.5,
};

for (
  const [what, service, step, expected] of [
    ["without one, one attempt", "", "", { ...RETRY, attempts: 1, codes: [] }],
    ["an empty one takes every default", ", retry: {}", "", { ...RETRY, attempts: 3, codes: [] }],
    ["any part of it fills in the rest", ", retry: { jitter: 0 }", "", {
      ...RETRY,
      jitter: 0,
      attempts: 3,
      codes: [],
    }],
    ["a step's alone", "", ", retry: {}", { ...RETRY, attempts: 3, codes: [] }],
    [
      "a step's over its service's",
      ", retry: { attempts: 7, codes: [ABORTED] }",
      ", retry: { max_delay: 1s }",
      { ...RETRY, maxDelay: 1000, attempts: 7, codes: ["ABORTED"] },
    ],
  ] as const
) {
  Deno.test(`parseWorkflow() makes a retry rule: ${what}`, () => {
    const workflow = valid(`name: a
services: { b: { endpoint: "b:1"${service} } }
steps: [{ id: c, service: b, method: M${step} }]`);
    deepEqual(call(workflow, "c").retry, expected);
  });
}

Deno.test("parseWorkflow() keeps apart the codes that a step names itself", () => {
  const workflow = valid(`name: a
services: { b: { endpoint: "b:1", retry: { codes: [ABORTED] } } }
steps:
  - { id: c, service: b, method: M }
  - { id: d, service: b, method: M, retry: { codes: [INTERNAL] } }`);
  deepEqual(call(workflow, "c").ownCodes, []);
  deepEqual(call(workflow, "d").ownCodes, ["INTERNAL"]);
});

Deno.test("parseWorkflow() lays services over defaults key by key", () => {
  const workflow = valid(`name: a
defaults:
  attempt_timeout: 5s
  metadata: { x-a: "1", x-b: "2" }
  circuit_breaker: { min_calls: 3, window: 20 }
  tls: { ca: ca.pem }
services:
  b: { endpoint: "b:1", metadata: { x-b: "3" }, circuit_breaker: { open_for: 1s } }
  c: { endpoint: "c:1", attempt_timeout: 1s, circuit_breaker: false, tls: false }
steps:
  - { id: d, service: b, method: M }
  - { id: e, service: c, method: M, attempt_timeout: 2s }
  - { id: f, service: c, method: M }`);
  const { b, c } = workflow.services;
  deepEqual(b?.metadata, { "x-a": "1", "x-b": "3" });
  equal(b?.breaker?.minCalls, 3);
  equal(b?.breaker?.openFor, 1000);
  deepEqual(b?.breaker?.window, { kind: "count", calls: 20 });
  deepEqual(b?.tls, { ca: "ca.pem", cert: null, key: null, serverName: null });
  equal(c?.breaker, null);
  equal(c?.tls, null);
  deepEqual(["d", "e", "f"].map((id) => call(workflow, id).attemptTimeout), [5000, 2000, 1000]);
});

Deno.test("parseWorkflow() takes pools, rates, budgets, health and streams as their defaults have them", () => {
  const { b } = valid(`name: a
services: { b: { endpoint: "b:1" } }
steps: [{ service: b, method: M }]`).services;
  deepEqual(b?.pool, { channels: 1, maxConcurrent: 100 });
  deepEqual([b?.rateLimit, b?.budget, b?.health], [null, null, null]);
  deepEqual([b?.maxMessages, b?.breaker?.scope], [10_000, "service"]);
});

for (
  const [written, expected] of [
    ["rate_limit: 100/s", { rateLimit: { calls: 100, per: 1_000 } }],
    ["rate_limit: 090/m", { rateLimit: { calls: 90, per: 60_000 } }],
    ["pool: { channels: 4 }", { pool: { channels: 4, maxConcurrent: 100 } }],
    ["pool: { max_concurrent: 3 }", { pool: { channels: 1, maxConcurrent: 3 } }],
    ["retry: { budget: {} }", { budget: { maxTokens: 100, tokenRatio: 0.1 } }],
    ["retry: { budget: { max_tokens: 10 } }", { budget: { maxTokens: 10, tokenRatio: 0.1 } }],
    ["health: true", { health: { service: "" } }],
    ["health: false", { health: null }],
    ["health: { service: acme.v1.B }", { health: { service: "acme.v1.B" } }],
    ["max_messages: 5", { maxMessages: 5 }],
  ] as const
) {
  Deno.test(`parseWorkflow() reads ${written}`, () => {
    const { b } = valid(`name: a
services: { b: { endpoint: "b:1", ${written} } }
steps: [{ service: b, method: M }]`).services;
    partialDeepEqual(b, expected);
  });
}

Deno.test("parseWorkflow() lays pools, budgets, rates and health over what is included and the defaults", () => {
  const included = {
    "shared.yaml": `defaults:
  pool: { channels: 2, max_concurrent: 10 }
  rate_limit: 50/s
  health: { service: all }
  max_messages: 7
services:
  b: { endpoint: "b:1", retry: { attempts: 4, budget: { max_tokens: 30, token_ratio: 0.5 } } }
`,
  };
  const { b, c } = valid(
    `name: a
include: shared.yaml
services:
  b: { retry: { budget: { max_tokens: 20 } }, pool: { max_concurrent: 3 }, health: true }
  c: { endpoint: "c:1", rate_limit: 600/m, health: false, max_messages: 8 }
steps: [{ service: b, method: M }, { service: c, method: M }]`,
    included,
  ).services;
  deepEqual(b?.budget, { maxTokens: 20, tokenRatio: 0.5 });
  equal(b?.retry.attempts, 4);
  deepEqual(b?.pool, { channels: 2, maxConcurrent: 3 });
  deepEqual(b?.rateLimit, { calls: 50, per: 1_000 });
  deepEqual(b?.health, { service: "" });
  equal(b?.maxMessages, 7);
  deepEqual(c?.pool, { channels: 2, maxConcurrent: 10 });
  deepEqual(c?.rateLimit, { calls: 600, per: 60_000 });
  deepEqual([c?.health, c?.budget, c?.maxMessages], [null, null, 8]);
});

Deno.test("parseWorkflow() keeps the budget the service's, whatever its steps' retries say", () => {
  const workflow = valid(`name: a
services: { b: { endpoint: "b:1", retry: { attempts: 2, budget: { max_tokens: 9 } } } }
steps: [{ id: c, service: b, method: M, retry: { attempts: 5 } }]`);
  deepEqual(call(workflow, "c").retry, { ...RETRY, attempts: 5, codes: [] });
  equal(workflow.services["b"]?.budget?.maxTokens, 9);
});

Deno.test("parseWorkflow() takes the most messages from the call, else from its service", () => {
  const workflow = valid(`name: a
services:
  b: { endpoint: "b:1", max_messages: 5 }
  d: { endpoint: "d:1" }
steps:
  - { id: own, service: b, method: M, max_messages: 3, compensate: { method: N } }
  - { id: service, service: b, method: M, compensate: { method: N, max_messages: 2 } }
  - { id: usual, service: d, method: M, compensate: { service: b, method: N } }`);
  const most = ["own", "service", "usual"].map((id) => {
    const { maxMessages, compensate } = call(workflow, id);
    return [maxMessages, compensate?.kind === "call" && compensate.maxMessages];
  });
  deepEqual(most, [[3, 5], [5, 2], [10_000, 5]]);
});

Deno.test("parseWorkflow() keeps whether a step says that it is idempotent", () => {
  const workflow = valid(`name: a
services: { b: { endpoint: "b:1" } }
steps:
  - { id: silent, service: b, method: M }
  - { id: yes, service: b, method: M, idempotent: true }
  - { id: no, service: b, method: M, idempotent: false }`);
  const said = ["silent", "yes", "no"].map((id) => {
    const { idempotent, idempotentStated } = call(workflow, id);
    return [idempotent, idempotentStated];
  });
  deepEqual(said, [[true, false], [true, true], [false, true]]);
});

Deno.test("parseWorkflow() keeps a list of requests as it is, and sees the expressions in it", () => {
  const workflow = valid(withSteps(
    `  - { id: c, service: pay, method: M, input: [{ a: "{{ .env.A }}" }, "{{ .input }}"] }`,
  ));
  deepEqual(call(workflow, "c").input, [{ a: "{{ .env.A }}" }, "{{ .input }}"]);
  deepEqual(workflow.env, ["A"]);
});

Deno.test("parseWorkflow() gives every step its path and its id", () => {
  const workflow = valid(withSteps(`
  - { id: a, set: { x: 1 } }
  - set: { y: "{{ .x }}" }
  - parallel:
      - { set: { z: "{{ .y }}" } }
      - { id: b, steps: [{ set: { u: 1 } }, { id: c, set: { v: "{{ .u }}" } }] }
  - id: t
    switch: [{ steps: [{ id: p, set: { w: 1 } }, { set: { q: "{{ .w }}" } }] }]
  - id: d
    service: pay
    method: M
    compensate: { steps: [{ id: n, set: { k: 1 } }, { id: m, steps: [{ set: { l: "{{ .k }}" } }] }] }
`));
  deepEqual([...eachStep(workflow.steps)].map(({ path, id, output }) => [path, id, output]), [
    ["a", "a", "a"],
    ["steps[1]", "steps[1]", null],
    ["steps[2]", "steps[2]", null],
    ["steps[2].parallel[0]", "steps[2].parallel[0]", null],
    ["steps[2].b", "b", "b"],
    ["steps[2].b.steps[0]", "steps[2].b.steps[0]", null],
    ["steps[2].b.c", "c", "c"],
    ["t", "t", "t"],
    ["t.switch[0].p", "p", "p"],
    ["t.switch[0].steps[1]", "t.switch[0].steps[1]", null],
    ["d", "d", "d"],
    ["d.compensate[0]", "n", "n"],
    ["d.compensate[1]", "m", "m"],
    ["d.compensate[1].steps[0]", "d.compensate[1].steps[0]", null],
  ]);
});

Deno.test("parseWorkflow() leaves the round open in the paths of a loop's steps", () => {
  const workflow = valid(
    withSteps(`
  - id: ship
    foreach: [1]
    steps:
      - { id: label, set: { x: 1 } }
      - { repeat: [{ id: sum, set: { y: 1 } }, { set: { z: 1 } }], until: "{{ true }}", max_rounds: 1 }
    catch: [{ steps: [{ id: none, set: { u: 1 } }, { set: { v: 1 } }] }, { steps: [{ set: { w: 1 } }] }]
  - id: d
    workflow: child/workflow.yaml
    compensate: { steps: [{ foreach: [1], as: k, steps: [{ set: { l: 1 } }] }] }
`),
    { "child/workflow.yaml": "name: child\nsteps: [{ id: own, set: { a: 1 } }]\n" },
  );
  deepEqual([...eachStep(workflow.steps)].map(({ path }) => path), [
    "ship",
    "ship[].label",
    "ship[].steps[1]",
    "ship[].steps[1][].sum",
    "ship[].steps[1][].steps[1]",
    "ship.catch[0].none",
    "ship.catch[0].steps[1]",
    "ship.catch[1].steps[0]",
    "d",
    "d.compensate[0]",
    "d.compensate[0][].steps[0]",
  ]);
});

Deno.test("parseWorkflow() fills in what loops, pauses, catches and children leave out", () => {
  const { steps } = valid(
    withSteps(`
  - { foreach: [1], steps: [{ set: { a: 1 } }], catch: [{}] }
  - { repeat: [{ set: { a: 1 } }], until: "{{ true }}", timeout: 1s }
  - wait: 1m
  - wait: { until: "{{ .input.at }}" }
  - workflow: child/workflow.yaml
  - { service: pay, method: Pay, verify: { method: Find } }
`),
    { "child/workflow.yaml": "name: child\nsteps: [{ return: 1 }]\n" },
  );
  const [each, repeat, pause, until, child, call] = steps;
  partialDeepEqual(each, { as: "item", concurrency: 1, onFailure: "cancel", result: null });
  partialDeepEqual(each?.catch, [
    { codes: [], reason: null, when: null, undo: false, steps: [], result: null },
  ]);
  partialDeepEqual(repeat, { every: 0, maxRounds: null, result: null });
  partialDeepEqual([pause, until], [
    { duration: 60_000, until: null },
    { duration: null, until: "{{ .input.at }}" },
  ]);
  partialDeepEqual(child, { input: {}, compensate: null });
  partialDeepEqual(call, {
    pivot: false,
    catch: [],
    verify: { service: "pay", method: "Find", input: {}, attemptTimeout: 30_000, result: null },
  });
});

Deno.test("parseWorkflow() merges what it includes, its own winning, paths relative to each file", () => {
  const files = {
    "shared/services.yaml": `include: more/base.yaml
x-note: shared
defaults: { attempt_timeout: 9s, retry: { attempts: 2 } }
services:
  b: { endpoint: "b:1", proto: [b.proto], tls: { ca: ca.pem } }
  unused: { endpoint: "{{ .env.UNUSED }}" }
`,
    "shared/more/base.yaml": `defaults: { retry: { attempts: 8, jitter: 0 } }
services: { c: { endpoint: "c:1", descriptor_set: ../c.binpb }, b: { endpoint: "other:1" } }
`,
  };
  const text = `name: a
include: [shared/services.yaml]
services: { b: { attempt_timeout: 1s } }
steps: [{ id: s, service: b, method: M }, { id: t, service: c, method: M }]`;
  const { workflow, problems, texts } = parse(text, files);
  deepEqual(problems, []);
  deepEqual([...texts.keys()], ["workflow.yaml", "shared/services.yaml", "shared/more/base.yaml"]);
  const { b, c, unused } = workflow?.services ?? {};
  equal(unused, undefined);
  deepEqual(workflow?.env, []);
  equal(b?.endpoint, "b:1");
  equal(b?.attemptTimeout, 1000);
  equal(c?.attemptTimeout, 9000);
  deepEqual([b?.retry.attempts, b?.retry.jitter], [2, 0]);
  deepEqual(b?.tls?.ca, "shared/ca.pem");
  deepEqual(b?.schema, {
    kind: "proto",
    files: ["shared/b.proto"],
    importPaths: [],
    place: { file: "shared/services.yaml", line: 5, column: 25 },
  });
  equal(c?.schema.kind === "descriptor_set" && c.schema.file, "shared/c.binpb");
});

Deno.test("parseWorkflow() tells what is wrong with includes, in their own files", () => {
  const text = `name: a
include: [one.yaml, nowhere.yaml]
steps: [{ service: b, method: M }]`;
  const files = {
    "one.yaml": `include: two.yaml
services: { b: { endpoint: "b:1", retyr: {} } }
steps: []
`,
    "two.yaml": `include: one.yaml\ntimeuot: 3\n`,
  };
  const found = parse(text, files).problems.map(({ file, line, column, message }) =>
    `${file}:${line}:${column}: ${message}`
  );
  deepEqual(found, [
    'workflow.yaml:2:21: Cannot read "nowhere.yaml": No such file',
    'one.yaml:2:35: Unknown key "retyr"; did you mean "retry"?',
    'one.yaml:3:1: "steps" has no place in an included file: only services, defaults and include are merged in',
    "two.yaml:1:10: The files include each other: one.yaml → two.yaml → one.yaml",
    'two.yaml:2:1: "timeuot" has no place in an included file: only services, defaults and include are merged in',
  ]);
});

Deno.test("parseWorkflow() merges anchors and aliases", () => {
  const workflow = valid(`name: a
x-patient: &patient { attempts: 9, jitter: 0 }
services:
  b: &b { endpoint: "b:1", retry: *patient }
  c: { <<: *b, endpoint: "c:1" }
  d: { <<: [{ compression: gzip }, *b] }
steps:
  - parallel: [{ service: b, method: M }, { service: c, method: M }, { service: d, method: M }]`);
  const { b, c, d } = workflow.services;
  deepEqual([b?.endpoint, c?.endpoint, d?.endpoint], ["b:1", "c:1", "b:1"]);
  deepEqual([c?.retry.attempts, d?.retry.jitter, d?.compression], [9, 0, "gzip"]);
});

Deno.test("parseWorkflow() collects the environment and secrets that expressions name", () => {
  const workflow = valid(FULL, FULL_FILES);
  deepEqual(workflow.env, ["INVOICES_HOST", "PAYMENTS_HOST", "REGION"]);
  deepEqual(workflow.secrets, ["INVOICES_TOKEN", "OTHER", "PAYMENTS_TOKEN"]);
});

Deno.test("parseWorkflow() hands numbers that JSON can't say to ProtoJSON's spelling", () => {
  const { steps: [step] } = valid(
    withSteps("  - { service: pay, method: M, input: { a: .inf, b: .nan } }"),
  );
  deepEqual(step?.kind === "call" && step.input, { a: "Infinity", b: "NaN" });
});

Deno.test("parseWorkflow() refuses what is too large, too deep, or too much", () => {
  const bomb = Array.from(
    { length: 12 },
    (_, at) => `  a${at}: &a${at} [${at === 0 ? "1" : Array(9).fill(`*a${at - 1}`).join(", ")}]`,
  ).join("\n");
  const deep = (open: string, close: string) => `name: ${open.repeat(400)}${close.repeat(400)}\n`;
  deepEqual(places(`name: a\ndescription: ${"x".repeat(1024 * 1024)}\n`), ["1:1 file_too_large"]);
  deepEqual(places("😀".repeat(300_000)), ["1:1 file_too_large"]);
  deepEqual(places(`name: a\nx-bomb:\n${bomb}\nsteps: [{ set: { a: 1 } }]`).length, 1);
  deepEqual(places(deep("[", "]")), ["1:207 too_deep"]);
  deepEqual(places("[".repeat(200_000)), ["1:201 too_deep"]);
  deepEqual(places("- ".repeat(100_000)).map((place) => place.split(" ")[1]), ["too_deep"]);
  const quotes = `name: '${"''".repeat(100_000)}'`;
  deepEqual(places(quotes).map((place) => place.split(" ")[1]), ["too_many_quotes"]);
  const empty = `name: a\nx-many: [${"'', 'a', ".repeat(10_000)}]\nsteps: [{ set: { a: 1 } }]`;
  deepEqual(places(empty), []);
});

Deno.test("loadWorkflow() tells of a file that can't be read", () => {
  const { workflow, problems } = loadWorkflow("gone.yaml", () => {
    throw new Error("No such file");
  });
  equal(workflow, null);
  deepEqual(problems, [{
    severity: "error",
    code: "unreadable_file",
    message: "Cannot read the file: No such file",
    file: "gone.yaml",
    line: null,
    column: null,
  }]);
});
