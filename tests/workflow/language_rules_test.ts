import { deepEqual, equal } from "node:assert/strict";
import { places, shown, withSteps } from "../support/parsing.ts";

const TOP = `name: test\nservices: { pay: { endpoint: "pay:1" } }\n`;
const END = `steps: [{ service: pay, method: Pay }]\n`;

/** What is wrong, the text, and where it is found. */
type Case = readonly [what: string, text: string, expected: readonly string[]];

const top = (what: string, lines: string, ...expected: string[]): Case => [
  what,
  `${TOP}${lines}\n${END}`,
  expected,
];

/** Steps begin at line 5, column 1. */
const steps = (what: string, text: string, ...expected: string[]): Case => [
  what,
  withSteps(text),
  expected,
];

const service = (what: string, text: string, ...expected: string[]): Case => [
  what,
  `name: test\nservices:\n  pay: ${text}\n${END}`,
  expected,
];

const CALL = "- { service: pay, method: Pay";

/** A setting of a service; its value begins after its key. */
const setting = (key: string, value: string, ...codes: string[]): Case =>
  service(
    `${key}: ${value}`,
    `{ endpoint: "a:1", ${key}: ${value} }`,
    ...codes.map((code) => /^\d/.test(code) ? code : `3:${29 + key.length} ${code}`),
  );

/** Of connections, rates, budgets, breakers and health. */
const SETTINGS: readonly Case[] = [
  setting("rate_limit", "100/s"),
  setting("rate_limit", "6000/m"),
  ...[
    '"100"',
    "100",
    "1.5",
    "0/s",
    "0",
    "-5/s",
    "1.5/s",
    "1.3/s",
    "100/h",
    "120/h",
    "100/min",
    '"100 / s"',
    "100rps",
    "fast",
    "{ calls: 5 }",
    "9999999999/s",
    "true",
  ]
    .map((value) => setting("rate_limit", value, "wrong_value")),
  setting("rate_limit", "", "3:27 empty_value"),
  setting("pool", "{ channels: 2, max_concurrent: 1 }"),
  setting("pool", "{}"),
  setting("pool", "5", "wrong_type"),
  setting("pool", "big", "wrong_type"),
  setting("pool", "{ channels: 0 }", "3:45 wrong_value"),
  setting("pool", "{ channels: 1.5 }", "3:45 wrong_value"),
  setting("pool", '{ max_concurrent: "10" }', "3:51 wrong_value"),
  setting("pool", "{ max_concurrency: 10 }", "3:35 unknown_key"),
  setting("pool", "{ size: 10 }", "3:35 unknown_key"),
  setting("retry", "{ budget: {} }"),
  setting("retry", "{ budget: { max_tokens: 1000, token_ratio: 0.001 } }"),
  setting("retry", "{ budget: 5 }", "3:44 wrong_type"),
  setting("retry", "{ budget: true }", "3:44 wrong_type"),
  setting("retry", "{ budget: { max_tokens: 0 } }", "3:58 wrong_value"),
  setting("retry", "{ budget: { max_tokens: 1001 } }", "3:58 wrong_value"),
  setting("retry", "{ budget: { token_ratio: -1 } }", "3:59 wrong_value"),
  setting("retry", "{ budget: { token_ratio: 0 } }", "3:59 wrong_value"),
  setting("retry", "{ budget: { tokens: 5 } }", "3:46 unknown_key"),
  setting("health", "true"),
  setting("health", "false"),
  setting("health", "{ service: acme.payments.v1.Payments }"),
  setting("health", '"x"', "wrong_value"),
  setting("health", "yes", "wrong_value"),
  setting("health", "{}", "3:27 missing_key"),
  setting("health", "{ service: 5 }", "3:46 wrong_type"),
  setting("health", "{ name: x }", "3:27 missing_key", "3:37 unknown_key"),
  setting("health", "true, circuit_breaker: false", "3:41 health_without_breaker"),
  setting("health", "true, load_balancing: round_robin", "3:27 health_off"),
  setting("health", "false, circuit_breaker: false, load_balancing: round_robin"),
  setting("circuit_breaker", "{ scope: method }"),
  setting("circuit_breaker", "{ scope: service }"),
  setting("circuit_breaker", "{ scope: methods }", "3:53 wrong_value"),
  setting("circuit_breaker", "{ scope: true }", "3:53 wrong_value"),
  setting("max_messages", "5"),
  setting("max_messages", "0", "wrong_value"),
  setting("max_messages", "10k", "wrong_value"),
];

