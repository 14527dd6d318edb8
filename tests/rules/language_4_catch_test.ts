/** language.md §4, "`catch`", and semantics.md §4, "Caught", sentence by sentence. */
import assert from "node:assert/strict";
import {
  called,
  play,
  refusals,
  type SceneOptions,
  stepOf,
  took,
  undone,
} from "../support/scene.ts";

/** What a step with this `catch` yields, and how the run ends. */
async function caughtBy(
  entries: string,
  step = "service: shop, method: Refuse",
  more?: SceneOptions,
) {
  const played = await play(`  - { id: it, ${step}, catch: [ ${entries} ] }`, more);
  return played;
}

const CARD = {
  fail: "FAILED_PRECONDITION",
  reason: "CARD_DECLINED",
  domain: "acme.com",
  metadata: { card: "visa" },
  details: [{ "@type": "x" }],
} as const;

Deno.test("§4 `catch` is a list: the first entry that fits takes the failure", async () => {
  const { report } = await caughtBy(
    "{ codes: [NOT_FOUND], result: 1 }, { codes: [ABORTED, FAILED_PRECONDITION], result: 2 }, { result: 3 }",
  );
  assert.equal(report.status, "completed");
  assert.equal(report.output, 2);
});

Deno.test("§4 the step then counts as completed", async () => {
  const { report } = await play(`
  - { id: it, service: shop, method: Refuse, catch: [ { result: { a: 1 } } ] }
  - set: { status: "{{ .steps.it.status }}", output: "{{ .it }}", attempts: "{{ .steps.it.attempts }}" }
`);
  assert.deepEqual(report.output, { status: "completed", output: { a: 1 }, attempts: 1 });
});

Deno.test("§4 where no entry fits, the failure stands", async () => {
  const { report } = await caughtBy(
    "{ codes: [NOT_FOUND] }, { reason: OTHER }, { when: '{{ false }}' }",
  );
  assert.deepEqual([report.status, report.error?.code], ["failed", "FAILED_PRECONDITION"]);
});

for (
  const [what, entry, caught] of [
    ["`codes` of gRPC", "codes: [FAILED_PRECONDITION]", true],
    ["`codes`, left out: any", "result: {}", true],
    ["`reason`: google.rpc.ErrorInfo.reason", "reason: CARD_DECLINED", true],
    ["another `reason`", "reason: CARD_LOST", false],
    ["`when`, which sees .error", "when: \"{{ .error.message.contains('failed') }}\"", true],
    ["a `when` that is false", 'when: "{{ .error.attempts > 1 }}"', false],
    [
      "all of them at once",
      'codes: [FAILED_PRECONDITION], reason: CARD_DECLINED, when: "{{ true }}"',
      true,
    ],
    ["all but one", 'codes: [FAILED_PRECONDITION], reason: CARD_LOST, when: "{{ true }}"', false],
  ] as const
) {
  Deno.test(`§4 an entry fits by ${what}: ${caught}`, async () => {
    const { report } = await caughtBy(`{ ${entry} }`, "service: shop, method: Pay", {
      cast: { Pay: CARD },
    });
    assert.equal(report.status, caught ? "completed" : "failed");
  });
}

Deno.test("§4 a `when` that can't be evaluated fails the step with its own error", async () => {
  const { report } = await caughtBy("{ when: '{{ .error.metadata.none }}' }, { result: 2 }");
  assert.equal(report.error?.code, "EXPRESSION_ERROR");
});

Deno.test("§4 `.error` is {code, message, step, attempts, outcome, reason, domain, metadata, details}", async () => {
  const { report } = await caughtBy('{ result: "{{ .error }}" }', "service: shop, method: Pay", {
    cast: { Pay: CARD },
  });
  assert.deepEqual(report.output, {
    code: "FAILED_PRECONDITION",
    message: "shop/Pay failed",
    step: "it",
    attempts: 1,
    outcome: "rejected",
    reason: "CARD_DECLINED",
    domain: "acme.com",
    metadata: { card: "visa" },
    details: [{ "@type": "x" }],
  });
});

Deno.test("§4 `.error` of a block names the step in it that failed", async () => {
  const { report } = await caughtBy(
    '{ result: "{{ .error.step }} {{ .error.code }}" }',
    "steps: [ { id: inner, service: shop, method: Lose } ]",
  );
  assert.equal(report.output, "it.inner INTERNAL");
});

Deno.test("§4 `steps` see .error, `result` sees what they bind", async () => {
  const played = await caughtBy(
    '{ steps: [ { id: fallback, service: shop, method: Do, input: { why: "{{ .error.code }}" } } ], result: "{{ .fallback.id }} for {{ .error.code }}" }',
  );
  assert.deepEqual(played.world.calls[1]?.input, { why: "FAILED_PRECONDITION" });
  assert.equal(played.report.output, "it.catch[0].fallback for FAILED_PRECONDITION");
});

Deno.test("§4 the step's output, by default: the last of `steps`, else {}", async () => {
  const steps = await caughtBy("{ steps: [ { wait: 1s }, { set: { a: 1 } } ] }");
  assert.deepEqual(steps.report.output, { a: 1 });
  assert.deepEqual((await caughtBy("{ codes: [FAILED_PRECONDITION] }")).report.output, {});
});

