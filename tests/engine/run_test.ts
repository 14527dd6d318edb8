/** How a run goes forward: order, concurrency, time, breakers, metadata; over services in memory. */
import assert from "node:assert/strict";
import type { Journal } from "../../src/engine/doors.ts";
import { MaestroError } from "../../src/errors.ts";
import { systemClock } from "../../src/engine/clock.ts";
import { memoryJournal } from "../../src/store/memory.ts";
import { play, stage, workflowOf } from "../support/engines.ts";
import type { Behaviour } from "../support/world.ts";

const ok: Behaviour = { answer: { id: "1" } };

function failsWith(code: string, message?: RegExp) {
  return (thrown: unknown) =>
    thrown instanceof MaestroError && thrown.code === code &&
    (message?.test(thrown.message) ?? true);
}

Deno.test("parallel runs at most `concurrency` branches at a time, in order, after what they need", async () => {
  let running = 0, most = 0;
  const started: string[] = [];
  const { report } = await play(
    `
name: side_by_side
services: { shop: { endpoint: "shop:1" } }
steps:
  - id: all
    concurrency: 2
    parallel:
      - { id: a, service: shop, method: Work, input: { id: a }, needs: [c] }
      - { id: b, service: shop, method: Work, input: { id: b } }
      - { id: c, service: shop, method: Work, input: { id: c } }
      - { id: d, service: shop, method: Work, input: { id: d } }
`,
    {
      "shop/Work": (call) => {
        started.push((call.input as { id: string }).id);
        most = Math.max(most, ++running);
        return { answer: { done: true }, after: 100 };
      },
    },
    {
      onHappening: (event) => {
        if (event.kind === "attempt_ended") running--;
      },
    },
  );
  assert.equal(report.status, "completed");
  assert.deepEqual(started, ["b", "c", "d", "a"], "b ends first, and a still waits for c");
  assert.equal(most, 2);
  assert.deepEqual(Object.keys(report.output as object), ["a", "b", "c", "d"]);
});

Deno.test("an empty workflow output is the last step's; a skipped step's is {}", async () => {
  const steps = (last: string) => `
name: last
services: { shop: { endpoint: "shop:1" } }
steps:
  - { id: one, service: shop, method: One }
  ${last}
`;
  const one = await play(steps(""), { "shop/One": ok });
  assert.deepEqual(one.report.output, { id: "1" });
  const two = await play(steps('- { id: two, when: "{{ false }}", service: shop, method: One }'), {
    "shop/One": ok,
  });
  assert.deepEqual(two.report.output, {});
  assert.equal(two.report.steps[1]?.status, "skipped");
});

Deno.test("a `when` that is not a bool is an error of the step", async () => {
  const { report } = await play(
    `
name: when
services: { shop: { endpoint: "shop:1" } }
steps:
  - { id: one, when: "{{ .input.flag }}", service: shop, method: One }
`,
    { "shop/One": ok },
    { input: { flag: "yes" } },
  );
  assert.equal(report.error?.code, "EXPRESSION_ERROR");
  assert.equal(report.error?.step, "one");
});

Deno.test("`fail` fails the run with its code and message; `return` completes it at once", async () => {
  const failed = await play(
    'name: f\nsteps:\n  - fail: { code: FAILED_PRECONDITION, message: "No stock for {{ .input.sku }}" }\n',
    {},
    { input: { sku: "X1" } },
  );
  assert.equal(failed.report.status, "failed");
  assert.equal(failed.report.error?.code, "FAILED_PRECONDITION");
  assert.equal(failed.report.error?.message, "No stock for X1");
  const returned = await play(
    "name: r\noutput: { not: used }\nsteps:\n  - steps:\n      - return: { ok: true }\n  - fail: { code: ABORTED, message: unreached }\n",
    {},
  );
  assert.equal(returned.report.status, "completed");
  assert.deepEqual(returned.report.output, { ok: true });
});

Deno.test("an output that can't be made fails the run, which rolls back", async () => {
  const { report, world } = await play(
    `
name: output
services: { shop: { endpoint: "shop:1" } }
steps:
  - { id: one, service: shop, method: One, compensate: { method: Undo } }
output: { x: "{{ .one.no_such }}" }
`,
    { "shop/One": ok, "shop/Undo": ok },
  );
  assert.equal(report.status, "compensated");
  assert.equal(report.error?.code, "EXPRESSION_ERROR");
  assert.deepEqual(world.effects, ["r/one/action", "r/one/compensate"]);
});