const CASES: readonly Case[] = [
  // The whole file
  ["an empty file", "", ["1:1 empty"]],
  ["a file of comments", "# nothing\n", ["1:1 empty"]],
  ["a list", "- 1\n", ["1:1 wrong_type"]],
  ["two documents", `${TOP}${END}---\nname: second\n`, ["4:1 yaml_syntax"]],
  ["no name, no steps", "timeout: 1s\n", ["1:1 missing_key", "1:1 missing_key"]],
  ["a misspelt steps is not missing, too", "name: x\nstep: []\n", ["2:1 unknown_key"]],
  top("an unknown key", "timeot: 3s", "3:1 unknown_key"),
  top("the author's own key", "x-anything: { a: [1] }"),
  [
    "the author's own key among the services",
    `name: test\nservices: { x-base: { a: 1 }, pay: { endpoint: "pay:1" } }\n${END}`,
    [],
  ],
  service(
    "an endpoint of a scheme that gRPC has and Maestro has not",
    '{ endpoint: "xds:///a" }',
    "3:20 wrong_value",
  ),
  service("a dns endpoint without a port", '{ endpoint: "dns:payments" }', "3:20 wrong_value"),
  top("the same key twice", "timeout: 3s\ntimeout: 4s", "4:1 duplicate_key"),
  top("version without quotes", "version: 1.0", "3:10 wrong_type"),
  top("a schedule", 'schedule: { cron: "0 3 * * *" }', "3:1 not_supported"),
  top(
    "a schedule with a mistake",
    "schedule: { corn: daily }",
    "3:1 not_supported",
    "3:13 unknown_key",
  ),
  ["a name with capitals", "name: MyFlow\nsteps: [{ set: { a: 1 } }]\n", ["1:7 wrong_value"]],
  [
    "a reserved service name",
    `name: a\nservices: { steps: { endpoint: "a:1" } }\nsteps: [{ set: { b: 1 } }]\n`,
    ["2:13 reserved_name"],
  ],
  ["no step at all", "name: test\nsteps: []\n", ["2:8 empty_list"]],
  // YAML
  top("a tab", "input:\n\ttype: object", "4:1 yaml_syntax"),
  top("a quote that is not closed", 'description: "abc', "3:14 yaml_syntax"),
  top(
    "a bracket that is not closed",
    "input: { type: [object }",
    "3:24 yaml_syntax",
    "3:25 yaml_syntax",
  ),
  ["an empty bracket that is not closed", "name: [\nsteps: }{\n", ["2:1 yaml_syntax"]],
  ["a bracket and a quote", "name: a\nsteps: [ 'x, y ]\noutput: 1\n", ["2:10 yaml_syntax"]],
  ["a bracket that was never opened", "name: ]\nsteps: 1\n", ["1:7 yaml_syntax"]],
  ["two lists that are not closed", "name: a\nx-a: [1, 2\nx-b: { c: 1\nsteps: [{ return: 1 }]\n", [
    "3:1 yaml_syntax",
    "4:1 yaml_syntax",
  ]],
  ["a key without its colon", "name: a\nsteps\n", ["2:1 yaml_syntax"]],
  ["items without a comma", "name: a\nsteps: [{ return: 1 } { return: 2 }]\n", [
    "2:23 yaml_syntax",
  ]],
  top("a tag of another program", "description: !secret abc", "3:14 yaml_syntax"),
  top("an alias of nothing", "description: *nobody", "3:14 unknown_alias"),
  top("an alias inside its anchor", "input: &a { default: *a }", "3:22 alias_circle"),
  top("a merge of text", "saga: { <<: text }", "3:9 bad_merge"),
  top("a key that is a map", "input: { { a: 1 }: 2 }", "3:10 bad_key"),
  // Expressions without quotes
  steps("a bare expression", `  ${CALL}, input: { a: {{ .input.a }} } }`, "5:46 unquoted_template"),
  steps("in a block", "  - id: a\n    set:\n      b: {{ .input.x }}", "7:10 unquoted_template"),
  steps(
    "with text after it",
    "  - set:\n      b: {{ .input.x }} and more",
    "6:10 unquoted_template",
  ),
  steps(
    "with strings and brackets",
    `  - set:\n      b: {{ f(["a"], {'b': 1}) }}`,
    "6:10 unquoted_template",
  ),
  steps("in a list", "  - set: { b: [1, {{ .input.x }}, 3] }", "5:19 unquoted_template"),
  // Numbers
  steps("an integer that loses digits", "  - set: { b: 9007199254740993 }", "5:15 big_integer"),
  steps("a large one that doesn't", "  - set: { b: 9007199254740992 }"),
  // Durations, sizes, words
  top("a bare duration", "timeout: 30", "3:10 wrong_value"),
  top("another spelling of a duration", "timeout: 5 minutes", "3:10 wrong_value"),
  top("a timeout of nothing", "timeout: 0s", "3:10 wrong_value"),
  top("a very long timeout", "timeout: 40000d", "3:10 wrong_value"),
  service("a bare size", `{ endpoint: "a:1", max_message_size: 4194304 }`, "3:45 wrong_value"),
  service(
    "attempts in words",
    `{ endpoint: "a:1", retry: { attempts: three } }`,
    "3:46 wrong_value",
  ),
  service("no attempt at all", `{ endpoint: "a:1", retry: { attempts: 0 } }`, "3:46 wrong_value"),
  service("retry as a number", `{ endpoint: "a:1", retry: 3 }`, "3:34 wrong_type"),
  service("an empty retry", `{ endpoint: "a:1", retry: }`, "3:27 empty_value"),
  service("too much jitter", `{ endpoint: "a:1", retry: { jitter: 2 } }`, "3:44 wrong_value"),
  service("an unknown code", `{ endpoint: "a:1", retry: { codes: [ABORTD] } }`, "3:44 wrong_value"),
  service(
    "an unknown backoff",
    `{ endpoint: "a:1", retry: { backoff: linear } }`,
    "3:45 wrong_value",
  ),
  service("a breaker in words", `{ endpoint: "a:1", circuit_breaker: off }`, "3:44 wrong_value"),
  service(
    "a percentage above 100",
    `{ endpoint: "a:1", circuit_breaker: { failure_rate: 101 } }`,
    "3:60 wrong_value",
  ),
  // Services
  service("no endpoint", "{ type: grpc }", "3:3 missing_key"),
  service("a misspelt endpoint", `{ endpont: "a:1" }`, "3:10 unknown_key"),
  service("a URL", `{ endpoint: "https://a:1/x" }`, "3:20 wrong_value"),
  service("no port", `{ endpoint: localhost }`, "3:20 wrong_value"),
  service("a port out of range", `{ endpoint: "a:70000" }`, "3:20 wrong_value"),
  service("another protocol", `{ endpoint: "a:1", type: http }`, "3:33 wrong_value"),
  service(
    "two schemas",
    `{ endpoint: "a:1", proto: [a.proto], descriptor_set: b.binpb }`,
    "3:45 two_schemas",
  ),
  service(
    "a certificate without its key",
    `{ endpoint: "a:1", tls: { cert: a.pem } }`,
    "3:34 incomplete_tls",
  ),
  service("tls as text", `{ endpoint: "a:1", tls: "yes" }`, "3:32 wrong_value"),
  service(
    "metadata of Maestro's own",
    `{ endpoint: "a:1", metadata: { Idempotency-Key: x } }`,
    "3:39 bad_metadata",
  ),
  service(
    "metadata that HTTP/2 forbids",
    `{ endpoint: "a:1", metadata: { Transfer-Encoding: chunked } }`,
    "3:39 bad_metadata",
  ),
  service("a number as metadata", `{ endpoint: "a:1", metadata: { x-a: 5 } }`, "3:44 wrong_type"),
  ...SETTINGS,
  service("secrets and environment", `{ endpoint: "{{ .env.HOST }}:{{ .secrets.PORT }}" }`),
  service("input in an endpoint", `{ endpoint: "{{ .input.host }}:1" }`, "3:24 unseen_name"),
  service(
    "a step's name in metadata",
    `{ endpoint: "a:1", metadata: { a: "{{ .user.id }}" } }`,
    "3:46 unseen_name",
  ),
  // The forms of steps
  steps("text for a step", "  - hello", "5:5 wrong_value"),
  steps("no form", "  - id: a\n    when: '{{ true }}'", "5:5 no_form"),
  steps("a misspelt form", "  - paralell: []", "5:5 unknown_key"),
  steps("two forms", "  - set: { a: 1 }\n    return: 2", "6:5 two_forms"),
  steps("a service without a method", "  - service: pay", "5:5 missing_key"),
  steps("an unknown service", "  - { service: pya, method: Pay }", "5:16 unknown_service"),
  steps("a key of another form", `  ${CALL}, concurrency: 2 }`, "5:34 unknown_key"),
  steps("input that is text", `  ${CALL}, input: hello }`, "5:41 wrong_value"),
  steps("input that is one expression", `  ${CALL}, input: "{{ .input }}" }`),
  steps("a list as input", `  ${CALL}, input: [{ a: "{{ .input.a }}" }, "{{ .input.b }}"] }`),
  steps(
    "a wrong name in a list as input",
    `  ${CALL}, input: [{}, { a: "{{ .user.id }}" }] }`,
    "5:55 unknown_name",
  ),
  steps(
    "a list of what is no request",
    `  ${CALL}, input: [1, {}, a, [{}]] }`,
    "5:42 wrong_value",
    "5:49 wrong_value",
    "5:52 wrong_value",
  ),
  steps("messages without a number", `  ${CALL}, max_messages: many }`, "5:48 wrong_value"),
  steps("no message at all", `  ${CALL}, max_messages: 0 }`, "5:48 wrong_value"),
  steps("messages of a compensation", `  ${CALL}, compensate: { method: Undo, max_messages: 5 } }`),
  steps(
    "messages of a block",
    "  - { steps: [{ set: { a: 1 } }], max_messages: 5 }",
    "5:35 unknown_key",
  ),
  steps(
    "a step's own budget",
    `  ${CALL}, retry: { attempts: 5, budget: {} } }`,
    "5:56 unknown_key",
  ),
  steps(
    "a budget of a step that names no service of the file",
    "  - { method: Pay, retry: { budget: { max_tokens: 5 } } }",
    "5:5 missing_key",
    "5:29 unknown_key",
  ),
  top("a budget of the saga", "saga: { retry: { budget: { max_tokens: 5 } } }", "3:18 unknown_key"),
  top("retry of the saga as a number", "saga: { retry: 3 }", "3:16 wrong_type"),
  steps(
    "a default branch that is not the last",
    `  - switch:\n      - steps: [{ set: { a: 1 } }]\n      - when: "{{ true }}"\n        steps: [{ set: { b: 1 } }]`,
    "6:9 default_not_last",
  ),
  steps(
    "fail with a code that gRPC has not",
    "  - fail: { code: NOPE, message: x }",
    "5:19 wrong_value",
  ),
  ...[
    ["foreach", `foreach: "{{ .input.a }}", steps: [{ set: { a: "{{ .item }}" } }]`],
    ["repeat", `repeat: [{ set: { a: 1 } }], until: "{{ .a == 1 }}", max_rounds: 3`],
    ["wait", "wait: 5m"],
    ["await_signal", "await_signal: approval"],
    ["workflow", "workflow: ./child.yaml, input: { a: 1 }"],
  ].map(([key, text]) => steps(`the later form ${key}`, `  - { ${text} }`, "5:7 not_supported")),
  steps("a later form with a mistake", "  - { wait: 5 }", "5:7 not_supported", "5:13 wrong_value"),
  steps(
    "a repeat without an end",
    `  - { repeat: [{ set: { a: 1 } }], until: "{{ true }}" }`,
    "5:7 not_supported",
    "5:7 endless",
  ),
  steps("catch", `  ${CALL}, catch: [{ codes: [NOT_FOUND] }] }`, "5:34 not_supported"),
  steps("verify", `  ${CALL}, verify: { method: Find } }`, "5:34 not_supported"),
  steps("pivot", `  ${CALL}, pivot: true }`, "5:34 not_supported"),
  steps("no pivot", `  ${CALL}, pivot: false }`),
  // Names
  steps("an id with capitals", "  - { id: myStep, set: { a: 1 } }", "5:11 wrong_value"),
  steps("a reserved id", "  - { id: input, set: { a: 1 } }", "5:11 reserved_name"),
  steps("one of CEL's words", "  - { id: loop, set: { a: 1 } }", "5:11 reserved_name"),
  steps("a name of 65 letters", `  - { id: ${"a".repeat(65)}, set: { a: 1 } }`, "5:11 wrong_value"),
  steps(
    "the same id twice",
    "  - { id: a, set: { b: 1 } }\n  - steps: [{ id: a, set: { c: 1 } }]",
    "6:19 duplicate_id",
  ),
  steps(
    "the same name twice",
    "  - { id: a, set: { b: 1 } }\n  - { set: { a: 1 } }",
    "6:14 duplicate_name",
  ),
  steps(
    "the same name in two branches",
    "  - parallel:\n      - set: { b: 1 }\n      - steps: [{ set: { b: 1 } }]",
    "7:26 duplicate_name",
  ),
  steps(
    "the same name in an inner scope",
    `  - { id: a, set: { b: 1 } }\n  - steps: [{ set: { b: "{{ .a }}" } }]`,
  ),
];

for (const [what, text, expected] of CASES) {
  Deno.test(`parseWorkflow() finds ${what}`, () => {
    deepEqual(places(text).filter((found) => !/unused_|no_comp/.test(found)), expected);
  });
}

Deno.test("parseWorkflow() words every problem so that it can be mended", async (t) => {
  const messages = CASES.map(([what, text]) => `# ${what}\n${shown(text)}`);
  await t.assertSnapshot(messages.join("\n\n"));
});

Deno.test("parseWorkflow() finds ten mistakes in a file that has ten, in file order", async (t) => {
  const text = `name: Ten
version: 2
timeout: 30
services:
  pay:
    endpoint: "http://pay:1"
    retyr: { attempts: 3 }
steps:
  - id: charge
    service: pya
    method: Charge
    input: { amount: {{ .input.amount }}, order: "{{ .ordr.id }}" }
  - id: charge
    set: { total: 9007199254740993 }
`;
  equal(places(text).length, 10);
  await t.assertSnapshot(shown(text));
});
