/** The rules of semantics.md §1 and §2 as a service sees them: a scripted server over real sockets. */
import assert from "node:assert/strict";
import { status as Status } from "@grpc/grpc-js";
import { loadWorkflow, openEngine, type RunReport } from "../../mod.ts";
import { RetryInfoSchema } from "../../src/grpc/gen/google/rpc/error_details_pb.ts";
import { type Script, type ScriptedServer, startServer, status } from "../support/grpc_server.ts";
import { until } from "../support/heard.ts";
import { tempFiles } from "../support/temp_files.ts";

const BUY = "acme.shop.v1.Shop/Buy";

/** Fails the first calls, each with what stands there, and answers the rest. */
function failing(...errors: readonly Error[]): Script {
  return ({ count }) => {
    const error = errors[count - 1];
    if (error !== undefined) throw error;
    return { order_id: "o" };
  };
}

/** Services with these settings, whose method is called once in each run. */
async function stage(script: Script, settings: string, step = "") {
  const server = await startServer({ scripts: { [BUY]: script } });
  const files = await tempFiles({
    "workflow.yaml": `name: resilience
services: { shop: { endpoint: "${server.endpoint}", ${settings} } }
steps: [ { id: buy, service: shop, method: Shop/Buy, ${step} } ]
`,
  });
  const workflow = await loadWorkflow(files.path("workflow.yaml"));
  const engine = openEngine({ random: () => 0 }); // the whole delay
  return {
    server,
    engine,
    start: () => engine.start(workflow),
    run: async (): Promise<RunReport> => await (await engine.start(workflow)).result(),
    async [Symbol.asyncDispose]() {
      await engine.close();
      await files[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Milliseconds between one call and the next, as they arrived. */
function gaps({ calls }: ScriptedServer): number[] {
  return calls.slice(1).map((call, index) => call.arrived - (calls[index]?.arrived ?? 0));
}

/** Timers and sockets may take this much longer, and a clock's millisecond less. */
function between(value: number | undefined, least: number, slack = 150): void {
  assert.ok(
    value !== undefined && value >= least - 2 && value <= least + slack,
    `${value} ms, and not ${least} to ${least + slack}`,
  );
}

const RETRY =
  "circuit_breaker: false, retry: { attempts: 3, initial_delay: 50ms, max_delay: 80ms }";
const unavailable = status(Status.UNAVAILABLE, "no");
const exhausted = (trailers: Record<string, string> = {}) =>
  status(Status.RESOURCE_EXHAUSTED, "no", { trailers });
const pushback = (value: string, code = Status.UNAVAILABLE) =>
  status(code, "no", { trailers: { "grpc-retry-pushback-ms": value } });
const delayed = (delay: string, trailers: Record<string, string> = {}) =>
  status(Status.RESOURCE_EXHAUSTED, "no", {
    details: [[RetryInfoSchema, { retryDelay: delay }]],
    trailers,
  });

/** What the server fails with, what the step says, and how long it is until each of the next calls. */
const RETRIES: readonly {
  readonly name: string;
  readonly errors: readonly Error[];
  readonly step?: string;
  readonly settings?: string;
  readonly waits: readonly number[];
  readonly code?: string;
}[] = [
  { name: "UNAVAILABLE", errors: [unavailable, unavailable], waits: [50, 80] },
  {
    name: "UNAVAILABLE until no attempt is left",
    errors: [unavailable, unavailable, unavailable],
    waits: [50, 80],
    code: "UNAVAILABLE",
  },
  {
    name: "UNAVAILABLE where not idempotent",
    errors: [unavailable],
    step: "idempotent: false",
    waits: [],
    code: "UNAVAILABLE",
  },
  {
    name: "UNAVAILABLE where not idempotent, and the step's own retry names it",
    errors: [unavailable],
    step: "idempotent: false, retry: { codes: [UNAVAILABLE] }",
    waits: [50],
  },
  {
    name: "ABORTED",
    errors: [status(Status.ABORTED, "no")],
    waits: [],
    code: "ABORTED",
  },
  {
    name: "ABORTED that retry.codes names",
    errors: [status(Status.ABORTED, "no")],
    settings: `circuit_breaker: false, retry: { initial_delay: 50ms, codes: [ABORTED] }`,
    waits: [50],
  },
  {
    name: "RESOURCE_EXHAUSTED without a server delay",
    errors: [exhausted()],
    waits: [],
    code: "RESOURCE_EXHAUSTED",
  },
  {
    name: "RESOURCE_EXHAUSTED with pushback, after which backoff starts over",
    errors: [pushback("120", Status.RESOURCE_EXHAUSTED), unavailable],
    waits: [120, 50],
  },
  { name: "RESOURCE_EXHAUSTED with RetryInfo", errors: [delayed("0.150s")], waits: [150] },
  {
    name: "RetryInfo shorter than backoff",
    errors: [delayed("0.010s")],
    waits: [50],
  },
  {
    name: "pushback beats RetryInfo",
    errors: [delayed("5s", { "grpc-retry-pushback-ms": "20" })],
    waits: [20],
  },
  { name: "negative pushback", errors: [pushback("-1")], waits: [], code: "UNAVAILABLE" },
  { name: "pushback that is no number", errors: [pushback("1.5")], waits: [], code: "UNAVAILABLE" },
  {
    name: "pushback of a code that is not retryable",
    errors: [pushback("5", Status.INTERNAL)],
    waits: [],
    code: "INTERNAL",
  },
  {
    name: "a delay that would outlast the step",
    errors: [pushback("5000")],
    step: "timeout: 2s",
    waits: [],
    code: "UNAVAILABLE",
  },
];

for (const { name, errors, step, settings = RETRY, waits, code } of RETRIES) {
  Deno.test(`over sockets, retry: ${name}`, async () => {
    await using shop = await stage(failing(...errors), settings, step);
    const { status, error } = await shop.run();
    assert.equal(status === "completed" ? undefined : error?.code, code, `${error?.message}`);
    const waited = gaps(shop.server);
    assert.equal(waited.length, waits.length);
    waits.forEach((wait, index) => between(waited[index], wait));
    const keys = shop.server.calls.map(({ metadata }) => metadata["idempotency-key"]);
    assert.equal(new Set(keys).size, 1);
    const attempts = shop.server.calls.map(({ metadata }) => metadata["maestro-attempt"]);
    assert.deepEqual(attempts, attempts.map((_, index) => String(index + 1)));
  });
}

Deno.test("over sockets, retry: deadlines shrink from step to attempt", async () => {
  const hang: Script = ({ signal }) =>
    new Promise((resolve) => signal.addEventListener("abort", () => resolve({})));
  const retry = "circuit_breaker: false, attempt_timeout: 300ms, retry: { initial_delay: 50ms }";
  await using shop = await stage(hang, retry, "timeout: 500ms");
  const { error, duration_ms } = await shop.run();
  assert.equal(error?.code, "STEP_TIMEOUT");
  between(duration_ms ?? undefined, 500);
  const [first, second, ...more] = shop.server.calls;
  assert.deepEqual(more, []);
  assert.ok(first && first.timeout > 200 && first.timeout <= 300, `${first?.timeout}`);
  assert.ok(second && second.timeout > 50 && second.timeout <= 150, `${second?.timeout}`);
});

Deno.test("over sockets, retry: the budget of a service is all of its runs'", async () => {
  const never: Script = () => {
    throw unavailable;
  };
  await using shop = await stage(
    never,
    "circuit_breaker: false, retry: { attempts: 2, initial_delay: 1ms, budget: { max_tokens: 4 } }",
  );
  // 4 → 3, a retry; → 2, and no attempt is left; → 1: no more than half.
  assert.deepEqual((await shop.run()).error?.code, "UNAVAILABLE");
  assert.deepEqual((await shop.run()).error?.code, "RETRY_BUDGET_EXHAUSTED");
  assert.equal(shop.server.calls.length, 3);
});

/** A server that is up or down as the test says. */
function switchable() {
  let error: Error | null = null;
  let slow = 0;
  return {
    fail: (with_: Error | null) => error = with_,
    slowDown: (milliseconds: number) => slow = milliseconds,
    script: async ({ signal }: { readonly signal: AbortSignal }) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, slow);
      signal.addEventListener("abort", () => resolve());
      await promise;
      clearTimeout(timer);
      if (error !== null) throw error;
      return { order_id: "o" };
    },
  };
}

const BREAKER = "min_calls: 2, window: 10, open_for: 200ms, max_open_for: 300ms";

Deno.test("over sockets, breaker: opens, refuses, tries, doubles its wait, and closes", async () => {
  const service = switchable();
  await using shop = await stage(service.script, `circuit_breaker: { ${BREAKER}, on_open: fail }`);
  const state = () => shop.engine.breakers()[0]?.state;
  service.fail(unavailable);
  await shop.run();
  assert.equal(state(), "closed", "fewer than min_calls");
  await shop.run();
  assert.equal(state(), "open");
  const refused = await shop.run();
  assert.deepEqual([refused.error?.code, refused.error?.outcome], ["CIRCUIT_OPEN", "not_sent"]);
  assert.equal(shop.server.calls.length, 2);

  await until("it is half open", () => state() === "half_open");
  await shop.run(); // the trial fails
  const { openUntil } = shop.engine.breakers()[0] ?? assert.fail();
  const trial = performance.timeOrigin + (shop.server.calls.at(-1)?.arrived ?? NaN);
  between((openUntil ?? NaN) - trial, 300); // twice 200 ms, but for max_open_for
  await until("it is half open again", () => state() === "half_open");
  service.fail(null);
  assert.equal((await shop.run()).status, "completed");
  assert.equal(state(), "closed");
  assert.equal(shop.server.calls.length, 4);
});

Deno.test("over sockets, breaker: of many that wait one leaves for the trial, then all", async () => {
  const service = switchable();
  await using shop = await stage(service.script, `circuit_breaker: { ${BREAKER} }`);
  service.fail(unavailable);
  await Promise.all([shop.run(), shop.run()]);
  service.fail(null);
  service.slowDown(100);
  const runs = Array.from({ length: 20 }, () => shop.run());
  await until("the trial came in", () => shop.server.calls.length > 2);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(shop.server.calls.length, 3);
  assert.equal(shop.engine.breakers()[0]?.waiting, 19);
  const reports = await Promise.all(runs);
  assert.ok(reports.every(({ status }) => status === "completed"));
  between((shop.server.calls[3]?.arrived ?? 0) - (shop.server.calls[2]?.arrived ?? 0), 100);
});

Deno.test("over sockets, breaker: a trial that is cancelled gives its permit back", async () => {
  const service = switchable();
  await using shop = await stage(service.script, `circuit_breaker: { ${BREAKER} }`);
  service.fail(unavailable);
  await Promise.all([shop.run(), shop.run()]);
  service.fail(null);
  service.slowDown(10_000);
  const trial = await shop.start();
  await until("the trial came in", () => shop.server.calls.length === 3);
  const next = shop.run();
  service.slowDown(0);
  trial.cancel();
  assert.equal((await next).status, "completed");
  assert.equal((await trial.result()).status, "cancelled");
  assert.equal(shop.engine.breakers()[0]?.state, "closed");
});

for (
  const [name, settings, code, opens] of [
    ["DATA_LOSS is a failure", "", Status.DATA_LOSS, true],
    ["NOT_FOUND is an answer", "", Status.NOT_FOUND, false],
    ["CANCELLED counts neither way", "", Status.CANCELLED, false],
    ["failure_codes replaces the list", ", failure_codes: [NOT_FOUND]", Status.NOT_FOUND, true],
    ["failure_codes leaves others out", ", failure_codes: [NOT_FOUND]", Status.INTERNAL, false],
  ] as const
) {
  Deno.test(`over sockets, breaker: ${name}`, async () => {
    const service = switchable();
    await using shop = await stage(service.script, `circuit_breaker: { ${BREAKER}${settings} }`);
    service.fail(status(code, "no"));
    await Promise.all([shop.run(), shop.run(), shop.run()]);
    assert.equal(shop.engine.breakers()[0]?.state, opens ? "open" : "closed");
  });
}

Deno.test("over sockets, breaker: slow answers open it too", async () => {
  const service = switchable();
  const slow = `circuit_breaker: { ${BREAKER}, slow_call: 50ms, slow_call_rate: 100 }`;
  await using shop = await stage(service.script, slow);
  service.slowDown(80);
  await Promise.all([shop.run(), shop.run()]);
  assert.equal(shop.engine.breakers()[0]?.state, "open");
});

Deno.test("over sockets, breaker: a deadline counts where the call had its whole attempt_timeout", async () => {
  const hang: Script = ({ signal }) =>
    new Promise((resolve) => signal.addEventListener("abort", () => resolve({})));
  const settings = `attempt_timeout: 100ms, circuit_breaker: { ${BREAKER} }`;
  {
    await using cut = await stage(hang, settings, "timeout: 50ms");
    await Promise.all([cut.run(), cut.run()]);
    assert.deepEqual(cut.engine.breakers()[0]?.window, { calls: 0, failures: 0, slow: 0 });
  }
  await using whole = await stage(hang, settings);
  await Promise.all([whole.run(), whole.run()]);
  assert.equal(whole.engine.breakers()[0]?.state, "open");
});

Deno.test("over sockets, breaker: an operator holds calls back, and lets them go", async () => {
  await using shop = await stage(() => ({}), `circuit_breaker: { ${BREAKER} }`);
  await shop.run();
  shop.engine.breakers()[0]?.forceOpen();
  const held = shop.run();
  await until("it waits", () => shop.engine.breakers()[0]?.waiting === 1);
  assert.equal(shop.server.calls.length, 1);
  shop.engine.breakers()[0]?.reset();
  assert.equal((await held).status, "completed");
});

Deno.test("over sockets: no more than max_concurrent at a time, first come, first served", async () => {
  let now = 0;
  let most = 0;
  const script: Script = async () => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve, 20));
    now--;
    return {};
  };
  await using shop = await stage(script, "pool: { max_concurrent: 2 }");
  const runs = [];
  for (let count = 0; count < 8; count++) runs.push(await shop.start());
  await Promise.all(runs.map((run) => run.result()));
  assert.equal(most, 2);
  const came = shop.server.calls.map(({ metadata }) => metadata["maestro-run-id"]);
  assert.deepEqual(came, runs.map(({ id }) => id));
});

Deno.test("over sockets: no more than rate_limit begin in its time", async () => {
  await using shop = await stage(() => ({}), "rate_limit: 5/s");
  const began = performance.now();
  await Promise.all(Array.from({ length: 11 }, () => shop.run()));
  between(performance.now() - began, 2_000, 500);
  const arrived = shop.server.calls.map((call) => call.arrived);
  // Between two that are five apart lies a second; what the way takes varies.
  arrived.slice(5).forEach((at, index) => between(at - (arrived[index] ?? 0), 980, 400));
});