Deno.test("the delays of retries grow, and each attempt has its number and the same key", async () => {
  const times: number[] = [];
  const { report, world, clock } = await play(
    `
name: retries
services: { shop: { endpoint: "shop:1", retry: { attempts: 4, jitter: 0 } } }
steps:
  - { id: one, service: shop, method: One }
`,
    {
      "shop/One": () => {
        times.push(0);
        return { fail: "UNAVAILABLE" };
      },
    },
  );
  assert.equal(report.error?.attempts, 4);
  assert.equal(clock.now() - Date.parse(report.started_at), 500 + 1_000 + 2_000);
  assert.deepEqual(world.calls.map(({ attempt }) => attempt), [1, 2, 3, 4]);
  assert.deepEqual(new Set(world.calls.map(({ key }) => key)), new Set(["r/one/action"]));
});

Deno.test("a step's timeout ends its call and its retries as STEP_TIMEOUT", async () => {
  const { report } = await play(
    `
name: slow
services: { shop: { endpoint: "shop:1", attempt_timeout: 10s, retry: { attempts: 5, jitter: 0 } } }
steps:
  - { id: one, service: shop, method: One, timeout: 3s }
`,
    { "shop/One": { hang: true } },
  );
  assert.equal(report.error?.code, "STEP_TIMEOUT");
  assert.equal(report.error?.outcome, "unknown");
  assert.equal(report.duration_ms, 3_000);
});

Deno.test("a delay that would outlast the step fails at once, with the last error", async () => {
  const { report } = await play(
    `
name: outlast
services: { shop: { endpoint: "shop:1", retry: { attempts: 9, initial_delay: 1s, jitter: 0 } } }
steps:
  - { id: one, service: shop, method: One, timeout: 3s }
`,
    { "shop/One": { fail: "UNAVAILABLE" } },
  );
  assert.equal(report.error?.code, "UNAVAILABLE");
  assert.equal(report.error?.attempts, 2);
  assert.equal(report.duration_ms, 1_000);
});

Deno.test("a block's timeout fails the block, and the run's the run", async () => {
  const text = (timeouts: { block?: string; run?: string }) => `
name: blocks
${timeouts.run ? `timeout: ${timeouts.run}` : ""}
services: { shop: { endpoint: "shop:1", attempt_timeout: 1h } }
steps:
  - id: block
    ${timeouts.block ? `timeout: ${timeouts.block}` : ""}
    steps:
      - { id: one, service: shop, method: One, compensate: { method: Undo } }
      - { id: two, service: shop, method: Hang }
`;
  const scripts = { "shop/One": ok, "shop/Hang": { hang: true } as const, "shop/Undo": ok };
  const block = await play(text({ block: "5s", run: "1m" }), scripts);
  assert.equal(block.report.error?.code, "STEP_TIMEOUT");
  assert.equal(block.report.error?.step, "block");
  assert.equal(block.report.status, "compensated");
  assert.equal(block.report.duration_ms, 5_000);
  const run = await play(text({ block: "1h", run: "5s" }), scripts);
  assert.equal(run.report.error?.code, "RUN_TIMEOUT");
  assert.equal(run.report.status, "timed_out");
  assert.equal(run.report.steps[0]?.compensation?.status, "done");
});

Deno.test("an open breaker takes no attempt: a step waits for a slot, or fails as CIRCUIT_OPEN", async () => {
  const scripts = {
    "shop/Bad": { fail: "UNAVAILABLE" },
    "shop/Good": ok,
    "gate/Wait": { answer: {}, after: 1_000 },
  } as const;
  const text = (onOpen: string) => `
name: breaker
services:
  shop:
    endpoint: "shop:1"
    circuit_breaker: { min_calls: 1, window: 10, open_for: 5s, on_open: ${onOpen} }
  gate: { endpoint: "gate:1" }
steps:
  - parallel:
      - { id: bad, service: shop, method: Bad }
      - steps:
          - { id: gate, service: gate, method: Wait }
          - { id: later, service: shop, method: Good }
    on_failure: finish
`;
  const { report, world } = await play(text("wait"), scripts);
  assert.equal(report.status, "failed");
  const later = report.steps.find((step) => step.id === "later");
  assert.equal(later?.status, "completed");
  assert.equal(later?.attempts, 1);
  assert.equal(Date.parse(later?.finished_at ?? "") - Date.parse(report.started_at), 5_000);
  assert.equal(world.calls.length, 3);

  const refused = await play(text("fail"), scripts);
  const fails = refused.report.steps.find((step) => step.id === "later");
  assert.equal(fails?.error?.code, "CIRCUIT_OPEN");
  assert.equal(
    fails?.error?.message,
    'The circuit breaker of "shop" is open: too many calls failed or were slow, and the service is given time to recover',
  );
  assert.equal(fails?.error?.attempts, 0);
  assert.equal(fails?.outcome, "not_sent");
});

