import { deepEqual } from "node:assert/strict";
import { parse, places, shown, withSteps } from "../support/parsing.ts";

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
  // Names
  [
    "an output that only the round before's reader reads",
    `  - { repeat: [{ ${PAY}, output: page, input: { a: "{{ default(.page.next, '') }}" } }], until: "{{ true }}", max_rounds: 2 }\n  - { ${PAY} }`,
    [],
  ],
  [
    "an output that only until reads",
    `  - { repeat: [{ ${PAY}, output: page }], until: "{{ .page.last }}", max_rounds: 2 }\n  - { ${PAY} }`,
    [],
  ],
  [
    "an output that a round's result reads",
    `  - { foreach: [1], steps: [{ ${PAY}, output: label }, { ${PAY} }], result: "{{ .label }}" }`,
    [],
  ],
  [
    "an output that is a round's result, and so the run's",
    `  - { foreach: [1], steps: [{ ${PAY}, output: label }] }`,
    [],
  ],
  [
    "an output that a round's result takes the place of",
    `  - { foreach: [1], steps: [{ ${PAY}, output: label }], result: 1 }`,
    ["5:66 unused_output"],
  ],
  [
    "an output of a round whose results nothing reads",
    `  - { foreach: [1], steps: [{ ${PAY}, output: label }] }\n  - { ${PAY} }`,
    ["5:66 unused_output"],
  ],
  [
    "an output of rounds that nothing reads",
    `  - { foreach: [1], steps: [{ ${PAY} }], output: labels }\n  - { ${PAY} }`,
    ["5:69 unused_output"],
  ],
  ["an item that nothing reads", `  - { foreach: [1], as: x, steps: [{ ${PAY} }] }`, []],
  [
    "an output that a catch gives instead",
    `  - { id: p, ${PAY}, catch: [{ steps: [{ ${PAY}, output: other }] }] }\n  - { ${PAY}, input: { a: "{{ .p }}" } }`,
    [],
  ],
  [
    "an output of a catch that its result takes the place of",
    `  - { id: p, ${PAY}, catch: [{ steps: [{ ${PAY}, output: other }], result: 1 }] }\n  - { ${PAY}, input: { a: "{{ .p }}" } }`,
    ["5:96 unused_output"],
  ],
  [
    "an output of a catch that its result reads",
    `  - { ${PAY}, catch: [{ steps: [{ ${PAY}, output: other }], result: "{{ .other }}" }] }\n  - { ${PAY} }`,
    [],
  ],
  [
    "an output that only the caught error's handler names",
    `  - { ${PAY}, output: paid }\n  - { ${PAY}, catch: [{ when: "{{ .paid.ok }}", steps: [{ ${PAY} }] }] }`,
    [],
  ],
  [
    "a service that only a verify calls",
    `  - { ${PAY}, verify: { service: pay, method: Find } }`,
    [],
  ],
  ["a service that only a catch calls", `  - { return: 1, catch: [{ steps: [{ ${PAY} }] }] }`, []],
  ["a payload that nothing reads", `  - { await_signal: go, output: payload }\n  - { ${PAY} }`, [
    "5:33 unused_output",
  ]],
  // Compensations
  [
    "what undoes a step by the step's own output",
    `  - { id: p, ${PAY}, compensate: { method: Undo, input: { id: "{{ .p.id }}" } } }`,
    ["5:86 unverified_compensation"],
  ],
  [
    "what undoes a step by its .steps",
    `  - { id: p, ${PAY}, compensate: { method: Undo, input: { id: "{{ .steps.p.output.id }}" } } }`,
    ["5:86 unverified_compensation"],
  ],
  [
    "metadata of what undoes a step",
    `  - { id: p, ${PAY}, compensate: { method: Undo, metadata: { id: "{{ .p.id }}" } } }`,
    ["5:89 unverified_compensation"],
  ],
  [
    "steps that undo a step, told of once",
    `  - { id: p, ${PAY}, compensate: { steps: [{ set: { a: "{{ .p.id }}" } }, { ${PAY}, input: { a: "{{ .a }}", b: "{{ .p.id }}" } }] } }`,
    ["5:79 unverified_compensation"],
  ],
  [
    "what undoes a verified step by its output",
    `  - { id: p, ${PAY}, verify: { method: Find }, compensate: { method: Undo, input: { id: "{{ .p.id }}" } } }`,
    [],
  ],
  [
    "what undoes a step by its output if there is one",
    `  - { id: p, ${PAY}, compensate: { method: Undo, input: { id: "{{ default(.p.id, '') }}", b: "{{ has(.p.x) ? 'y' : 'n' }}" } } }`,
    [],
  ],
  [
    "what undoes a step by its status",
    `  - { id: p, ${PAY}, compensate: { method: Undo, input: { id: "{{ .steps.p.status }}" } } }`,
    [],
  ],
  [
    "what undoes a step by what it was sent",
    `  - { id: p, ${PAY}, compensate: { method: Undo, input: { id: "{{ .run.id }}" } } }`,
    [],
  ],
  [
    "what undoes a step in a round by its output",
    `  - { foreach: [1], steps: [{ id: p, ${PAY}, compensate: { method: Undo, input: { id: "{{ .p.id }}" } } }] }`,
    ["5:110 unverified_compensation"],
  ],
  [
    "a step without compensation in a round with one that has it before",
    `  - { foreach: [1], steps: [{ ${PAY}, ${UNDO} }, { ${PAY} }] }`,
    ["5:90 no_compensation"],
  ],
  [
    "a step without compensation before a pivot",
    `  - { ${PAY} }\n  - { ${PAY}, pivot: true }\n  - { ${PAY}, ${UNDO} }`,
    [],
  ],
  ["a pivot without compensation", `  - { ${PAY}, pivot: true }\n  - { ${PAY}, ${UNDO} }`, []],
  [
    "a call in a catch before one that is undone",
    `  - { ${PAY}, ${UNDO}, catch: [{ codes: [ABORTED], steps: [{ ${PAY} }] }, { steps: [{ ${PAY}, ${UNDO} }] }] }\n  - { ${PAY}, ${UNDO} }`,
    ["5:100 no_compensation"],
  ],
  [
    "a call that its catch does instead",
    `  - { ${PAY}, catch: [{ steps: [{ ${PAY}, ${UNDO} }] }] }`,
    [],
  ],
  // Timeouts
  [
    "a timeout of rounds that the delays outlast",
    `  - { foreach: [1], timeout: 1s, steps: [{ ${PAY}, retry: { attempts: 5 } }] }`,
    ["5:42 timeout_too_short"],
  ],
  [
    "a timeout that is over in the first pause",
    `  - { repeat: [{ ${PAY} }], until: "{{ true }}", every: 10s, timeout: 10s }`,
    ["5:90 timeout_too_short"],
  ],
  [
    "a timeout that leaves time for a second round",
    `  - { repeat: [{ ${PAY} }], until: "{{ true }}", every: 9s, timeout: 10s }`,
    [],
  ],
  [
    "a timeout of one round alone",
    `  - { repeat: [{ ${PAY} }], until: "{{ true }}", every: 10s, max_rounds: 1, timeout: 10s }`,
    [],
  ],
  ["a timeout that a wait outlasts", `  - { timeout: 1m, steps: [{ ${PAY} }, { wait: 5m }] }`, [
    "5:59 timeout_too_short",
  ]],
  ["a wait's own timeout", `  - { wait: 5m, timeout: 5m }\n  - { ${PAY} }`, [
    "5:26 timeout_too_short",
  ]],
  [
    "what a catch does once its step is out of time",
    `  - { ${PAY}, timeout: 1s, catch: [{ codes: [STEP_TIMEOUT], steps: [{ ${PAY}, retry: { attempts: 5 } }] }] }`,
    [],
  ],
  [
    "what a catch does in a block that is out of time",
    `  - { timeout: 1s, steps: [{ ${PAY}, catch: [{ steps: [{ ${PAY}, retry: { attempts: 5 } }] }] }] }`,
    ["5:75 timeout_too_short"],
  ],
  // Catches
  [
    "a catch after one that takes everything",
    `  - { ${PAY}, catch: [{ undo: true }, { codes: [ABORTED] }, {}] }`,
    ["5:58 catch_never_fits", "5:80 catch_never_fits"],
  ],
  [
    "a catch that is within an earlier one",
    `  - { ${PAY}, catch: [{ codes: [ABORTED, NOT_FOUND] }, { codes: [NOT_FOUND], reason: X }] }`,
    ["5:75 catch_never_fits"],
  ],
  [
    "a catch that is in part within an earlier one",
    `  - { ${PAY}, catch: [{ codes: [ABORTED, NOT_FOUND] }, { codes: [NOT_FOUND, INTERNAL] }] }`,
    ["5:85 catch_never_fits"],
  ],
  [
    "a catch whose codes earlier ones take together",
    `  - { ${PAY}, catch: [{ codes: [ABORTED] }, { codes: [INTERNAL] }, { codes: [INTERNAL, ABORTED] }] }`,
    ["5:97 catch_never_fits", "5:107 catch_never_fits"],
  ],
  [
    "catches that a condition or a reason tells apart",
    `  - { ${PAY}, catch: [{ when: "{{ .error.attempts > 1 }}" }, { reason: X }, { reason: Y, codes: [ABORTED] }, { codes: [ABORTED] }, {}] }`,
    [],
  ],
  [
    "the same reason twice",
    `  - { ${PAY}, catch: [{ reason: X }, { reason: X, codes: [ABORTED] }] }`,
    ["5:57 catch_never_fits"],
  ],
  ["a timeout that a call has not", `  - { ${PAY}, catch: [{ codes: [STEP_TIMEOUT] }] }`, [
    "5:52 catch_never_fits",
  ]],
  [
    "a timeout that a call has",
    `  - { ${PAY}, timeout: 1s, catch: [{ codes: [STEP_TIMEOUT, DEADLINE_EXCEEDED] }] }`,
    [],
  ],
  [
    "codes of other forms on a call",
    `  - { ${PAY}, catch: [{ codes: [REPEAT_EXHAUSTED, CHILD_FAILED, RETRY_BUDGET_EXHAUSTED, CIRCUIT_OPEN, INVALID_REQUEST, EXPRESSION_ERROR] }] }`,
    ["5:52 catch_never_fits", "5:70 catch_never_fits", "5:84 catch_never_fits"],
  ],
  [
    "codes of the run's own end",
    `  - { ${PAY}, catch: [{ codes: [RUN_CANCELLED, RUN_TIMEOUT] }] }`,
    ["5:52 catch_never_fits", "5:67 catch_never_fits"],
  ],
  [
    "codes of gRPC on what calls nothing",
    `  - { ${PAY} }\n  - { wait: 1s, catch: [{ codes: [ABORTED, INVALID_REQUEST] }] }`,
    ["6:35 catch_never_fits", "6:44 catch_never_fits"],
  ],
  [
    "a reason on what calls nothing",
    `  - { ${PAY} }\n  - { set: { a: 1 }, catch: [{ reason: X }] }`,
    ["6:30 catch_never_fits"],
  ],
  [
    "codes of what a block does",
    `  - { steps: [{ ${PAY}, timeout: 1s }, { fail: { code: ABORTED, message: x } }], catch: [{ codes: [STEP_TIMEOUT, CIRCUIT_OPEN, ABORTED, INTERNAL] }] }`,
    [],
  ],
  [
    "codes that a block's own catch has taken",
    `  - { steps: [{ fail: { code: ABORTED, message: x }, catch: [{ codes: [ABORTED] }] }, { ${PAY}, catch: [{}] }], catch: [{ codes: [ABORTED] }] }`,
    ["5:150 catch_never_fits"],
  ],
  [
    "codes that the catch within fails with",
    `  - { steps: [{ ${PAY}, catch: [{ steps: [{ fail: { code: ABORTED, message: x } }] }] }], catch: [{ codes: [ABORTED] }] }`,
    [],
  ],
  [
    "codes that a catch within takes on a condition",
    `  - { steps: [{ ${PAY}, catch: [{ when: "{{ .error.code == 'ABORTED' }}" }] }], catch: [{ codes: [ABORTED] }] }`,
    [],
  ],
  [
    "a repeat that may be exhausted",
    `  - { repeat: [{ ${PAY} }], until: "{{ true }}", max_rounds: 3, catch: [{ codes: [REPEAT_EXHAUSTED] }] }`,
    [],
  ],
  [
    "a repeat that only its timeout ends",
    `  - { repeat: [{ ${PAY} }], until: "{{ true }}", timeout: 3s, catch: [{ codes: [REPEAT_EXHAUSTED, STEP_TIMEOUT] }] }`,
    ["5:100 catch_never_fits"],
  ],
];

