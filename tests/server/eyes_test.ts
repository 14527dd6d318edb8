/** What those see who watch over a server: traces, metrics, schedules, and calls when a run is parked. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import grpc from "@grpc/grpc-js";
import { lacksTools, startExamples } from "../support/example_services.ts";
import { startServer, status } from "../support/grpc_server.ts";
import { OtlpReceiver, type ReceivedSpan } from "../support/otlp_receiver.ts";
import { fromFileUrl } from "../support/paths.ts";
import { readPrometheus } from "../support/prometheus.ts";
import { tempFiles } from "../support/temp_files.ts";
import { serve } from "./serving.ts";
import { APPROVAL, shop } from "./workflows.ts";

const BUY = "acme.shop.v1.Shop/Buy";
const REFUND = "acme.shop.v1.Shop/Refund";
const CALLERS = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const PROTOS = fromFileUrl(new URL("../../examples/services/proto", import.meta.url));

/** Spans as an outline: each below the one around it, in the order of their beginnings. */
function outline(spans: readonly ReceivedSpan[], around: string, depth = 0): string[] {
  return spans.filter(({ parentSpanId }) => parentSpanId === around)
    .sort((a, b) => Number(a.from - b.from))
    .flatMap(({ service, name, spanId }) => [
      `${"  ".repeat(depth)}${service}: ${name}`,
      ...outline(spans, spanId, depth + 1),
    ]);
}

const joins = "a run over the Python and Go services is one tree, with their spans in it";
Deno.test({
  name: joins,
  ignore: lacksTools(joins, ["python", "go"]),
  async fn() {
    await using receiver = new OtlpReceiver();
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      OTEL_BSP_SCHEDULE_DELAY: "100",
    };
    await using examples = await startExamples({ languages: ["python", "go"], env });
    const { inventory, payments } = examples.services.endpoints;
    await using files = await tempFiles({
      "order.yaml": `name: order
services:
  inventory: { endpoint: "${inventory}" }
  payments: { endpoint: "${payments}", proto: [${PROTOS}/payments/v1/payments.proto], import_paths: [${PROTOS}] }
steps:
  - id: reserve
    service: inventory
    method: Reserve
    input: { order_id: "{{ .run.id }}", items: [ { sku: KEYBOARD, quantity: 1 } ] }
    output: stock
    compensate: { method: Release, input: { order_id: "{{ .run.id }}" } }
  - id: charge
    service: payments
    method: Charge
    input:
      order_id: "{{ .run.id }}"
      amount: "{{ .stock.reservation.total }}"
      card_token: tok_visa
    compensate: { method: Refund, input: { order_id: "{{ .run.id }}" } }
  - fail: { code: FAILED_PRECONDITION, message: No carrier }
`,
    });
    await using server = await serve({ workflows: files.directory, env });
    await server.ask("POST", "/runs", { workflow: "order", run_id: "o1", traceparent: CALLERS });
    const ofRun = () => receiver.spans.filter(({ traceId }) => CALLERS.includes(traceId));
    await receiver.until(() =>
      ofRun().some(({ name }) => name === "run order") &&
      ofRun().filter(({ kind }) => kind === 2).length >= 4
    );
    assert.equal((await server.ask("GET", "/runs/o1")).body.status, "compensated");
    const shown = outline(ofRun(), "00f067aa0ba902b7");
    assert.deepEqual(shown, [
      "maestro: run order",
      "  maestro: step reserve",
      "    maestro: inventory.v1.Inventory/Reserve",
      "      example-python: /inventory.v1.Inventory/Reserve",
      "  maestro: step charge",
      "    maestro: payments.v1.Payments/Charge",
      "      example-go: payments.v1.Payments/Charge",
      "  maestro: step steps[2]",
      "  maestro: rollback order",
      "    maestro: compensate charge",
      "      maestro: payments.v1.Payments/Refund",
      "        example-go: payments.v1.Payments/Refund",
      "    maestro: compensate reserve",
      "      maestro: inventory.v1.Inventory/Release",
      "        example-python: /inventory.v1.Inventory/Release",
    ]);
    assert.equal(shown.length, ofRun().length, "there is nothing beside the tree");
    const traced = server.log.filter((line) => line["run_id"] === "o1" && line["step"]);
    for (const line of traced) assert.ok(CALLERS.includes(String(line["trace_id"])));
    assert.ok(traced.length > 0);
  },
});

Deno.test("serve starts runs by the clock, once over two servers, and tells when the next ones come", async () => {
  await using files = await tempFiles({
    "w/tick.yaml": `name: tick
schedule: { cron: "* * * * * *", timezone: Europe/Berlin, input: { n: 1 } }
steps: [ { set: { n: "{{ .input.n }}" } } ]
`,
  });
  const options = { workflows: files.path("w"), store: `sqlite:${files.path("runs.db")}` };
  await using first = await serve(options);
  await using second = await serve(options);
  const started = (line: Readonly<Record<string, unknown>>) =>
    line["message"] === "schedule started a run";
  for (const server of [first, second]) await server.logged(({ workflow }) => workflow === "tick");
  while (first.log.filter(started).length + second.log.filter(started).length < 3) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { body: detail } = await first.ask("GET", "/workflows/tick");
  assert.deepEqual(
    { ...detail.schedule, next_times: detail.schedule.next_times.length },
    { cron: "* * * * * *", timezone: "Europe/Berlin", overlap: "skip", next_times: 5 },
  );
  for (const server of [first, second]) {
    server.kill("SIGTERM");
    assert.equal(await server.ended(), 0);
  }
  const ids = [...first.log, ...second.log].filter(started).map(({ run_id }) => run_id);
  assert.equal(new Set(ids).size, ids.length, "no moment was started twice");
  for (const id of ids) assert.match(String(id), /^tick@\d{8}T\d{6}Z$/);

  await using third = await serve(options);
  const { body: { runs } } = await third.ask("GET", "/runs?workflow=tick&page_size=1000");
  const found = runs.map(({ run_id }: { run_id: string }) => run_id);
  for (const id of ids) assert.ok(found.includes(id));
});

