/** Traces of runs as a collector gets them. */
import assert from "node:assert/strict";
import type { Journal } from "../../src/engine/doors.ts";
import { Engine } from "../../src/engine/engine.ts";
import type { StartOptions } from "../../src/engine/engine_options.ts";
import { memoryJournal } from "../../src/store/memory.ts";
import { openTelemetry, type Telemetry } from "../../src/telemetry/telemetry.ts";
import { JumpingClock } from "../support/clock.ts";
import { mortalJournal, workflowOf } from "../support/engines.ts";
import { OtlpReceiver, type ReceivedSpan } from "../support/otlp_receiver.ts";
import { type Script, World } from "../support/world.ts";

const CALLERS = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

const HEAD = `name: traced\nversion: "1"\nservices: { shop: { endpoint: "shop:50051" } }\n`;

const SAGA = `${HEAD}steps:
  - id: first
    service: shop
    method: Do
    retry: { attempts: 2, jitter: 0 }
    compensate: { method: Undo }
  - id: ship
    foreach: "{{ .input.items }}"
    steps:
      - { id: label, service: shop, method: Label }
  - { id: last, service: shop, method: Refuse }
`;

const SCRIPTS: Readonly<Record<string, Script>> = {
  "shop/Do": (_call, nth) =>
    nth === 1 ? { fail: "UNAVAILABLE" } : { answer: { id: "1" }, after: 40 },
  "shop/Label": { answer: {}, after: 10 },
  "shop/Undo": { answer: {} },
  "shop/Refuse": { fail: "FAILED_PRECONDITION", after: 5 },
};

interface Process {
  readonly engine: Engine;
  readonly telemetry: Telemetry;
  close(): Promise<void>;
}

/** A process with its own telemetry, over a world and a journal that outlive it. */
async function open(
  world: World,
  journal: Journal,
  env: Readonly<Record<string, string>>,
): Promise<Process> {
  const telemetry = await openTelemetry({ version: "1.0.0", env: (name) => env[name] });
  const engine = new Engine({
    caller: world.caller(),
    clock: world.clock,
    random: () => 0,
    ...telemetry.engine,
    journal: telemetry.timed({ ...journal, close: () => Promise.resolve() }),
  });
  telemetry.watch(engine);
  return {
    engine,
    telemetry,
    async close() {
      await engine.close();
      await telemetry.close();
    },
  };
}

/** Plays a workflow to its end, and gives what the collector got. */
async function traced(
  text: string,
  scripts: Readonly<Record<string, Script>>,
  start: StartOptions = {},
  { env = {}, files }: {
    readonly env?: Readonly<Record<string, string>>;
    readonly files?: ReadonlyMap<string, string>;
  } = {},
): Promise<{ readonly receiver: OtlpReceiver; readonly world: World }> {
  await using receiver = new OtlpReceiver();
  const clock = new JumpingClock();
  const world = new World(scripts, clock);
  const process = await open(world, memoryJournal(), {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    ...env,
  });
  try {
    const run = await process.engine.start(workflowOf(text, files), { runId: "r", ...start });
    await run.result();
  } finally {
    await process.close();
    clock.stop();
  }
  return { receiver, world };
}

/** Spans as an outline: each below the one around it, in the order of their beginnings. */
function outline(spans: readonly ReceivedSpan[], root = "", depth = 0): string[] {
  const known = new Set(spans.map(({ spanId }) => spanId));
  const here = spans.filter(({ parentSpanId }) =>
    root === "" ? !known.has(parentSpanId) : parentSpanId === root
  ).sort((a, b) => Number(a.from - b.from) || (a.name < b.name ? -1 : 1));
  return here.flatMap((span) => [
    `${"  ".repeat(depth)}${span.name}${span.status === 2 ? " !" : ""}`,
    ...outline(spans, span.spanId, depth + 1),
  ]);
}

const spanOfCall = (metadata: Readonly<Record<string, string>>) =>
  metadata["traceparent"]?.split("-")[2];

Deno.test("a run's trace is one tree: run, steps, attempts, and its rollback", async (t) => {
  const { receiver, world } = await traced(SAGA, SCRIPTS, { input: { items: [1, 2] } });
  const { spans } = receiver;
  assert.deepEqual(outline(spans), [
    "run traced !",
    "  step first",
    "    shop/Do !",
    "    shop/Do",
    "  step ship",
    "    step ship[]",
    "      step ship[].label",
    "        shop/Label",
    "    step ship[]",
    "      step ship[].label",
    "        shop/Label",
    "  step last !",
    "    shop/Refuse !",
    "  rollback traced",
    "    compensate first",
    "      shop/Undo",
  ]);

  await t.step("each call is sent with its own attempt's span", () => {
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    for (const { metadata } of world.calls) {
      const span = byId.get(spanOfCall(metadata) ?? "");
      assert.equal(span?.attributes["maestro.step"], metadata["maestro-step"]);
      assert.equal(span?.attributes["maestro.attempt"], Number(metadata["maestro-attempt"]));
      assert.equal(span?.traceId, metadata["traceparent"]?.split("-")[1]);
    }
    assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, spans.length);
  });

  await t.step("attempts say what OpenTelemetry's conventions want of an RPC", () => {
    const [failed, succeeded] = spans.filter(({ name }) => name === "shop/Do");
    assert.equal(failed?.kind, 3);
    assert.deepEqual(failed?.attributes, {
      "maestro.run.id": "r",
      "maestro.workflow": "traced",
      "maestro.step": "first",
      "maestro.step.op": "action",
      "maestro.attempt": 1,
      "maestro.service": "shop",
      "rpc.system.name": "grpc",
      "rpc.method": "shop/Do",
      "rpc.response.status_code": "UNAVAILABLE",
      "server.address": "shop",
      "server.port": 50051,
      "error.type": "UNAVAILABLE",
    });
    assert.equal(succeeded?.attributes["rpc.response.status_code"], "OK");
    assert.equal(Number((succeeded?.to ?? 0n) - (succeeded?.from ?? 0n)), 40e6);
  });

  await t.step("nothing that services said or were sent is in it", () => {
    assert.doesNotMatch(
      JSON.stringify(spans, (_, value) => typeof value === "bigint" ? String(value) : value),
      /items|message/,
    );
  });
});