Deno.test("a step that times out while it waits on an open breaker fails as CIRCUIT_OPEN", async () => {
  const { report } = await play(
    `
name: waits
services:
  shop: { endpoint: "shop:1", retry: { attempts: 3, jitter: 0 }, circuit_breaker: { min_calls: 1, window: 10, open_for: 1h } }
steps:
  - { id: one, service: shop, method: Bad, timeout: 3s }
`,
    { "shop/Bad": { fail: "UNAVAILABLE" } },
  );
  assert.equal(report.error?.code, "CIRCUIT_OPEN");
  assert.match(report.error?.message ?? "", /\. Its last attempt failed with UNAVAILABLE: /);
  assert.equal(report.error?.attempts, 1);
  assert.equal(report.error?.outcome, "unknown");
  assert.equal(report.duration_ms, 3_000);
});

Deno.test("a wait for a breaker is told after the facts before it", async () => {
  const told: string[] = [];
  await play(
    `
name: order
services:
  shop: { endpoint: "shop:1", circuit_breaker: { min_calls: 1, window: 10, open_for: 5s } }
  gate: { endpoint: "gate:1" }
steps:
  - parallel:
      - { id: bad, service: shop, method: Bad }
      - steps:
          - { id: gate, service: gate, method: Wait }
          - { id: later, service: shop, method: Good }
    on_failure: finish
`,
    { "shop/Bad": { fail: "UNAVAILABLE" }, "shop/Good": ok, "gate/Wait": { answer: {}, after: 9 } },
    {
      onHappening: (event) => {
        if ("path" in event && event.path.endsWith(".later")) told.push(event.kind);
      },
    },
  );
  assert.deepEqual(told.slice(0, 3), ["step_started", "breaker_waiting", "attempt_started"]);
});

Deno.test("a report of an ended run is all there however it is looked at", async () => {
  const { report } = await play(
    "name: w\noutput: { b: 1 }\nsteps:\n  - { id: one, set: { a: 1 } }\n",
    {},
  );
  const expected = JSON.parse(JSON.stringify(report));
  assert.deepEqual(expected.output, { b: 1 });
  assert.equal(expected.steps.length, 1);
  assert.deepEqual({ ...report }, expected);
  assert.deepEqual(structuredClone(report), expected);
  assert.equal(Deno.inspect(report, { depth: 9 }), Deno.inspect(expected, { depth: 9 }));
});

Deno.test("a `when` may have space around its braces", async () => {
  const { report } = await play(
    'name: w\nsteps:\n  - { id: one, when: " {{ true }} ", set: { a: 1 } }\n',
    {},
  );
  assert.equal(report.steps[0]?.status, "completed");
});

Deno.test("a service sees key, step, operation, attempt, correlation id and trace; secrets only here", async () => {
  const { engine, world, clock, journal } = stage({ "shop/One": ok }, {
    secrets: { read: (name) => Promise.resolve(name === "TOKEN" ? "s3cret" : undefined) },
    env: (name) => name === "REGION" ? "eu" : undefined,
  });
  try {
    const run = await engine.start(
      workflowOf(`
name: metadata
services:
  shop:
    endpoint: "shop-{{ .env.REGION }}:1"
    metadata: { Authorization: "Bearer {{ .secrets.TOKEN }}", x-region: "{{ .env.REGION }}" }
steps:
  - { id: one, service: shop, method: One, metadata: { x-tenant: "{{ .input.tenant }}", x-region: mine } }
`),
      { runId: "r", input: { tenant: "acme" }, correlationId: "c-1", traceparent: "00-aa-bb-01" },
    );
    await run.result();
    assert.deepEqual(world.calls[0]?.metadata, {
      "authorization": "Bearer s3cret",
      "x-region": "mine",
      "x-tenant": "acme",
      "idempotency-key": "r/one/action",
      "maestro-run-id": "r",
      "maestro-step": "one",
      "maestro-op": "action",
      "maestro-attempt": "1",
      "x-correlation-id": "c-1",
      "traceparent": "00-aa-bb-01",
    });
    const facts = JSON.stringify(await Array.fromAsync(journal.read("r")));
    assert.doesNotMatch(facts, /s3cret/);
  } finally {
    await engine.close();
    clock.stop();
  }
});

