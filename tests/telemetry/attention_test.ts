/** The webhook that is told of parked runs. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { Engine } from "../../src/engine/engine.ts";
import { memoryJournal } from "../../src/store/memory.ts";
import { AttentionWebhook, type Notification } from "../../src/telemetry/attention.ts";
import { JumpingClock } from "../support/clock.ts";
import { workflowOf } from "../support/engines.ts";
import { World } from "../support/world.ts";

const SECRET = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const CALLERS = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

const PARKING = `name: parking
version: "2"
services: { shop: { endpoint: "shop:1" } }
steps:
  - id: buy
    service: shop
    method: Buy
    compensate: { method: Refund, input: { card: "card-4711" } }
  - { id: ship, service: shop, method: Refuse }
`;

/** One call of the webhook. */
interface Called {
  readonly headers: Headers;
  readonly body: string;
  readonly at: number;
}

interface Stage {
  readonly clock: JumpingClock;
  readonly calls: readonly Called[];
  readonly outcomes: readonly (readonly [string, Notification])[];
  readonly webhook: AttentionWebhook;
  /** Runs the workflow until it is parked. */
  park(): Promise<void>;
  /** Resolves once something has become of a notification. */
  readonly told: Promise<void>;
}

async function stage(
  answer: (nth: number) => Response | Promise<Response>,
  test: (stage: Stage) => Promise<void>,
): Promise<void> {
  const clock = new JumpingClock();
  const calls: Called[] = [];
  const outcomes: (readonly [string, Notification])[] = [];
  const told = Promise.withResolvers<void>();
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = Deno.serve(options, async (request) => {
    calls.push({ headers: request.headers, body: await request.text(), at: clock.now() });
    return await answer(calls.length);
  });
  const webhook = new AttentionWebhook({
    url: `http://127.0.0.1:${server.addr.port}/hook?team=a`,
    secret: `whsec_${SECRET}`,
    clock,
    onOutcome: (outcome, notification) => {
      outcomes.push([outcome, notification]);
      told.resolve();
    },
  });
  const world = new World({
    "shop/Buy": { answer: {} },
    "shop/Refuse": { fail: "FAILED_PRECONDITION" },
    "shop/Refund": { fail: "PERMISSION_DENIED", message: "Ada may not", reason: "NOT_HERS" },
  }, clock);
  const engine = new Engine({
    caller: world.caller(),
    journal: memoryJournal(),
    clock,
    random: () => 0,
    onHappening: webhook.onHappening,
  });
  const park = async () => {
    const run = await engine.start(workflowOf(PARKING), {
      runId: "r",
      correlationId: "c",
      traceparent: CALLERS,
    });
    assert.equal((await run.result()).status, "needs_attention");
  };
  try {
    await test({ clock, calls, outcomes, webhook, park, told: told.promise });
  } finally {
    await engine.close();
    await webhook.close();
    clock.stop();
    await server.shutdown();
  }
}

const fine = () => new Response("thanks");

Deno.test("a parked run is told to the webhook, signed, with nothing of its data", () =>
  stage(fine, async ({ calls, outcomes, park, told }) => {
    await park();
    await told;
    assert.deepEqual(outcomes, [["delivered", { runId: "r", step: "buy", attempts: 1 }]]);
    const [{ headers, body }] = calls as [Called];
    const { timestamp, ...message } = JSON.parse(body);
    assert.match(timestamp, /^2026-01-01T00:00:00/);
    assert.deepEqual(message, {
      type: "run.needs_attention",
      data: {
        run_id: "r",
        root_run_id: "r",
        correlation_id: "c",
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
        workflow: "parking",
        version: "2",
        step: "buy",
        op: "compensate",
        code: "PERMISSION_DENIED",
        reason: "NOT_HERS",
        attempts: 1,
      },
    });
    assert.doesNotMatch(body, /4711|Ada/);
    // As a receiver checks it, by the specification.
    const signed = `${headers.get("webhook-id")}.${headers.get("webhook-timestamp")}.${body}`;
    const expected = createHmac("sha256", atobBytes(SECRET)).update(signed).digest("base64");
    assert.equal(headers.get("webhook-signature"), `v1,${expected}`);
    assert.equal(headers.get("content-type"), "application/json");
  }));

Deno.test("a webhook that fails is called again, under the same id, ever later", () =>
  stage(
    (nth) =>
      nth === 1
        ? new Response("down", { status: 503 })
        : nth === 2
        ? new Response(null, { status: 302, headers: { location: "/elsewhere" } })
        : fine(),
    async ({ calls, outcomes, park, told }) => {
      await park();
      await told;
      assert.deepEqual(outcomes, [["delivered", { runId: "r", step: "buy", attempts: 3 }]]);
      const [first, second, third] = calls as [Called, Called, Called];
      assert.deepEqual([second.at - first.at, third.at - second.at], [1_000, 2_000]);
      assert.equal(new Set(calls.map(({ headers }) => headers.get("webhook-id"))).size, 1);
      assert.equal(new Set(calls.map(({ body }) => body)).size, 1);
      assert.notEqual(
        third.headers.get("webhook-timestamp"),
        first.headers.get("webhook-timestamp"),
      );
    },
  ));

Deno.test("a webhook that never takes it is given up, and that is said", () =>
  stage(() => new Response(null, { status: 500 }), async ({ calls, outcomes, park, told }) => {
    await park();
    await told;
    assert.equal(calls.length, 15);
    assert.deepEqual(outcomes, [["failed", {
      runId: "r",
      step: "buy",
      attempts: 15,
      error: "it answered with status 500",
    }]]);
  }));

Deno.test("closing waits for no webhook", () => {
  const never = Promise.withResolvers<Response>();
  return stage(() => never.promise, async ({ outcomes, webhook, park }) => {
    await park();
    await webhook.close();
    assert.deepEqual(outcomes.map(([outcome, { error }]) => [outcome, error]), [
      ["failed", "the server is being stopped"],
    ]);
    never.resolve(fine());
  });
});

function atobBytes(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
