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
  ...[
    'cron: "0 3 * * *"',
    'cron: "0 0 29 2 *"',
    'cron: "*/10 * * * * *"',
    'cron: "0 9 * JAN MON-FRI"',
    'cron: "@daily"',
    'cron: "0 3 * * *", timezone: Europe/Berlin, input: { a: [1] }, overlap: allow',
  ].map((keys) => top(`a schedule: ${keys}`, `schedule: { ${keys} }`)),
  ...[
    'cron: "0 3 * *"',
    'cron: "61 3 * * *"',
    'cron: "0 0 0 1 1 * 2030"',
    'cron: "daily"',
    'cron: "@reboot"',
    'cron: "2030-01-01T00:00:00"',
    'cron: ""',
    "cron: 5",
    "cron: [1]",
  ].map((keys) => top(`a schedule: ${keys}`, `schedule: { ${keys} }`, "3:19 wrong_value")),
  top("a day that never comes", 'schedule: { cron: "0 0 30 2 *" }', "3:19 never_due"),
  top("a schedule without a time", "schedule: { overlap: skip }", "3:1 missing_key"),
  top(
    "a schedule with a mistake",
    "schedule: { corn: daily }",
    "3:13 unknown_key",
  ),
  top(
    "a schedule's other keys",
    'schedule: { cron: "@hourly", timezone: Mars/Base, overlap: wait, input: { a: ["{{ .run.id }}"] } }',
    "3:40 wrong_value",
    "3:60 wrong_value",
    "3:79 no_expression",
  ),
  top(
    "an offset for a time zone",
    'schedule: { cron: "@hourly", timezone: "+02:00" }',
    "3:40 wrong_value",
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
  // Rounds, waits, signals, children
  steps(
    "foreach over text",
    "  - { foreach: items, steps: [{ set: { a: 1 } }] }",
    "5:16 wrong_value",
  ),
  steps(
    "foreach over a map",
    "  - { foreach: { a: 1 }, steps: [{ set: { a: 1 } }] }",
    "5:16 wrong_value",
  ),
  steps(
    "foreach over text with an expression in it",
    `  - { foreach: "a {{ .input.x }}", steps: [{ set: { a: 1 } }] }`,
    "5:16 wrong_value",
  ),
  steps(
    "foreach over expressions that make text",
    `  - { foreach: "{{ .input.x }}{{ .input.y }}", steps: [{ set: { a: 1 } }] }`,
    "5:19 no_list",
  ),
  steps(
    "foreach over an expression with a space beside it",
    `  - { foreach: " {{ .input.x }}", steps: [{ set: { a: 1 } }] }`,
    "5:20 no_list",
  ),
  steps(
    "foreach over a constant that is no list",
    `  - { foreach: "{{ 5 }}", steps: [{ set: { a: 1 } }] }`,
    "5:19 no_list",
  ),
  steps(
    "foreach over a secret",
    `  - { foreach: "{{ .secrets.LIST }}", steps: [{ set: { a: 1 } }] }`,
    "5:20 secret_misplaced",
  ),
  steps(
    "loops whose rounds would be called like a catch's steps",
    `  - { id: catch, foreach: [1], steps: [{ set: { a: 1 } }] }\n  - { steps: [{ id: parallel, foreach: [1], steps: [{ set: { a: 1 } }] }, { id: switch, set: { b: 1 } }] }`,
    "6:21 reserved_name",
  ),
  steps("foreach without steps", "  - { foreach: [1] }", "5:5 missing_key"),
  steps(
    "foreach over a list",
    `  - { foreach: [1, "{{ .input.x }}"], steps: [{ set: { a: "{{ .item }}" } }] }`,
  ),
  steps(
    "foreach with no round at a time",
    "  - { foreach: [1], concurrency: 0, steps: [{ set: { a: 1 } }] }",
    "5:34 wrong_value",
  ),
  steps(
    "foreach with a key of repeat",
    `  - { foreach: [1], until: "{{ true }}", steps: [{ set: { a: 1 } }] }`,
    "5:21 unknown_key",
  ),
  steps(
    "repeat with steps of its own",
    `  - { repeat: 3, steps: [{ set: { a: 1 } }] }`,
    "5:18 two_forms",
  ),
  steps(
    "repeat a number of times",
    `  - { repeat: 3, until: "{{ true }}", max_rounds: 3 }`,
    "5:15 wrong_type",
  ),
  steps(
    "repeat without until",
    "  - { repeat: [{ set: { a: 1 } }], max_rounds: 3 }",
    "5:5 missing_key",
  ),
  steps(
    "until in words",
    "  - { repeat: [{ set: { a: 1 } }], until: done, max_rounds: 3 }",
    "5:43 wrong_value",
  ),
  steps(
    "a repeat without an end",
    `  - { repeat: [{ set: { a: 1 } }], until: "{{ true }}" }`,
    "5:7 endless",
  ),
  steps(
    "a repeat that its timeout ends",
    `  - { repeat: [{ set: { a: 1 } }], until: "{{ true }}", timeout: 1s }`,
  ),
  steps("wait as a number", "  - { wait: 5 }", "5:13 wrong_value"),
  steps("wait as a list", "  - { wait: [5m] }", "5:13 wrong_value"),
  steps("wait for nothing", "  - { wait: {} }", "5:7 missing_key"),
  steps("wait for an expression", `  - { wait: "{{ .input.pause }}" }`, "5:13 wrong_value"),
  steps("wait until a day", `  - { wait: { until: "2030-01-31" } }`, "5:22 wrong_value"),
  steps("wait until no day", `  - { wait: { until: "2030-13-31T08:00:00Z" } }`, "5:22 wrong_value"),
  steps("wait until a time", `  - { wait: { until: "2030-01-31T08:00:00.5+01:00" } }`),
  steps("wait until what an expression gives", `  - { wait: { until: "{{ .input.at }}" } }`),
  steps("a signal without a name", "  - { await_signal: }", "5:7 empty_value"),
  steps(
    "a signal whose name is an expression",
    `  - { await_signal: "{{ .input.x }}" }`,
    "5:21 wrong_value",
  ),
  steps("a signal with a timeout", "  - { await_signal: approval, timeout: 24h }"),
  steps("a workflow whose file is a list", "  - { workflow: [a.yaml] }", "5:17 wrong_value"),
  steps("a workflow that is not there", "  - { workflow: gone.yaml }", "5:17 unreadable_file"),
  steps(
    "a workflow whose file is an expression",
    `  - { workflow: "{{ .input.x }}" }`,
    "5:17 unreadable_file",
  ),
  steps(
    "a workflow's compensation that names no service",
    "  - { workflow: gone.yaml, compensate: { method: Undo } }",
    "5:17 unreadable_file",
    "5:28 missing_key",
  ),
  steps(
    "what stands beside a workflow that is not there",
    `  - { id: c, workflow: gone.yaml, input: { a: "{{ .nowhere }}" }, compensate: { service: pya, method: Undo, input: { b: "{{ .c.x }} {{ .d }}" } } }`,
    "5:24 unreadable_file",
    "5:51 unknown_name",
    "5:90 unknown_service",
    "5:136 unknown_name",
  ),
  // Failures
  steps("a catch that is no list", `  ${CALL}, catch: { codes: [NOT_FOUND] } }`, "5:41 wrong_type"),
  steps("an empty catch", `  ${CALL}, catch: [] }`, "5:41 empty_list"),
  steps("a catch of a code", `  ${CALL}, catch: [NOT_FOUND] }`, "5:42 wrong_type"),
  steps(
    "a catch of an unknown code",
    `  ${CALL}, catch: [{ codes: [NOTFOUND] }] }`,
    "5:52 wrong_value",
  ),
  steps(
    "a catch of one code without its list",
    `  ${CALL}, catch: [{ codes: NOT_FOUND }] }`,
    "5:51 wrong_type",
  ),
  steps("a catch of no code", `  ${CALL}, catch: [{ codes: [] }] }`, "5:51 empty_list"),
  steps("a catch that fails when", `  ${CALL}, catch: [{ when: true }] }`, "5:50 wrong_value"),
  steps(
    "a catch with a key of a step",
    `  ${CALL}, catch: [{ service: pay, method: Other }] }`,
    "5:44 unknown_key",
    "5:58 unknown_key",
  ),
  steps("a catch of everything", `  ${CALL}, catch: [{}] }`),
  ...[
    `foreach: [1], steps: [{ set: { a: 1 } }]`,
    `repeat: [{ set: { a: 1 } }], until: "{{ true }}", max_rounds: 3`,
    "steps: [{ set: { a: 1 } }]",
    "parallel: [{ set: { a: 1 } }]",
    "switch: [{ steps: [{ set: { a: 1 } }] }]",
    "wait: 5m",
    "await_signal: approval",
    "set: { a: 1 }",
    "fail: { code: ABORTED, message: x }",
    "return: 1",
  ].map((text) =>
    steps(
      `catch and timeout on ${text}`,
      `  - { timeout: 1h, catch: [{ codes: [EXPRESSION_ERROR] }], ${text} }`,
    )
  ),
  steps("a verify without a method", `  ${CALL}, verify: { input: {} } }`, "5:34 missing_key"),
  steps(
    "a verify by steps",
    `  ${CALL}, verify: { steps: [] } }`,
    "5:34 missing_key",
    "5:44 unknown_key",
  ),
  steps(
    "a verify of an unknown service",
    `  ${CALL}, verify: { service: pya, method: Find } }`,
    "5:53 unknown_service",
  ),
  steps(
    "a verify of a block",
    "  - { steps: [{ set: { a: 1 } }], verify: { method: Find } }",
    "5:35 unknown_key",
  ),
  steps("a pivot in words", `  ${CALL}, pivot: yes }`, "5:41 wrong_value"),
  steps(
    "a pivot of a block",
    "  - { steps: [{ set: { a: 1 } }], pivot: true }",
    "5:35 unknown_key",
  ),
  steps("pivot", `  ${CALL}, pivot: true }`),
  ...[
    "parallel: [STEP]",
    "foreach: [1], steps: [STEP]",
    `repeat: [STEP], until: "{{ true }}", max_rounds: 3`,
  ].map(
    (text) =>
      steps(
        `a pivot inside ${text}`,
        `  - { ${
          text.replace("STEP", "{ steps: [{ service: pay, method: Pay, pivot: true }] }")
        } }`,
        `5:${text.startsWith("foreach") ? 68 : text.startsWith("repeat") ? 55 : 57} pivot_inside`,
      ),
  ),
  steps(
    "a pivot in the catch of a foreach",
    `  - { foreach: [1], steps: [{ set: { a: 1 } }], catch: [{ steps: [{ service: pay, method: Pay, pivot: true }] }] }`,
  ),
  steps(
    "a fail after a pivot",
    `  ${CALL}, pivot: true }\n  - { fail: { code: ABORTED, message: x } }`,
    "6:7 fail_after_pivot",
  ),
  steps(
    "a fail after a pivot, deep inside and in a branch",
    `  - steps: [{ id: paid, service: pay, method: Pay, pivot: true }]\n  - switch: [{ when: "{{ .input.x }}", steps: [{ foreach: [1], steps: [{ fail: { code: ABORTED, message: x } }] }] }]`,
    "6:74 fail_after_pivot",
  ),
  steps(
    "a fail before a pivot, and in another branch",
    `  - switch:\n      - { when: "{{ .input.x }}", steps: [{ fail: { code: ABORTED, message: x } }] }\n      - { steps: [{ service: pay, method: Pay, pivot: true }] }`,
  ),
  steps(
    "a fail after a switch with a pivot",
    `  - switch: [{ steps: [{ service: pay, method: Pay, pivot: true }] }]\n  - { when: "{{ .input.x }}", fail: { code: ABORTED, message: x } }`,
    "6:31 fail_after_pivot",
  ),
  steps(
    "a fail after a pivot that is caught",
    `  ${CALL}, pivot: true }\n  - { steps: [{ fail: { code: ABORTED, message: x } }], catch: [{ codes: [ABORTED] }] }`,
  ),
  steps(
    "a fail after a pivot that is caught in part",
    `  ${CALL}, pivot: true }\n  - { steps: [{ fail: { code: ABORTED, message: x } }], catch: [{ codes: [INTERNAL] }, { reason: X }, { codes: [ABORTED], when: "{{ .error.message == 'x' }}" }] }\n  - { steps: [{ fail: { code: ABORTED, message: x } }], catch: [{ codes: [INTERNAL] }, { reason: X }] }`,
    "7:17 fail_after_pivot",
  ),
  steps(
    "a fail after a pivot whose catch has a mistake",
    `  ${CALL}, pivot: true }\n  - { steps: [{ fail: { code: ABORTED, message: x } }], catch: [{ codse: [ABORTED] }] }`,
    "6:67 unknown_key",
  ),
  steps(
    "a fail that tells of a pivot that was refused",
    `  ${CALL}, pivot: true, catch: [{ codes: [FAILED_PRECONDITION], steps: [{ fail: { code: ABORTED, message: x } }] }] }`,
  ),
  steps(
    "a fail in the catch of a block with a pivot and more after it",
    `  - { steps: [{ service: pay, method: Pay, pivot: true }, { service: pay, method: Pay }], catch: [{ steps: [{ fail: { code: ABORTED, message: x } }] }] }`,
    "5:111 fail_after_pivot",
  ),
  steps(
    "a fail in the catch of a block that ends with a pivot",
    `  - { steps: [{ service: pay, method: Pay }, { service: pay, method: Pay, pivot: true }], catch: [{ steps: [{ fail: { code: ABORTED, message: x } }] }] }`,
  ),
  steps(
    "a fail in a compensation after a pivot",
    `  ${CALL}, pivot: true }\n  ${CALL}, compensate: { steps: [{ fail: { code: ABORTED, message: x } }] } }`,
  ),
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
    deepEqual(places(text).filter((found) => !/unused_|no_comp|never_fits/.test(found)), expected);
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