Deno.test("§4 a failure of the entry's own steps is not taken by the same `catch`, but by one around", async () => {
  const step =
    "service: shop, method: Refuse, catch: [ { steps: [ { id: second, service: shop, method: Lose } ] }, { result: never } ]";
  const { report } = await play(`  - { id: it, ${step} }`);
  assert.deepEqual([report.status, report.error?.code, report.error?.step], [
    "failed",
    "INTERNAL",
    "it.catch[0].second",
  ]);
  const around = await play(
    `  - { steps: [ { id: it, ${step} } ], catch: [ { codes: [INTERNAL], result: around } ] }`,
  );
  assert.equal(around.report.output, "around");
});

Deno.test("§4 `catch` on a block is consulted once everything inside the step has settled", async () => {
  const played = await play(`
  - id: it
    parallel:
      - { id: bad, service: shop, method: Refuse }
      - { id: kept, service: shop, method: Slow, compensate: { method: Undo } }
    catch: [ { steps: [ { id: after, service: shop, method: Do } ] } ]
`);
  assert.equal(played.report.status, "completed");
  assert.deepEqual(called(played), ["it.bad", "it.kept", "it.catch[0].after"]);
  assert.equal(
    stepOf(played, "it.catch[0].after").started_at,
    stepOf(played, "it.kept").finished_at,
  );
  assert.equal(took(played), 1_000);
});

for (
  const [code, step, more] of [
    ["STEP_TIMEOUT", "await_signal: never, timeout: 1s", {}],
    ["CIRCUIT_OPEN", "service: broken, method: Do", {
      head:
        'services: { shop: { endpoint: "shop:1" }, broken: { endpoint: "broken:1", circuit_breaker: { min_calls: 1, on_open: fail } } }',
      cast: { "broken/Do": { fail: "UNAVAILABLE" } },
    }],
    ["RETRY_BUDGET_EXHAUSTED", "service: poor, method: Do, retry: { attempts: 9 }", {
      head:
        'services: { shop: { endpoint: "shop:1" }, poor: { endpoint: "poor:1", circuit_breaker: false, retry: { budget: { max_tokens: 2 } } } }',
      cast: { "poor/Do": { fail: "UNAVAILABLE" } },
    }],
    ["REPEAT_EXHAUSTED", 'repeat: [ { wait: 0s } ], until: "{{ false }}", max_rounds: 2', {}],
    ["EXPRESSION_ERROR", 'service: shop, method: Do, input: { a: "{{ .input.missing }}" }', {}],
    ["INVALID_REQUEST", "service: shop, method: Do, input: { no_such_field: 1 }", {}],
    ["CHILD_FAILED", "workflow: child.yaml", {
      files: { "child.yaml": "name: child\nsteps: [ { fail: { code: ABORTED, message: no } } ]" },
    }],
  ] as const
) {
  Deno.test(`§4 Maestro's own codes: ${code}`, async () => {
    const before = code === "CIRCUIT_OPEN"
      ? "  - { service: broken, method: Do, catch: [ { codes: [UNAVAILABLE] } ] }\n"
      : "";
    const { report } = await play(
      `${before}  - { id: it, ${step}, catch: [ { codes: [${code}], result: "{{ .error.code }} {{ .error.step }}" } ] }`,
      more,
    );
    assert.equal(report.output, `${code} it`);
  });
}

for (const [code, form] of [["RUN_CANCELLED", "cancel"], ["RUN_TIMEOUT", "timeout"]] as const) {
  for (const step of ["service: shop, method: Hang", "await_signal: never"]) {
    Deno.test(`§4 ${code}, which no \`catch\` takes: ${step}`, async () => {
      const played = await play(
        `  - { steps: [ { ${step}, catch: [ { result: caught } ] } ], catch: [ { result: caught } ] }\n  - { service: shop, method: Do }`,
        {
          head: form === "timeout" ? "timeout: 5s" : "",
          during: ({ run, after }) => {
            if (form === "cancel") after(5_000, () => run.cancel("ada"));
          },
        },
      );
      assert.equal(played.report.error?.code, code);
      assert.ok(!called(played).includes("steps[1]"));
      assert.equal(took(played), 5_000);
    });
  }
}

const TWO = `
  - { id: before, service: shop, method: Do, compensate: { method: Undo } }
  - id: it
    steps:
      - { id: one, service: shop, method: Do, compensate: { method: Undo } }
      - { id: two, service: shop, method: Do, compensate: { method: Undo } }
      - { id: bad, service: shop, method: Refuse }
`;

Deno.test("§4 `undo`: compensate what this step's block completed, before `steps`", async () => {
  const played = await play(
    `${TWO}    catch: [ { undo: true, steps: [ { id: after, service: shop, method: Do } ], result: done } ]`,
  );
  assert.equal(played.report.status, "completed");
  assert.equal(played.report.output, "done");
  assert.deepEqual(undone(played), ["it.two", "it.one"]);
  assert.deepEqual(played.world.effects.at(-1), "r/it.catch[0].after/action");
});

