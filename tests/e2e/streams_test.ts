// Streams in workflows: what they give to expressions, when they are made again, and what a failure
// says in detail.

import assert from "node:assert/strict";
import { BadRequestSchema, HelpSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { maestro } from "../cli/program.ts";
import { type Script, startServer, status } from "../support/grpc_server.ts";
import { tempFiles } from "../support/temp_files.ts";

const WATCH = "acme.shop.v1.Shop/Watch";
const UPLOAD = "acme.shop.v1.Shop/Upload";
const TALK = "acme.shop.v1.Shop/Talk";
const BUY = "acme.shop.v1.Shop/Buy";
const REFUND = "acme.shop.v1.Shop/Refund";

/** Runs these steps against a shop. */
async function run(scripts: Readonly<Record<string, Script>>, steps: string, settings = "") {
  await using shop = await startServer({ scripts });
  await using files = await tempFiles({
    "shop.yaml": `name: streams
services:
  shop: { endpoint: "${shop.endpoint}", proto_service: Shop${settings} }
steps:
${steps}`,
  });
  const ended = await maestro(["run", "shop.yaml", "--output", "json", "--run-id", "r"], {
    cwd: files.directory,
  });
  return { ...ended, report: JSON.parse(ended.stdout), calls: shop.calls };
}

/** What came by a stream of requests. */
async function skusOf(requests: AsyncIterable<unknown>): Promise<string[]> {
  const skus: string[] = [];
  for await (const request of requests) skus.push((request as { sku?: string }).sku ?? "");
  return skus;
}

Deno.test("a stream's messages are a list in expressions, and a list is sent as a stream", async () => {
  const uploaded: string[][] = [];
  const { code, stderr, report } = await run(
    {
      [WATCH]: async function* () {
        yield* [{ order_id: "a", total: { units: "9007199254740993" } }, { order_id: "b" }];
      },
      [UPLOAD]: async ({ requests }) => {
        uploaded.push(await skusOf(requests));
        return { order_id: "all" };
      },
      [TALK]: async function* ({ requests }) {
        for (const sku of await skusOf(requests)) yield { order_id: `for ${sku}` };
      },
    },
    `  - { id: watch, service: shop, method: Watch, output: orders }
  - id: upload
    service: shop
    method: Upload
    input:
      - sku: "{{ .orders[1].order_id }}"
      - { sku: "{{ string(.orders[0].total.units + 1) }}" }
      - {}
  - id: talk
    service: shop
    method: Talk
    input: "{{ .orders.map(order, {'sku': order.order_id}) }}"
  - set: { said: "{{ .talk.map(reply, reply.order_id).join(', ') }}", many: "{{ size(.talk) }}" }
`,
  );
  assert.equal(code, 0, stderr);
  assert.deepEqual(uploaded, [["b", "9007199254740994", ""]]);
  assert.deepEqual(report.steps[0].output, [
    { order_id: "a", total: { currency: "", units: "9007199254740993", nanos: 0 } },
    { order_id: "b" },
  ]);
  assert.deepEqual(report.steps[3].output, { said: "for a, for b", many: 2 });
});

Deno.test("a stream is made again as long as no message has come back, and then no more", async () => {
  const { code, report, calls } = await run(
    {
      [WATCH]: async function* ({ count }) {
        if (count > 1) yield { order_id: "a" };
        throw await Promise.resolve(status(14, `attempt ${count}`));
      },
    },
    "  - { id: watch, service: shop, method: Watch }\n",
    ", retry: { attempts: 5, initial_delay: 1ms, jitter: 0, codes: [UNAVAILABLE] }",
  );
  assert.equal(code, 1);
  assert.deepEqual(calls.map(({ metadata }) => metadata["maestro-attempt"]), ["1", "2"]);
  const { message, attempts, outcome } = report.error;
  assert.deepEqual([message, attempts, outcome], ["attempt 2", 2, "unknown"]);
});

Deno.test("max_messages of a step, else of its service, bounds what a stream may answer", async () => {
  const scripts: Readonly<Record<string, Script>> = {
    [WATCH]: async function* () {
      for (let index = 0; index < 3; index++) yield await { order_id: String(index) };
    },
  };
  const steps = `  - { id: own, service: shop, method: Watch, max_messages: 3 }
  - { id: bounded, service: shop, method: Watch }
`;
  const { report, stderr } = await run(scripts, steps, ", max_messages: 2");
  assert.equal(report.steps[0].status, "completed", stderr);
  const { step, code, message } = report.error;
  assert.deepEqual([step, code], ["bounded", "RESOURCE_EXHAUSTED"]);
  assert.match(message, /answered with more than 2 messages, its "max_messages"$/);
});

Deno.test("a request that does not fit its stream is found before anything is sent", async () => {
  const { report, stderr, calls } = await run(
    { [UPLOAD]: () => ({ order_id: "all" }) },
    "  - { id: upload, service: shop, method: Upload, input: { sku: a } }\n",
  );
  assert.equal(report.error.code, "INVALID_REQUEST");
  assert.match(
    stderr,
    /input: Cannot use an object as a stream: acme\.shop\.v1\.Shop\/Upload takes a list of acme\.shop\.v1\.BuyRequest/,
  );
  assert.deepEqual(calls, []);
});

Deno.test("a failure's details can be used in expressions, and people are told what they say", async () => {
  const { report, stderr, calls } = await run(
    {
      [BUY]: () => {
        throw status(14, "Half of it is written", {
          details: [
            [BadRequestSchema, { fieldViolations: [{ field: "sku", description: "unknown" }] }],
            [HelpSchema, { links: [{ description: "Skus", url: "https://acme.com/skus" }] }],
          ],
        });
      },
      [REFUND]: () => ({}),
    },
    `  - id: buy
    service: shop
    method: Buy
    compensate:
      method: Refund
      input:
        sku: >-
          {{ .steps.buy.error.details
             .filter(d, d['@type'].endsWith('BadRequest'))[0].field_violations[0].field }}
`,
  );
  assert.equal(report.status, "compensated", stderr);
  assert.deepEqual(calls.map(({ method, request }) => [method, request]), [
    [BUY, {}],
    [REFUND, { sku: "sku" }],
  ]);
  assert.match(stderr, /\n {2}Field sku: unknown\n {2}Skus: https:\/\/acme\.com\/skus\n/);
});
