/** The webhook that is told of parked runs. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { Engine } from "../../src/engine/engine.ts";
import type { Happening } from "../../src/engine/happening.ts";
import { memoryJournal } from "../../src/store/memory.ts";
import { AttentionWebhook, type Notification } from "../../src/telemetry/attention.ts";
import type { Workflow } from "../../src/workflow/model.ts";
import { FakeClock, JumpingClock } from "../support/clock.ts";
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

const PARENT = workflowOf(
  "name: parent\nsteps: [ { id: child, workflow: ./child.yaml } ]\n",
  new Map([["child.yaml", PARKING]]),
);

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
  readonly engine: Engine;
  readonly webhook: AttentionWebhook;
  /** Runs a workflow until it is parked. */
  park(runId?: string, workflow?: Workflow): Promise<void>;
  /** Ends engine and webhook, and opens others that go on with what was left open. */
  restart(): Promise<void>;
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
  const world = new World({
    "shop/Buy": { answer: {} },
    "shop/Refuse": { fail: "FAILED_PRECONDITION" },
    "shop/Refund": { fail: "PERMISSION_DENIED", message: "Ada may not", reason: "NOT_HERS" },
  }, clock);
  const journal = { ...memoryJournal(), close: () => Promise.resolve() }; // it outlives the engines
  const open = () => {
    const webhook = new AttentionWebhook({
      url: `http://127.0.0.1:${server.addr.port}/hook?team=a`,
      secret: `whsec_${SECRET}`,
      clock,
      onOutcome: (outcome, notification) => {
        outcomes.push([outcome, notification]);
        told.resolve();
      },
    });
    const engine = new Engine({
      caller: world.caller(),
      journal,
      clock,
      random: () => 0,
      onHappening: webhook.onHappening,
      onStillParked: webhook.onStillParked,
    });
    return { engine, webhook };
  };
  let now = open();
  const close = async () => {
    await now.engine.close();
    await now.webhook.close();
  };
  try {
    await test({
      clock,
      calls,
      outcomes,
      get engine() {
        return now.engine;
      },
      get webhook() {
        return now.webhook;
      },
      async park(runId = "r", workflow = workflowOf(PARKING)) {
        const run = await now.engine.start(workflow, {
          runId,
          correlationId: "c",
          traceparent: CALLERS,
        });
        assert.equal((await run.result()).status, "needs_attention");
      },
      async restart() {
        await close();
        now = open();
        await now.engine.resumeAll();
      },
      told: told.promise,
    });
  } finally {
    await close();
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

Deno.test("what a process that has ended did not deliver, the next one does, under the same id", () => {
  let isUp = false;
  return stage(
    () => isUp ? fine() : new Response(null, { status: 503 }),
    async (stage) => {
      await stage.park();
      await until(() => stage.calls.length > 0);
      await stage.restart();
      isUp = true;
      await until(() => stage.outcomes.some(([outcome]) => outcome === "delivered"));
      const [first, last] = [stage.calls[0], stage.calls.at(-1)] as [Called, Called];
      assert.equal(last.headers.get("webhook-id"), first.headers.get("webhook-id"));
      assert.equal(last.body, first.body);
    },
  );
});

Deno.test("a step that is parked in a child run is told again with the child's id", () =>
  stage(fine, async ({ calls, park, restart }) => {
    await park("r", PARENT);
    await until(() => calls.length === 1);
    await restart();
    await until(() => calls.length === 2);
    const ids = calls.map(({ headers }) => headers.get("webhook-id"));
    assert.equal(ids[1], ids[0]);
    assert.match(ids[0] ?? "", /^r\/child\/\d+$/);
  }));

Deno.test("a run that slept, parked, is not told again when it is woken here", () =>
  stage(fine, async ({ calls, engine, park, told }) => {
    await park();
    await told;
    await engine.resume("r");
    await engine.signal("r", "anything");
    await park("other");
    await until(() => calls.length > 1);
    assert.deepEqual(calls.map(({ body }) => JSON.parse(body).data.run_id), ["r", "other"]);
  }));

Deno.test("runs found parked are told one after the other, those not that were resolved meanwhile", () => {
  const first = Promise.withResolvers<Response>();
  const ids = ["r1", "r2", "r3", "r4"];
  const taken: string[] = [];
  return stage((nth) => nth === ids.length + 1 ? first.promise : fine(), async (stage) => {
    const { calls, outcomes, park, restart } = stage;
    for (const id of ids) await park(id);
    await until(() => outcomes.length === ids.length);
    await restart();
    await until(() => calls.length === ids.length + 1);
    const skip = { step: "buy", action: "skip", reason: "It was done by hand" } as const;
    await (await stage.engine.resolve("r2", skip))?.result();
    await stage.engine.resolve("r1", skip); // is being told
    first.resolve(fine());
    await until(() => outcomes.length === ids.length + 2);
    for (const { body } of calls.slice(ids.length)) taken.push(JSON.parse(body).data.run_id);
    assert.deepEqual(taken, ["r1", "r3", "r4"]);
    assert.deepEqual(
      outcomes.slice(ids.length).map(([outcome, { runId }]) => [outcome, runId]),
      [["delivered", "r3"], ["delivered", "r4"]],
    );
  });
});

Deno.test("a run that is resolved while its webhook is down is not told any more", () => {
  let isUp = false;
  return stage(() => isUp ? fine() : new Response(null, { status: 503 }), async (stage) => {
    const { calls, outcomes, park } = stage;
    await park("r1");
    await until(() => calls.length > 1);
    await stage.engine.resolve("r1", {
      step: "buy",
      action: "skip",
      reason: "It was done by hand",
    });
    isUp = true;
    await park("r2");
    await until(() => outcomes.length > 0);
    assert.deepEqual(outcomes.map(([, { runId }]) => runId), ["r2"]);
  });
});

Deno.test("of a step that was tried again, and parked again, only that it is parked now is told", () => {
  let isUp = false;
  return stage(() => isUp ? fine() : new Response(null, { status: 503 }), async (stage) => {
    const { calls, outcomes, park } = stage;
    await park("r1");
    await until(() => calls.length > 1);
    const again = { step: "buy", action: "retry", reason: "She has a new card" } as const;
    await (await stage.engine.resolve("r1", again))?.result();
    isUp = true;
    await until(() => outcomes.length > 0);
    await stage.restart();
    await park("r2");
    await until(() => outcomes.length > 2);
    assert.deepEqual(outcomes.map(([, { runId }]) => runId).sort(), ["r1", "r1", "r2"]);
    const ids = new Set(calls.map(({ headers }) => headers.get("webhook-id")));
    assert.equal(ids.size, 3, "r1, r1 again, and r2");
  });
});

Deno.test("the delays between two calls of a webhook grow to five minutes", () =>
  stage(() => new Response(null, { status: 500 }), async ({ calls, park, told }) => {
    await park();
    await told;
    const delays = calls.slice(1).map(({ at }, nth) => at - (calls[nth]?.at ?? 0));
    assert.deepEqual(delays.slice(0, 9), [1, 2, 4, 8, 16, 32, 64, 128, 256].map((s) => s * 1_000));
    assert.deepEqual(new Set(delays.slice(9)), new Set([300_000]));
  }));

for (
  const [what, most, hear] of [
    ["under way", 1_000, "onHappening"],
    ["found", 10_000, "onStillParked"],
  ] as const
) {
  Deno.test(`of many notifications ${what} those beyond ${most} are only said to be lost`, async () => {
    const failed: (string | undefined)[] = [];
    let sent = 0;
    const webhook = new AttentionWebhook({
      url: "http://127.0.0.1:1/",
      secret: SECRET,
      clock: new FakeClock(),
      onOutcome: (_outcome, { error }) => failed.push(error),
      fetch: (_url, init) => {
        sent++;
        return new Promise((_resolve, reject) =>
          init?.signal?.addEventListener("abort", () => reject(init.signal?.reason))
        );
      },
    });
    const workflow = workflowOf(PARKING);
    const origin = { correlationId: "c", traceparent: null };
    for (let nth = 0; nth < most + 2; nth++) {
      webhook[hear](`r${nth}`, workflow, parked(nth), origin);
    }
    assert.deepEqual(failed, ["too many wait", "too many wait"]);
    await until(() => sent > 0);
    assert.equal(sent, hear === "onHappening" ? most : 1);
    await webhook.close();
    assert.equal(failed.length, 2 + sent, "what was not begun is for the next start");
  });
}

function parked(seq: number): Happening {
  const failure = {
    code: "PERMISSION_DENIED",
    message: "",
    step: "buy",
    attempts: 1,
    outcome: "rejected",
    reason: "",
    domain: "",
    metadata: {},
    details: [],
  } as const;
  const more = { v: 1, seq, at: 0, path: "buy", op: "compensate", request: null } as const;
  return { kind: "attention_raised", failure, ...more };
}

/** Waits for what other tasks bring about. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

function atobBytes(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
