import { deepEqual } from "node:assert/strict";
import { places, shown, withSteps } from "../support/parsing.ts";

const PAY = "service: pay, method: Pay";
const UNDO = "compensate: { method: Undo }";

/** Steps begin at line 5. */
const CASES: readonly (readonly [what: string, steps: string, expected: readonly string[]])[] = [
  ["a service that no step calls", "  - return: 1", ["3:3 unused_service"]],
  [
    "a service that only a compensation calls",
    `  - { ${PAY}, compensate: { service: pay, method: Undo } }`,
    [],
  ],
  ["an output that nothing reads", `  - { ${PAY}, output: paid }\n  - { ${PAY} }`, [
    "5:42 unused_output",
  ]],
  ["an id that nothing reads", `  - { id: paid, ${PAY} }\n  - { ${PAY} }`, []],
  [
    "an output that a later step reads",
    `  - { ${PAY}, output: paid }\n  - { ${PAY}, input: { a: "{{ .paid }}" } }`,
    [],
  ],
  [
    "an output read as .steps",
    `  - { id: p, ${PAY}, output: paid }\n  - { ${PAY}, input: { a: "{{ .steps.p.output }}" } }`,
    [],
  ],
  ["the last output, which the run returns", `  - { ${PAY}, output: paid }`, []],
  ["a name that is set and not read", `  - set: { a: 1 }\n  - { ${PAY} }`, ["5:12 unused_output"]],
  [
    "names of a set read as a map",
    `  - { id: s, set: { a: 1 } }\n  - { ${PAY}, input: { a: "{{ .s }}" } }`,
    [],
  ],
  [
    "outputs that a block's result is made of",
    `  - { id: b, steps: [{ set: { a: 1 } }] }\n  - { ${PAY}, input: { a: "{{ .b }}" } }`,
    [],
  ],
  [
    "a step without compensation before one that has it",
    `  - { ${PAY} }\n  - { ${PAY}, ${UNDO} }`,
    ["5:5 no_compensation"],
  ],
  ["a step without compensation after", `  - { ${PAY}, ${UNDO} }\n  - { ${PAY} }`, []],
  [
    "a step that only reads",
    `  - { service: pay, method: acme.v1.Pay/GetPayment }\n  - { ${PAY}, ${UNDO} }`,
    [],
  ],
  [
    "steps of different branches",
    `  - switch:\n      - { when: "{{ .input.a }}", steps: [{ ${PAY} }] }\n      - { steps: [{ ${PAY}, ${UNDO} }] }`,
    [],
  ],
  ["a timeout that the delays outlast", `  - { ${PAY}, timeout: 1s, retry: { attempts: 5 } }`, [
    "5:43 timeout_too_short",
  ]],
  [
    "a timeout of the block around",
    `  - { timeout: 1s, steps: [{ ${PAY}, retry: { attempts: 5 } }] }`,
    ["5:28 timeout_too_short"],
  ],
  ["a timeout that may be enough", `  - { ${PAY}, timeout: 4s, retry: { attempts: 5 } }`, []],
  ["a timeout without retries", `  - { ${PAY}, timeout: 1ms }`, []],
  [
    "a timeout that cuts the first attempt short, which is what it is for",
    `  - { ${PAY}, timeout: 5s, attempt_timeout: 30s, retry: { attempts: 5 } }`,
    [],
  ],
  [
    "attempts that together may take longer than the timeout, and need not",
    `  - { ${PAY}, timeout: 10s, attempt_timeout: 9s, retry: { attempts: 5 } }`,
    [],
  ],
  ["codes that are retried anyway", `  - { ${PAY}, retry: { codes: [ABORTED, UNAVAILABLE] } }`, [
    "5:60 needless_code",
  ]],
  [
    "codes of a step that is not idempotent, which only say something there",
    `  - { ${PAY}, idempotent: false, retry: { codes: [UNAVAILABLE] } }`,
    [],
  ],
  ["millions of attempts", `  - { ${PAY}, timeout: 1s, retry: { attempts: 999999999 } }`, [
    "5:43 timeout_too_short",
  ]],
];

for (const [what, steps, expected] of CASES) {
  Deno.test(`lintWorkflow() looks at ${what}`, () => {
    deepEqual(places(withSteps(steps)), expected);
  });
}

const CALLS = `steps: [{ ${PAY} }]\n`;

/** Workflows whose services, or the defaults, say what may hurt. */
const SERVICES: readonly (readonly [what: string, text: string, expected: readonly string[]])[] = [
  [
    "codes of a service that are retried anyway",
    `services: { pay: { endpoint: "a:1", retry: { codes: [DEADLINE_EXCEEDED, ABORTED] } } }\n`,
    ["2:54 needless_code"],
  ],
  [
    "codes of the defaults that are retried anyway",
    `services: { pay: { endpoint: "a:1" } }\ndefaults: { retry: { codes: [UNAVAILABLE] } }\n`,
    ["3:30 needless_code"],
  ],
  [
    "health beside round_robin",
    `services:\n  pay: { endpoint: "dns:///pay:1", load_balancing: round_robin, health: true }\n`,
    ["3:65 health_off"],
  ],
  [
    "health of the defaults beside round_robin",
    `defaults: { health: true }\nservices:\n  pay: { endpoint: "a:1", load_balancing: round_robin }\n`,
    ["2:13 health_off"],
  ],
  [
    "a breaker whose window is too small for it to open",
    `services: { pay: { endpoint: "a:1", circuit_breaker: { window: 5 } } }\n`,
    ["2:37 never_opens"],
  ],
  [
    "a breaker whose window is just large enough",
    `services: { pay: { endpoint: "a:1", circuit_breaker: { window: 5, min_calls: 5 } } }\n`,
    [],
  ],
  ["health alone", `services: { pay: { endpoint: "a:1", health: true } }\n`, []],
  [
    "round_robin alone",
    `services: { pay: { endpoint: "a:1", load_balancing: round_robin } }\n`,
    [],
  ],
];

for (const [what, text, expected] of SERVICES) {
  Deno.test(`checkServices() looks at ${what}`, () => {
    deepEqual(places(`name: test\n${text}${CALLS}`), expected);
  });
}

Deno.test("checkServices() tells of a setting in an included file at the service", () => {
  const included = { "all.yaml": `services: { pay: { endpoint: "a:1", health: true } }\n` };
  const file = (breaker: string) =>
    `name: test\ninclude: all.yaml\nservices: { pay: { ${breaker} } }\n${CALLS}`;
  deepEqual(places(file("load_balancing: round_robin"), included), ["3:13 health_off"]);
  deepEqual(places(file("circuit_breaker: false"), included), ["3:20 health_without_breaker"]);
});

Deno.test("parseWorkflow() says what may hurt", async (t) => {
  await t.assertSnapshot(
    [
      ...CASES.map(([what, steps]) => `# ${what}\n${shown(withSteps(steps))}`),
      ...SERVICES.map(([what, text]) => `# ${what}\n${shown(`name: test\n${text}${CALLS}`)}`),
    ].join("\n\n"),
  );
});
