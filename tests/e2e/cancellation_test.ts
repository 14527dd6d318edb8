// Cancellations and deadlines, as the services see them.

import assert from "node:assert/strict";
import { type ScriptedCall, startServer, status } from "../support/grpc_server.ts";
import { runToEnd } from "../support/running.ts";

/** A shop where `first` is done at once, `slow` waits to be cancelled, and `bad` fails once slow is there. */
async function startShop() {
  const slow = Promise.withResolvers<ScriptedCall>();
  const cancelled = Promise.withResolvers<number>();
  const server = await startServer({
    scripts: {
      "acme.shop.v1.Shop/Buy": async (call) => {
        const { sku } = call.request as { sku: string };
        if (sku === "bad") {
          await slow.promise;
          throw status(9, "No");
        }
        if (sku !== "slow") return { order_id: sku };
        slow.resolve(call);
        return await new Promise(() => {
          call.signal.addEventListener("abort", () => cancelled.resolve(performance.now()));
        });
      },
      "acme.shop.v1.Shop/Refund": () => ({}),
    },
  });
  return {
    server,
    endpoint: server.endpoint,
    calls: server.calls,
    /** The slow call, once it is there. */
    slow: slow.promise,
    /** When the server heard that nobody waits for the slow call any more. */
    cancelled: cancelled.promise,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

type Shop = Awaited<ReturnType<typeof startShop>>;

function withSteps({ endpoint }: Shop, steps: string, head = ""): string {
  return `name: cancellation
${head}
services:
  shop: { endpoint: "${endpoint}", attempt_timeout: 20s, proto_service: Shop }
steps:
  - id: first
    service: shop
    method: Buy
    input: { sku: first }
    compensate: { method: Refund, input: { sku: "{{ .first.order_id }}" } }
${steps}`;
}

const SLOW = "{ id: slow, service: shop, method: Buy, input: { sku: slow } }";
const BAD = "{ id: bad, service: shop, method: Buy, input: { sku: bad } }";

/** `Method sku` of every call. */
function seen({ calls }: Shop): string[] {
  return calls.map(({ method, request }) =>
    `${method.replace(/.*\//, "")} ${(request as { sku: string }).sku}`
  );
}

Deno.test("a run out of time cancels the call in flight at its server, and rolls back", async () => {
  await using shop = await startShop();
  const report = await runToEnd(
    withSteps(shop, `  - ${SLOW}\n`, "timeout: 500ms"),
    {},
    async () => void await shop.cancelled,
  );
  assert.equal(report.status, "timed_out");
  assert.deepEqual(seen(shop), ["Buy first", "Buy slow", "Refund first"]);
});

Deno.test("a cancelled run cancels the call in flight at its server, long before its deadline", async () => {
  await using shop = await startShop();
  const report = await runToEnd(withSteps(shop, `  - ${SLOW}\n`), {}, async (run) => {
    await shop.slow;
    await run.cancel("test");
    await shop.cancelled; // before the engine closes: that would end the call too
  });
  assert.equal(report.status, "cancelled");
  const { arrived } = await shop.slow;
  assert.ok(await shop.cancelled - arrived < 10_000);
  assert.deepEqual(seen(shop), ["Buy first", "Buy slow", "Refund first"]);
});

Deno.test("a branch that fails cancels its sibling at the server, long before its deadline", async () => {
  await using shop = await startShop();
  const later = "{ id: later, needs: [slow], service: shop, method: Buy, input: { sku: later } }";
  const report = await runToEnd(
    withSteps(shop, `  - parallel:\n      - ${SLOW}\n      - ${BAD}\n      - ${later}\n`),
    {},
    async () => void await shop.cancelled,
  );
  assert.equal(report.status, "compensated");
  assert.equal(report.error?.step, report.steps.find(({ id }) => id === "bad")?.path);
  const { arrived } = await shop.slow;
  assert.ok(await shop.cancelled - arrived < 10_000);
  assert.deepEqual(seen(shop).toSorted(), ["Buy bad", "Buy first", "Buy slow", "Refund first"]);
  assert.equal(report.steps.find(({ id }) => id === "slow")?.status, "cancelled");
});

Deno.test("a sibling that can be undone ends its call, and is undone", async () => {
  const there = Promise.withResolvers<void>();
  await using server = await startServer({
    scripts: {
      "acme.shop.v1.Shop/Buy": async ({ request }) => {
        const { sku } = request as { sku: string };
        if (sku === "bad") {
          await there.promise;
          throw status(9, "No");
        }
        there.resolve();
        await new Promise((resolve) => setTimeout(resolve, 300));
        return { order_id: sku };
      },
      "acme.shop.v1.Shop/Refund": () => ({}),
    },
  });
  const report = await runToEnd(`name: siblings
services: { shop: { endpoint: "${server.endpoint}", proto_service: Shop } }
steps:
  - parallel:
      - ${BAD}
      - id: slow
        service: shop
        method: Buy
        input: { sku: slow }
        compensate: { method: Refund, input: { sku: "{{ .slow.order_id }}" } }
`);
  assert.equal(report.status, "compensated");
  assert.equal(server.cancelled, 0);
  const refund = server.calls.at(-1)!;
  assert.deepEqual(refund.request, { sku: "slow" });
  const slow = report.steps.find(({ id }) => id === "slow")!;
  assert.deepEqual([slow.status, slow.compensation?.status], ["completed", "done"]);
  const run = report.run_id;
  assert.equal(refund.metadata["idempotency-key"], `${run}/${slow.path}/compensate`);
  assert.equal(refund.metadata["maestro-action-key"], `${run}/${slow.path}/action`);
  assert.equal(refund.metadata["maestro-op"], "compensate");
});

/** What the server is told: the least of what attempt, step and run have left. */
const DEADLINES: readonly (readonly [name: string, head: string, step: string, most: number])[] = [
  ["its attempt_timeout", "", "", 20_000],
  ["its step's own attempt_timeout", "", ", attempt_timeout: 7s", 7_000],
  ["what its step has left", "", ", timeout: 5s", 5_000],
  ["what its run has left", "timeout: 3s", ", timeout: 5s", 3_000],
];

for (const [name, head, step, most] of DEADLINES) {
  Deno.test(`a call's deadline at its server is ${name}`, async () => {
    await using shop = await startShop();
    const steps = `  - { id: timed, service: shop, method: Buy, input: { sku: timed }${step} }\n`;
    await runToEnd(withSteps(shop, steps, head));
    const { timeout } = shop.calls[1]!;
    // Two seconds for a slow machine: the next longer limit is further away than that.
    assert.ok(timeout <= most + 50 && timeout > most - 1_990, `${timeout} ms`);
  });
}