for (const [what, steps, expected] of CASES) {
  Deno.test(`lintWorkflow() looks at ${what}`, () => {
    deepEqual(places(withSteps(steps)), expected);
  });
}

for (
  const [what, steps, expected] of [
    ["a code that is none", `  - { ${PAY}, catch: [{ codes: [NOPE] }, { codes: [ABORTED] }] }`, [
      "5:52 wrong_value",
    ]],
    ["a key of an entry", `  - { ${PAY}, catch: [{ code: [ABORTED] }, { codes: [ABORTED] }] }`, [
      "5:44 unknown_key",
    ]],
    [
      "the timeout that an entry is for",
      `  - { ${PAY}, timeout: 5, catch: [{ codes: [STEP_TIMEOUT] }] }`,
      ["5:43 wrong_value"],
    ],
    ["the compensation", `  - { ${PAY}, compensat: { method: Undo } }\n  - { ${PAY}, ${UNDO} }`, [
      "5:34 unknown_key",
    ]],
    [
      "the verify",
      `  - { id: a, ${PAY}, verfy: { method: Find }, compensate: { method: Undo, input: { a: "{{ .a.b }}" } } }`,
      ["5:41 unknown_key"],
    ],
    ["the retry", `  - { ${PAY}, timeout: 1s, retry: { attempts: 9, jitter: 7 } }`, [
      "5:77 wrong_value",
    ]],
    ["a step inside", `  - { steps: [{ ${PAY}, fial: 1 }], catch: [{ codes: [STEP_TIMEOUT] }] }`, [
      "5:44 unknown_key",
    ]],
    [
      "the `when` of what ends the list",
      `  - { whn: "{{ .input.x }}", return: 1 }\n  - { ${PAY} }`,
      ["5:7 unknown_key"],
    ],
    [
      "another step",
      `  - { ${PAY}, fial: 1 }\n  - { ${PAY}, catch: [{ codes: [STEP_TIMEOUT] }] }`,
      ["5:34 unknown_key", "6:52 catch_never_fits"],
    ],
  ] as const
) {
  Deno.test(`lintWorkflow() says nothing of a step on account of a mistake in ${what}`, () => {
    deepEqual(places(withSteps(steps)), expected);
  });
}

