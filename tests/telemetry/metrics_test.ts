/** Metrics as Prometheus reads them, and as a collector gets them. */
import assert from "node:assert/strict";
import { parser } from "@prometheus-io/lezer-promql";
import { parse as parseYaml } from "yaml";
import { Engine } from "../../src/engine/engine.ts";
import { memoryJournal } from "../../src/store/memory.ts";
import { INSTRUMENTS, prometheusName } from "../../src/telemetry/instruments.ts";
import { openTelemetry, type Telemetry } from "../../src/telemetry/telemetry.ts";
import { JumpingClock } from "../support/clock.ts";
import { workflowOf } from "../support/engines.ts";
import { OtlpReceiver } from "../support/otlp_receiver.ts";
import { readPrometheus as read, type Sample } from "../support/prometheus.ts";
import { type Script, World } from "../support/world.ts";

const ORDER = `name: order
services:
  shop: { endpoint: "shop:50051", retry: { attempts: 3, jitter: 0 } }
  odd: { endpoint: 'unix:/tmp/a"b\\c' }
steps:
  - { id: charge, service: shop, method: Charge, compensate: { method: Refund } }
  - id: ship
    foreach: "{{ .input.items }}"
    steps: [ { id: label, service: odd, method: Label } ]
  - { id: book, service: shop, method: Book }
`;

const SCRIPTS: Readonly<Record<string, Script>> = {
  "shop/Charge": (_call, nth) => nth < 3 ? { fail: "UNAVAILABLE" } : { answer: {}, after: 300 },
  "shop/Refund": { answer: {} },
  "odd/Label": { answer: {} },
  "shop/Book": { fail: "FAILED_PRECONDITION" },
};

const here = (file: string) => new URL(`../../docs/operations/${file}`, import.meta.url);
const dashboard = JSON.parse(await Deno.readTextFile(here("dashboard.json")));
const alerts = parseYaml(await Deno.readTextFile(here("alerts.yaml")));

/** What the dashboard and the alerts ask Prometheus. */
const QUERIES: readonly string[] = [
  ...dashboard.panels.flatMap(({ targets = [] }: { targets?: { expr: string }[] }) =>
    targets.map(({ expr }) => expr)
  ),
  ...dashboard.templating.list.flatMap(({ definition = "" }: { definition?: string }) => {
    const [, metric, label] = /^label_values\((\w+), (\w+)\)$/.exec(definition) ?? [];
    return metric === undefined ? [] : [`count by (${label}) (${metric})`];
  }),
  ...alerts.groups.flatMap(({ rules }: { rules: { expr: string }[] }) =>
    rules.map(({ expr }) => expr)
  ),
];