Deno.test("serve shows metrics, and calls a webhook when a run is parked", async () => {
  const calls: { readonly body: string; readonly headers: Headers }[] = [];
  const called = Promise.withResolvers<void>();
  await using hook = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      calls.push({ body: await request.text(), headers: request.headers });
      called.resolve();
      return new Response();
    },
  );
  const scripts = {
    [BUY]: () => ({}),
    [REFUND]: () => {
      throw status(grpc.status.PERMISSION_DENIED, "Not you");
    },
  };
  await using services = await startServer({ scripts });
  await using files = await tempFiles({
    "w/shop.yaml": shop(services.endpoint),
    "w/approval.yaml": APPROVAL,
    "secret.txt": "s3cr3t-of-the-hook\n",
  });
  await using server = await serve({
    workflows: files.path("w"),
    args: [
      "--on-attention",
      `http://127.0.0.1:${hook.addr.port}/`,
      "--on-attention-secret",
      files.path("secret.txt"),
    ],
  });
  await server.ask("POST", "/runs", { workflow: "shop", run_id: "r1", input: { sku: "bad" } });
  await server.ask("POST", "/runs", { workflow: "shop", run_id: "r2", input: { sku: "good" } });
  await called.promise;
  const [{ body, headers }] = calls as [typeof calls[number]];
  const { data } = JSON.parse(body);
  assert.deepEqual([data.run_id, data.step, data.code], ["r1", "buy", "PERMISSION_DENIED"]);
  const signed = `${headers.get("webhook-id")}.${headers.get("webhook-timestamp")}.${body}`;
  const signature = createHmac("sha256", "s3cr3t-of-the-hook").update(signed).digest("base64");
  assert.equal(headers.get("webhook-signature"), `v1,${signature}`);
  await server.logged(({ message }) => message === "waits for an operator");
  await server.logged(({ message }) => message === "attention webhook delivered");

  const { status: code, headers: answered, body: text } = await server.ask("GET", "/metrics");
  assert.equal(code, 200);
  assert.match(answered.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  const metrics = readPrometheus(text);
  const value = (name: string, label: string) =>
    metrics.get(name)?.find(({ labels }) => Object.values(labels).includes(label))?.value;
  assert.equal(value("maestro_runs", "needs_attention"), 1);
  assert.equal(value("maestro_runs", "completed"), 1);
  assert.equal(value("maestro_runs_started_total", "shop"), 2);
  assert.equal(value("maestro_attention_raised_total", "shop"), 1);
  assert.equal(value("maestro_attention_notifications_total", "delivered"), 1);
  assert.equal(value("maestro_service_calls_in_flight", "shop"), 0);
  assert.equal(metrics.get("maestro_server_runs_queued")?.[0]?.value, 0);
  assert.ok((metrics.get("maestro_journal_commit_duration_seconds")?.[0]?.count ?? 0) > 0);
  assert.doesNotMatch(JSON.stringify(server.log), /s3cr3t/);
});

Deno.test("a server that is killed before it could tell of a parked run tells at its next start", async () => {
  const ids: (string | null)[] = [];
  const answers = [Promise.withResolvers<Response>(), Promise.withResolvers<Response>()];
  const asked = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  await using hook = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async ({ headers }) => {
      const nth = ids.push(headers.get("webhook-id")) - 1;
      asked[nth]?.resolve();
      return await answers[nth]?.promise ?? new Response();
    },
  );
  const scripts = {
    [BUY]: () => ({}),
    [REFUND]: () => {
      throw status(grpc.status.PERMISSION_DENIED, "Not you");
    },
  };
  await using services = await startServer({ scripts });
  await using files = await tempFiles({ "w/shop.yaml": shop(services.endpoint), "key": "k3y" });
  const options = {
    workflows: files.path("w"),
    store: `sqlite:${files.path("runs.db")}`,
    args: [
      "--on-attention",
      `http://127.0.0.1:${hook.addr.port}/`,
      "--on-attention-secret",
      files.path("key"),
    ],
  };
  {
    await using server = await serve(options);
    await server.ask("POST", "/runs", { workflow: "shop", run_id: "r1", input: { sku: "bad" } });
    await asked[0]?.promise;
    server.kill("SIGKILL");
  }
  answers[0]?.resolve(new Response());
  await using server = await serve(options);
  await asked[1]?.promise;
  answers[1]?.resolve(new Response());
  await server.logged(({ message }) => message === "attention webhook delivered");
  assert.equal(ids[1], ids[0]);
  assert.match(String(ids[0]), /^r1\/\d+$/);
});