Deno.test("semantics §4 caught failures do not roll back, unless the entry says `undo: true`", async () => {
  const kept = await play(`${TWO}    catch: [ { codes: [FAILED_PRECONDITION] } ]`);
  assert.equal(kept.report.status, "completed");
  assert.deepEqual(undone(kept), []);
});

Deno.test("semantics §4 what a caught block completed stays on the list for a later rollback; what `undo` undid does not", async () => {
  const later = "\n  - { service: shop, method: Refuse }";
  const kept = await play(`${TWO}    catch: [ { codes: [FAILED_PRECONDITION] } ]${later}`);
  assert.equal(kept.report.status, "compensated");
  assert.deepEqual(undone(kept), ["it.two", "it.one", "before"]);
  const gone = await play(`${TWO}    catch: [ { undo: true } ]${later}`);
  assert.equal(gone.report.status, "compensated");
  assert.deepEqual(undone(gone), ["it.two", "it.one", "before"]);
  assert.equal(gone.world.calls.filter(({ method }) => method === "shop/Undo").length, 3);
});

Deno.test("semantics §4 `undo` of a call undoes the call itself, where its outcome is unknown", async () => {
  const played = await play(
    "  - { id: it, service: shop, method: Lose, compensate: { method: Undo }, catch: [ { undo: true } ] }",
  );
  assert.equal(played.report.status, "completed");
  assert.deepEqual(undone(played), ["it"]);
});

Deno.test("semantics §4 a caught step of unknown outcome with a `compensate` stays on the list", async () => {
  const played = await play(`
  - { id: it, service: shop, method: Lose, compensate: { method: Undo }, catch: [ { result: {} } ] }
  - { id: sure, service: shop, method: Refuse, compensate: { method: Undo }, catch: [ { result: {} } ] }
  - { service: shop, method: Refuse }
`);
  assert.equal(played.report.status, "compensated");
  assert.deepEqual(undone(played), ["it"]);
});

Deno.test("semantics §4 what the entry's steps did is undone like everything else", async () => {
  const played = await play(`
  - id: it
    service: shop
    method: Refuse
    catch: [ { steps: [ { id: instead, service: shop, method: Do, compensate: { method: Undo, input: { why: "{{ .error.code }}" } } } ] } ]
  - { service: shop, method: Refuse }
`);
  assert.deepEqual(undone(played), ["it.catch[0].instead"]);
  assert.deepEqual(played.world.calls.at(-1)?.input, { why: "FAILED_PRECONDITION" });
});

Deno.test("§4 `catch` on every form that can fail", async () => {
  const failing = "service: shop, method: Refuse";
  const files = {
    "child.yaml": "name: child\nsteps: [ { fail: { code: ABORTED, message: no } } ]",
  };
  for (
    const step of [
      failing,
      `steps: [ { ${failing} } ]`,
      `parallel: [ { ${failing} } ]`,
      `switch: [ { steps: [ { ${failing} } ] } ]`,
      `foreach: [1], steps: [ { ${failing} } ]`,
      `repeat: [ { ${failing} } ], until: "{{ true }}", max_rounds: 1`,
      "wait: 1h, timeout: 1s",
      "await_signal: never, timeout: 1s",
      "workflow: child.yaml",
      'set: { a: "{{ .input.missing }}" }',
      "fail: { code: ABORTED, message: no }",
      'return: "{{ .input.missing }}"',
      'when: "{{ .input.missing }}", wait: 1s',
      'when: "{{ .input.missing }}", service: shop, method: Do',
      'foreach: "{{ .input }}", steps: [ { wait: 1s } ]',
      'switch: [ { when: "{{ .input.missing }}", steps: [ { wait: 1s } ] } ]',
      'repeat: [ { wait: 0s } ], until: "{{ .input.missing }}", max_rounds: 5',
      'wait: { until: "{{ .input.missing }}" }',
      'workflow: child.yaml, input: { a: "{{ .input.missing }}" }',
    ]
  ) {
    const { report } = await play(
      `  - { id: it, ${step}, catch: [ { steps: [ { wait: 1s } ], result: { caught: "{{ .error.step }}" } } ] }\n  - return: "{{ .it.caught }}"`,
      { files },
    );
    assert.equal(report.status, "completed", step);
    assert.match(String(report.output), /^it\b/, step);
  }
});

Deno.test("§4 a caught round of a loop: only the step in it is caught, the loop goes on", async () => {
  const played = await play(`
  - id: it
    foreach: [Do, Refuse, Do]
    as: how
    steps:
      - switch:
          - { when: "{{ .how == 'Do' }}", steps: [ { id: fine, service: shop, method: Do } ] }
          - steps: [ { id: bad, service: shop, method: Refuse, catch: [ { result: { id: none } } ] } ]
    result: "{{ .how }}"
`);
  assert.deepEqual(played.report.output, ["Do", "Refuse", "Do"]);
});

Deno.test("§4 `.error` outside of `catch` is an error at load", () => {
  assert.deepEqual(refusals('  - { set: { a: "{{ .error.code }}" }, catch: [ { result: 1 } ] }'), [
    "error_outside_catch",
  ]);
});