Deno.test("lintWorkflow() tells of each of two steps with one id where it stands", () => {
  const step = (timeout: string) =>
    `{ id: a, ${PAY}, catch: [{ codes: [STEP_TIMEOUT] }]${timeout} }`;
  deepEqual(places(withSteps(`  - ${step("")}\n  - ${step(", timeout: 1s")}\n  - ${step("")}`)), [
    "5:59 catch_never_fits",
    "6:11 duplicate_id",
    "7:11 duplicate_id",
    "7:59 catch_never_fits",
  ]);
});

const CALLS = `steps: [{ ${PAY} }]\n`;

Deno.test("lintWorkflow() looks at timeouts that a child workflow can't do its work in", () => {
  const child = `name: child
services: { pay: { endpoint: "pay:1" } }
steps:
  - { steps: [{ id: slow, ${PAY}, retry: { attempts: 5 } }] }
  - { wait: 5m }
`;
  const text = (step: string) => `name: test\nsteps: [{ workflow: child.yaml${step} }]\n`;
  deepEqual(places(text(""), { "child.yaml": child }), []);
  deepEqual(places(text(", timeout: 1h"), { "child.yaml": child }), []);
  deepEqual(
    parse(text(", timeout: 1s"), { "child.yaml": child }).problems.map(({ message }) => message),
    [
      'A timeout of 1s is over before the last of 5 attempts: the delays alone take at least 3s750ms, in "slow" (child.yaml:4)',
    ],
  );
  deepEqual(
    parse(text(", timeout: 1m"), { "child.yaml": child }).problems.map(({ message }) => message),
    [
      'A timeout of 1m is over before this wait of 5m, in "steps[1]" (child.yaml:5)',
    ],
  );
});