Deno.test("start() refuses what can't run, before anything is called", async () => {
  const { engine, world, clock } = stage({ "shop/One": ok });
  const steps =
    'services: { shop: { endpoint: "shop:1" } }\nsteps:\n  - { id: one, service: shop, method: One }\n';
  try {
    const shaped = workflowOf(
      `name: a\ninput: { type: object, required: [email], properties: { email: { type: string } } }\n${steps}`,
    );
    await assert.rejects(engine.start(shaped, { input: {} }), failsWith("INPUT_INVALID", /email/));
    const missing = workflowOf(`name: a\n${steps.replace("method: One", "method: Other")}`);
    await assert.rejects(engine.start(missing), failsWith("WORKFLOW_INVALID", /Other/));
    const secret = workflowOf(
      `name: a\n${steps.replace('"shop:1"', '"shop:1", metadata: { k: "{{ .secrets.NOPE }}" }')}`,
    );
    await assert.rejects(engine.start(secret), failsWith("INPUT_INVALID", /NOPE/));
    const plain = workflowOf(`name: a\n${steps}`);
    await assert.rejects(
      engine.start(plain, { endpoints: { shoop: "x:1" } }),
      failsWith("USAGE", /shoop.*shop/),
    );
    for (const id of ["", "a b", "ü", "a\nb", "x".repeat(129)]) {
      await assert.rejects(engine.start(plain, { runId: id }), failsWith("USAGE", /run id/));
      await assert.rejects(engine.start(plain, { correlationId: id }), failsWith("USAGE"));
    }
    await (await engine.start(plain, { runId: "taken" })).result();
    await assert.rejects(engine.start(plain, { runId: "taken" }), failsWith("RUN_EXISTS"));
    assert.equal(world.calls.length, 1);
  } finally {
    await engine.close();
    clock.stop();
  }
});

Deno.test("rounds that call nobody leave a timeout, a cancel and other runs their turn", async () => {
  const { engine } = stage({}, { clock: systemClock });
  const around = (timeout: string) =>
    workflowOf(`
name: busy
steps:
  - { id: it, timeout: ${timeout}, repeat: [ { set: { x: 1 } } ], until: "{{ false }}" }
`);
  try {
    const [short, long] = await Promise.all([
      engine.start(around("50ms")),
      engine.start(around("1h")),
    ]);
    assert.equal((await short.result()).error?.code, "STEP_TIMEOUT");
    long.cancel("enough");
    assert.equal((await long.result()).status, "cancelled");
  } finally {
    await engine.close();
  }
});

Deno.test("a request that does not fit fails its step before anything is sent", async () => {
  const { report, world } = await play(
    `
name: misfit
services: { shop: { endpoint: "shop:1", retry: { attempts: 3 } } }
steps:
  - { id: one, service: shop, method: One, input: { no_such_field: 1 } }
`,
    { "shop/One": ok },
  );
  assert.equal(report.error?.code, "INVALID_REQUEST");
  assert.equal(report.error?.attempts, 0);
  assert.equal(report.error?.outcome, "not_sent");
  assert.equal(world.calls.length, 0);
});

Deno.test("a service that can't be asked for its schema is tried like a call", async () => {
  const { report } = await play(
    `
name: away
services: { shop: { endpoint: "unreachable:1", retry: { attempts: 3, jitter: 0 } } }
steps:
  - { id: one, service: shop, method: One }
`,
    { "shop/One": ok },
  );
  assert.equal(report.status, "failed");
  assert.equal(report.error?.code, "UNAVAILABLE");
  assert.equal(report.error?.attempts, 3);
  assert.equal(report.duration_ms, 1_500);
});