Deno.test("a caller's span is around the run", async () => {
  const { receiver } = await traced(SAGA, SCRIPTS, {
    input: { items: [] },
    traceparent: CALLERS,
  });
  const run = receiver.named("run traced");
  assert.equal(run.parentSpanId, "00f067aa0ba902b7");
  assert.notEqual(run.spanId, "00f067aa0ba902b7");
  assert.deepEqual(new Set(receiver.spans.map(({ traceId }) => traceId)), new Set([run.traceId]));
});

Deno.test("a child run is in its step's span", async () => {
  const child = `name: child\n${HEAD.split("\n").slice(2).join("\n")}steps:
  - { id: work, service: shop, method: Label }
`;
  const text = `${HEAD}steps:\n  - { id: sub, workflow: child.yaml }\n`;
  const { receiver } = await traced(text, SCRIPTS, {}, { files: new Map([["child.yaml", child]]) });
  assert.deepEqual(outline(receiver.spans), [
    "run traced",
    "  step sub",
    "    run child",
    "      step work",
    "        shop/Label",
  ]);
});

for (
  const [what, start, env] of [
    ["whose caller records nothing", { traceparent: CALLERS.replace(/01$/, "00") }, {}],
    ["that the sampler leaves out", {}, {
      OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
      OTEL_TRACES_SAMPLER_ARG: "0",
    }],
  ] as const
) {
  Deno.test(`a trace ${what} is not sent, and services are told so`, async () => {
    const { receiver, world } = await traced(SAGA, SCRIPTS, { input: { items: [1] }, ...start }, {
      env,
    });
    assert.deepEqual(receiver.spans, []);
    assert.ok(world.calls.length > 0);
    for (const { metadata } of world.calls) assert.match(metadata["traceparent"] ?? "", /-00$/);
  });
}

Deno.test("a run that goes on in another process goes on in the same tree, wherever it was cut off", async () => {
  const whole = await traced(SAGA, SCRIPTS, { input: { items: [1] }, traceparent: CALLERS });
  // Which service a method belongs to is known to whoever has called it.
  const bare = (spans: readonly ReceivedSpan[]) =>
    outline(spans).map((line) => line.replace("shop/", ""));
  const expected = bare(whole.receiver.spans);
  for (let facts = 2;; facts++) {
    await using receiver = new OtlpReceiver();
    await using lost = new OtlpReceiver(); // what was not sent when the process was killed
    const to = (receiver: OtlpReceiver) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint });
    const clock = new JumpingClock();
    const world = new World(SCRIPTS, clock);
    const journal = memoryJournal();
    const first = await open(world, mortalJournal(journal, facts), to(lost));
    const workflow = workflowOf(SAGA);
    const start = { runId: "r", input: { items: [1] }, traceparent: CALLERS };
    await first.engine.start(workflow, start).then((run) => run.result()).catch(() => {});
    await first.close();
    if ((await journal.find("r")).endedAt !== null) { // there is nothing to go on with
      clock.stop();
      assert.ok(facts > 15, "it was cut off often enough");
      return;
    }
    const second = await open(world, journal, to(receiver));
    try {
      const { runs } = await second.engine.resumeAll();
      await Promise.all(runs.map((run) => run.result()));
      assert.equal(runs.length, 1);
    } finally {
      await second.close();
      clock.stop();
    }
    assert.deepEqual(bare(receiver.spans), expected, `cut off after ${facts} facts`);
    const ids = new Set(receiver.spans.map(({ spanId }) => spanId));
    assert.equal(ids.size, receiver.spans.length);
    for (const { metadata } of world.calls) {
      assert.ok(ids.has(spanOfCall(metadata) ?? ""), `the call after ${facts} facts has its span`);
    }
  }
});

// The last one: what the exporter has under way when it is left goes with its process.
Deno.test({
  name: "a collector that never answers holds nobody up for longer than two seconds",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const taken: Deno.Conn[] = [];
    const taking = (async () => {
      for await (const connection of silent) taken.push(connection);
    })();
    const clock = new JumpingClock();
    const process = await open(new World(SCRIPTS, clock), memoryJournal(), {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(silent.addr as Deno.NetAddr).port}`,
    });
    const run = await process.engine.start(workflowOf(SAGA), { input: { items: [] } });
    await run.result();
    const began = performance.now();
    await process.close();
    assert.ok(performance.now() - began < 5_000);
    clock.stop();
    silent.close();
    for (const connection of taken) connection.close();
    await taking;
  },
});