Deno.test("lintWorkflow() counts a child workflow that is undone as undone, and asks nothing of it itself", () => {
  const files = {
    "undone.yaml":
      `name: undone\nservices: { pay: { endpoint: "pay:1" } }\nsteps: [{ ${PAY}, ${UNDO} }]\n`,
    "plain.yaml": "name: plain\nsteps: [{ set: { a: 1 } }]\n",
  };
  const codes = (steps: string) => places(withSteps(steps), files);
  deepEqual(codes(`  - { ${PAY} }\n  - { workflow: undone.yaml }`), ["5:5 no_compensation"]);
  deepEqual(codes(`  - { ${PAY} }\n  - { workflow: plain.yaml }`), []);
  deepEqual(codes(`  - { workflow: plain.yaml }\n  - { ${PAY}, ${UNDO} }`), []);
  // Whether a child ran is known, so its output is there.
  deepEqual(
    codes(
      `  - { id: c, workflow: plain.yaml, compensate: { service: pay, method: Undo, input: { a: "{{ .c.a }}" } } }`,
    ),
    [],
  );
});

Deno.test("lintWorkflow() says of each code why a step can't fail with it", async (t) => {
  const codes =
    "STEP_TIMEOUT, CIRCUIT_OPEN, RETRY_BUDGET_EXHAUSTED, REPEAT_EXHAUSTED, CHILD_FAILED, INVALID_REQUEST, RUN_TIMEOUT, ABORTED";
  const steps =
    `  - id: unnamed\n    catch: [{ codes: [${codes}] }]\n    set: { a: 1 }\n  - return: "{{ .unnamed }}"`;
  await t.assertSnapshot(shown(withSteps(steps)));
});

Deno.test("lintWorkflow() takes thousands of steps in its stride", () => {
  const steps = Array.from(
    { length: 4000 },
    (_, at) => `  - { ${PAY}${at % 2 === 0 ? "" : `, ${UNDO}`}, catch: [{ codes: [ABORTED] }] }`,
  );
  deepEqual(places(withSteps(steps.join("\n"))).length, 2000);
});

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