Deno.test("a journal that fails stops all sending, and nothing is reported as done", async () => {
  const inner = memoryJournal();
  let writes = 0;
  const failing: Journal = {
    ...inner,
    append: (claim, facts, standing) =>
      ++writes > 1 ? Promise.reject(new Error("disk full")) : inner.append(claim, facts, standing),
  };
  const seen: string[] = [];
  const { engine, world, clock } = stage({ "shop/One": ok, "shop/Two": ok }, { journal: failing });
  try {
    const run = await engine.start(
      workflowOf(`
name: full
services: { shop: { endpoint: "shop:1" } }
steps:
  - { id: one, service: shop, method: One }
  - { id: two, service: shop, method: Two }
`),
      { onHappening: (event) => seen.push(event.kind) },
    );
    await assert.rejects(run.result(), failsWith("STORE_FAILED", /disk full/));
    assert.deepEqual(world.calls.map(({ method }) => method), ["shop/One"]);
    assert.deepEqual(seen, ["run_started", "step_started", "attempt_started"]);
  } finally {
    await engine.close();
    clock.stop();
  }
});

Deno.test("a listener that throws stops neither the run nor the others", async () => {
  const { engine, clock } = stage({ "shop/One": ok });
  const heard: string[] = [];
  try {
    const run = await engine.start(
      workflowOf(
        'name: a\nservices: { shop: { endpoint: "shop:1" } }\nsteps:\n  - { id: one, service: shop, method: One }\n',
      ),
      {
        onHappening: () => {
          throw new Error("a broken pipe");
        },
      },
    );
    run.follow(({ kind }) => heard.push(kind));
    assert.equal((await run.result()).status, "completed");
    assert.equal(heard.at(-1), "run_ended");
  } finally {
    await engine.close();
    clock.stop();
  }
});

Deno.test("resumeAll() goes on with the others where one run can't go on", async () => {
  const journal = memoryJournal();
  const text = (endpoint: string) =>
    `name: a\nservices: { shop: { endpoint: "${endpoint}", attempt_timeout: 1h } }\nsteps:\n  - { id: one, service: shop, method: One }\n`;
  const first = stage({ "shop/One": { hang: true } }, { journal });
  for (const [runId, endpoint] of [["bad", "shop:2"], ["good", "shop:1"]] as const) {
    await first.engine.start(workflowOf(text(endpoint)), { runId });
  }
  await first.engine.close();
  first.clock.stop();
  const second = stage({ "shop/One": ok }, {
    journal: {
      ...journal,
      async *read(runId) {
        for await (const fact of journal.read(runId)) {
          yield runId === "bad" ? { ...fact, v: 99 } : fact;
        }
      },
    },
  });
  const failed: string[] = [];
  try {
    const { runs } = await second.engine.resumeAll((runId, { code }) =>
      failed.push(`${runId} ${code}`)
    );
    assert.deepEqual(runs.map((run) => run.id), ["good"]);
    assert.deepEqual(failed, ["bad STORE_FAILED"]);
    assert.equal((await runs[0]?.result())?.status, "completed");
  } finally {
    await second.engine.close();
    second.clock.stop();
  }
});

Deno.test("close() stops runs where they stand, and another engine goes on with them", async () => {
  const journal = memoryJournal();
  const text = `
name: closes
services: { shop: { endpoint: "shop:1", attempt_timeout: 1h } }
steps:
  - { id: one, service: shop, method: One }
  - { id: two, service: shop, method: Two }
`;
  const first = stage({ "shop/One": ok, "shop/Two": { hang: true } }, { journal });
  const reached = Promise.withResolvers<void>();
  const run = await first.engine.start(workflowOf(text), {
    runId: "r",
    onHappening: (event) => {
      if (event.kind === "attempt_started" && event.path === "two") reached.resolve();
    },
  });
  await reached.promise;
  const ended = assert.rejects(run.result(), failsWith("ENGINE_CLOSED"));
  await first.engine.close();
  first.clock.stop();
  await ended;
  await assert.rejects(first.engine.start(workflowOf(text)), failsWith("ENGINE_CLOSED"));

  const second = stage({ "shop/One": ok, "shop/Two": ok }, { journal });
  try {
    const { runs: [resumed] } = await second.engine.resumeAll();
    assert.equal((await resumed?.result())?.status, "completed");
    assert.deepEqual(second.world.calls.map(({ method, attempt }) => [method, attempt]), [[
      "shop/Two",
      1,
    ]]);
    await assert.rejects(second.engine.resume("r"), failsWith("RUN_NOT_ACTIVE"));
    assert.equal((await second.engine.report("r")).status, "completed");
  } finally {
    await second.engine.close();
    second.clock.stop();
  }
});