async function withTelemetry(
  test: (stage: { telemetry: Telemetry; engine: Engine; clock: JumpingClock }) => Promise<void>,
  { scripts = SCRIPTS, env = {} }: {
    readonly scripts?: Readonly<Record<string, Script>>;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<void> {
  const telemetry = await openTelemetry({ version: "1.0.0", env: (name) => env[name] });
  const clock = new JumpingClock();
  const journal = telemetry.timed(memoryJournal());
  const engine = new Engine({
    caller: new World(scripts, clock).caller(),
    clock,
    random: () => 0,
    ...telemetry.engine,
    journal,
  });
  telemetry.watch(engine, {
    countRuns: async () => {
      const counts: Record<string, number> = { completed: 0 };
      for (const { status } of await journal.list({})) counts[status] = (counts[status] ?? 0) + 1;
      return counts;
    },
    load: () => ({ inFlight: 3, queued: 7 }),
  });
  try {
    await test({ telemetry, engine, clock });
  } finally {
    await engine.close();
    await telemetry.close();
    clock.stop();
  }
}

Deno.test("metrics count runs, steps, attempts, retries, breakers, queues and commits", () =>
  withTelemetry(async ({ telemetry, engine }) => {
    const run = await engine.start(workflowOf(ORDER), { input: { items: [1, 2] } });
    assert.equal((await run.result()).status, "compensated");
    telemetry.onMoment({ workflow: "order", at: 0, runId: "order@1", outcome: "skipped" });
    telemetry.notified("delivered");
    const metrics = read(await telemetry.metricsText());
    const one = (name: string, labels: Readonly<Record<string, string>> = {}): Sample => {
      const found = (metrics.get(name) ?? []).filter((sample) =>
        Object.entries(labels).every(([key, value]) => sample.labels[key] === value)
      );
      assert.equal(found.length, 1, `${name} ${JSON.stringify([labels, metrics.get(name)])}`);
      return found[0] as Sample; // there is one
    };
    const order = { maestro_workflow: "order" };
    assert.equal(one("maestro_runs", { maestro_run_status: "compensated" }).value, 1);
    assert.equal(one("maestro_runs", { maestro_run_status: "completed" }).value, 0);
    assert.equal(one("maestro_runs_started_total", order).value, 1);
    const ended = one("maestro_run_duration_seconds", {
      ...order,
      maestro_run_status: "compensated",
    });
    assert.equal(ended.count, 1);
    assert.equal(Number(ended.sum), 0.5 + 1 + 0.3); // two backoffs, and the call
    assert.deepEqual([ended.buckets["1"], ended.buckets["2.5"], ended.buckets["+Inf"]], [0, 1, 1]);
    const labels = one("maestro_step_duration_seconds", { maestro_step: "ship[].label" });
    assert.equal(labels.count, 2, "rounds are one step");
    const undone = { maestro_step: "charge", maestro_step_op: "compensate" };
    assert.equal(one("maestro_step_duration_seconds", undone).count, 1);
    assert.equal(one("maestro_call_retries_total", { rpc_method: "shop/Charge" }).value, 2);
    const failed = { rpc_method: "shop/Charge", rpc_response_status_code: "UNAVAILABLE" };
    assert.deepEqual(one("rpc_client_call_duration_seconds", failed).labels, {
      rpc_system_name: "grpc",
      ...failed,
      maestro_service: "shop",
      server_address: "shop",
      server_port: "50051",
      error_type: "UNAVAILABLE",
    });
    const closed = { maestro_service: "shop", maestro_circuit_breaker_state: "closed" };
    assert.equal(one("maestro_circuit_breaker_state", closed).value, 1);
    const open = { ...closed, maestro_circuit_breaker_state: "open" };
    assert.equal(one("maestro_circuit_breaker_state", open).value, 0);
    for (const what of ["in_flight", "queued", "waiting"]) {
      assert.equal(one(`maestro_service_calls_${what}`, { maestro_service: "shop" }).value, 0);
    }
    assert.equal(one("maestro_server_runs_in_flight").value, 3);
    assert.equal(one("maestro_server_runs_queued").value, 7);
    assert.ok(Number(one("maestro_journal_commit_duration_seconds").count) > 5);
    assert.equal(one("maestro_schedule_moments_total", { maestro_outcome: "skipped" }).value, 1);
    assert.equal(one("maestro_attention_notifications_total").value, 1);
    assert.ok(Number(one("process_memory_usage_bytes").value) > 1e6);
    const odd = metrics.get("rpc_client_call_duration_seconds")?.map(({ labels }) =>
      labels["server_address"]
    );
    assert.ok(odd?.includes('unix:/tmp/a"b\\c'), "a quote breaks nothing");
  }));

Deno.test("a parked run is seen, and counted once", () =>
  withTelemetry(async ({ telemetry, engine }) => {
    const run = await engine.start(workflowOf(ORDER), { input: { items: [] } });
    assert.equal((await run.result()).status, "needs_attention");
    const metrics = read(await telemetry.metricsText());
    const parked = metrics.get("maestro_runs")
      ?.find(({ labels }) => labels["maestro_run_status"] === "needs_attention");
    assert.equal(parked?.value, 1);
    assert.equal(metrics.get("maestro_attention_raised_total")?.[0]?.value, 1);
    assert.equal(metrics.get("maestro_run_duration_seconds"), undefined, "it has not ended");
  }, {
    scripts: { ...SCRIPTS, "shop/Refund": { fail: "PERMISSION_DENIED" } },
  }));

Deno.test("what can't be asked now is left out of the metrics", async () => {
  const telemetry = await openTelemetry({ version: "1.0.0", env: () => undefined });
  const engine = new Engine({
    caller: new World({}, new JumpingClock()).caller(),
    journal: memoryJournal(),
  });
  telemetry.watch(engine, {
    countRuns: () => Promise.reject(new Error("The disk is gone")),
    load: () => ({ inFlight: 0, queued: 0 }),
  });
  const metrics = read(await telemetry.metricsText());
  assert.equal(metrics.has("maestro_runs"), false);
  assert.equal(metrics.has("maestro_server_runs_queued"), true);
  await engine.close();
  await telemetry.close();
});

Deno.test("a call that queues behind an open breaker is seen", () =>
  withTelemetry(async ({ telemetry, engine }) => {
    const workflow = workflowOf(`name: held
services: { shop: { endpoint: "shop:50051" } }
steps:
  - { id: a, service: shop, method: Refund }
  - { id: b, service: shop, method: Refund }
`);
    await (await engine.start(workflow)).result();
    const [breaker] = engine.breakers();
    breaker?.forceOpen();
    const waits = Promise.withResolvers<void>();
    const run = await engine.start(workflow, {
      onHappening: (event) => event.kind === "breaker_waiting" && waits.resolve(),
    });
    await waits.promise;
    const metrics = read(await telemetry.metricsText());
    assert.equal(metrics.get("maestro_service_calls_waiting")?.[0]?.value, 1);
    const state = metrics.get("maestro_circuit_breaker_state")?.find(({ value }) => value === 1);
    assert.equal(state?.labels["maestro_circuit_breaker_state"], "forced_open");
    breaker?.reset();
    await run.result();
  }));

Deno.test("services that differ in their settings add up, and those without a breaker are seen", () =>
  withTelemetry(async ({ telemetry, engine }) => {
    const asked: PromiseWithResolvers<void>[] = [];
    const settings = ["attempt_timeout: 1h", "attempt_timeout: 2h", "circuit_breaker: false"];
    for (const each of settings) {
      const begun = Promise.withResolvers<void>();
      asked.push(begun);
      await engine.start(
        workflowOf(`name: slow
services:
  shop: { endpoint: "${each.startsWith("circuit") ? "plain" : "shop"}:50051", ${each} }
steps: [ { parallel: [ { id: a, service: shop, method: Hang }, { id: b, service: shop, method: Hang } ] } ]
`),
        { onHappening: (event) => event.kind === "attempt_started" && begun.resolve() },
      );
    }
    for (const { promise } of asked) await promise;
    engine.breakers()[1]?.forceOpen();
    const metrics = read(await telemetry.metricsText());
    const values = (name: string, label: string) =>
      metrics.get(name)?.map(({ labels, value }) => [labels[label], value]);
    assert.deepEqual(values("maestro_service_calls_in_flight", "maestro_endpoint"), [
      ["shop:50051", 4],
      ["plain:50051", 2],
    ]);
    assert.deepEqual(
      values("maestro_circuit_breaker_state", "maestro_circuit_breaker_state"),
      [["closed", 1], ["open", 0], ["half_open", 0], ["forced_open", 1]],
    );
    assert.deepEqual(values("maestro_service_calls_waiting", "maestro_endpoint"), [
      ["shop:50051", 0],
    ]);
  }, { scripts: { "shop/Hang": { hang: true } } }));

Deno.test("every metric that is named comes, and a collector gets the same", async (t) => {
  await using receiver = new OtlpReceiver();
  const env = { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${receiver.endpoint}/v1/metrics` };
  let text = "";
  await withTelemetry(async ({ telemetry, engine }) => {
    const run = await engine.start(workflowOf(ORDER), { input: { items: [1] } });
    await run.result();
    const parked = await engine.start(
      workflowOf(ORDER.replace("method: Refund", "method: Refuse")),
      { input: { items: [1] } },
    );
    await parked.result();
    telemetry.onMoment({ workflow: "order", at: 0, runId: "order@1", outcome: "started" });
    telemetry.notified("failed");
    text = await telemetry.metricsText();
  }, { scripts: { ...SCRIPTS, "shop/Refuse": { fail: "PERMISSION_DENIED" } }, env });
  const metrics = read(text);
  const names = new Set(metrics.keys());
  for (const instrument of Object.values(INSTRUMENTS)) {
    assert.ok(names.has(prometheusName(instrument)), instrument.name);
    assert.ok(receiver.metrics.has(instrument.name), instrument.name);
  }
  assert.equal(names.size, Object.keys(INSTRUMENTS).length);

  await t.step("the dashboard and the alerts ask for nothing else", () => {
    const histograms = [...metrics].flatMap(([name, [sample]]) =>
      sample?.count === undefined ? [] : ["bucket", "sum", "count"].map((part) => `${name}_${part}`)
    );
    const known = new Set([...names, ...histograms]);
    // A scraper adds who was scraped; with a breaker for each method there is its method.
    const labelsOf = (metric: string) => [
      ...["le", "instance", ...(/breaker|waiting/.test(metric) ? ["rpc_method"] : [])],
      ...(metrics.get(metric) ?? []).flatMap(({ labels }) => Object.keys(labels)),
    ];
    const asked = new Set<string>();
    for (const query of QUERIES) {
      const { metrics, labels: used } = namesIn(query);
      assert.ok(metrics.length > 0, query);
      const labels = new Set<string>();
      for (const metric of metrics) {
        assert.ok(known.has(metric), `${metric} in ${query}`);
        const whole = metric.replace(/_(bucket|count|sum)$/, "");
        asked.add(whole);
        for (const label of labelsOf(whole)) labels.add(label);
      }
      for (const label of used) assert.ok(labels.has(label), `${label} in ${query}`);
    }
    assert.deepEqual([...names].filter((name) => !asked.has(name)), [], "all of them are shown");
  });
});

/** What a query names; it has to be one that Prometheus' grammar takes. */
function namesIn(query: string): { readonly metrics: string[]; readonly labels: string[] } {
  const text = query.replaceAll("$__rate_interval", "5m"); // by Grafana, before it is sent
  const metrics: string[] = [];
  const labels: string[] = [];
  parser.parse(text).iterate({
    enter({ name, type, from, to }) {
      assert.ok(!type.isError, `not PromQL at ${from}: ${query}`);
      if (name === "Identifier") metrics.push(text.slice(from, to));
      if (name === "LabelName") labels.push(text.slice(from, to));
    },
  });
  return { metrics, labels };
}

/** Prometheus' own parser for Python, and what it makes of a text. */
const PARSE = `
import json, sys
from prometheus_client.parser import text_string_to_metric_families
print(json.dumps({family.name: family.type for family in text_string_to_metric_families(sys.stdin.read())}))
`;

Deno.test("Prometheus' own parser reads the metrics", async () => {
  let text = "";
  await withTelemetry(async ({ telemetry, engine }) => {
    const run = await engine.start(workflowOf(ORDER), { input: { items: [1] } });
    await run.result();
    text = await telemetry.metricsText();
  });
  const directory = await Deno.makeTempDir();
  try {
    await output("python3", ["-m", "venv", directory]);
    const python = `${directory}/bin/python`;
    await output(python, ["-m", "pip", "install", "--quiet", "prometheus-client==0.26.0"]);
    const families = JSON.parse(await output(python, ["-c", PARSE], text));
    assert.equal(families["maestro_run_duration_seconds"], "histogram");
    assert.equal(families["maestro_runs"], "gauge");
    assert.equal(families["maestro_runs_started"], "counter");
    assert.equal(Object.keys(families).length, read(text).size);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

async function output(command: string, args: readonly string[], input = ""): Promise<string> {
  const process = new Deno.Command(command, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout } = await process.output();
  assert.ok(success, `${command} ${args.join(" ")}`);
  return new TextDecoder().decode(stdout);
}
