// What a service says of its own health by grpc.health.v1, and what its circuit breaker makes of it:
// semantics.md §2.

import assert from "node:assert/strict";
import { file_grpc_health_v1_health } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { buildSchema } from "../../src/grpc/schema.ts";
import type { Health } from "../support/grpc_health.ts";
import { filesOf, type Script, shopSchema } from "../support/grpc_server.ts";
import { until } from "../support/heard.ts";
import {
  BUY,
  BUY_STEP,
  failing,
  Gate,
  openShop,
  type ShopRun,
  type ShopRuns,
} from "../support/shop_runs.ts";

const WATCH_HEALTH = "grpc.health.v1.Health/Watch";
const NOTHING = { calls: 0, failures: 0, slow: 0 };

/** A shop's health, as its server tells whoever watches. */
class ToldHealth {
  /** The names that were asked for, by each watch that came in. */
  readonly asked: string[] = [];
  /** How many watch now. */
  watching = 0;
  #changed = Promise.withResolvers<Error | void>();
  #health: Health = "SERVING";

  say(health: Health): void {
    this.#health = health;
    this.#tell();
  }

  /** Ends every watch with an error. */
  break(): void {
    this.#tell(failing("INTERNAL"));
  }

  readonly script: Script = (call) => this.#watch(call.request, call.signal);

  #tell(error?: Error): void {
    this.#changed.resolve(error);
    this.#changed = Promise.withResolvers();
  }

  async *#watch(request: unknown, signal: AbortSignal) {
    this.asked.push((request as { service?: string }).service ?? ""); // HealthCheckRequest
    this.watching++;
    const gone = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => gone.resolve());
    try {
      while (!signal.aborted) {
        const changed = this.#changed.promise;
        yield { status: this.#health };
        const error = await Promise.race([changed, gone.promise]);
        if (error) throw error;
      }
    } finally {
      this.watching--;
    }
  }
}

const schema = await shopSchema().then((shop) =>
  buildSchema([...filesOf(shop), file_grpc_health_v1_health.proto], "shop and health")
);

/** A shop that has told that it serves, and sold something: so there is a breaker that hears of its health. */
async function openHealthy(
  health: ToldHealth,
  settings: string,
  buy?: Script,
): Promise<ShopRuns> {
  const runs = await openShop({
    schema,
    scripts: { [WATCH_HEALTH]: health.script, ...(buy && { [BUY]: buy }) },
    settings,
  });
  await runs.buy("o1");
  await until("its health is watched", () => health.watching === 1);
  return runs;
}

async function hears(runs: ShopRuns, state: string): Promise<void> {
  await until(`the breaker is ${state}`, () => runs.breaker().state === state);
}

Deno.test("NOT_SERVING opens the breaker without a timer; SERVING lets a probe through, whose success closes it", async () => {
  const health = new ToldHealth();
  await using runs = await openHealthy(
    health,
    "health: true, circuit_breaker: { open_for: 1ms, on_open: fail }",
  );
  for (const bad of ["NOT_SERVING", "UNKNOWN", "SERVICE_UNKNOWN"] as const) {
    health.say(bad);
    await hears(runs, "open");
    await new Promise((resolve) => setTimeout(resolve, 50)); // there is no timer of 1 ms
    const { report, calls } = await runs.buy("o1");
    assert.equal(report.error?.code, "CIRCUIT_OPEN");
    assert.deepEqual(calls, []);
    assert.equal(runs.breaker().openUntil, null);
    health.say("SERVING");
    await hears(runs, "half_open");
    assert.equal((await runs.buy("o1")).report.status, "completed");
    assert.equal(runs.breaker().state, "closed");
  }
  assert.deepEqual(health.asked, [""], "one watch of the server as a whole");
});

Deno.test("runs that wait for a service that is not serving are let go by one probe when it is back", async () => {
  const health = new ToldHealth();
  const gate = new Gate();
  await using runs = await openHealthy(health, "health: { service: acme.Shop }", gate.some);
  assert.deepEqual(health.asked, ["acme.Shop"]);
  health.say("NOT_SERVING");
  await hears(runs, "open");
  const started: ShopRun[] = [];
  for (let run = 0; run < 5; run++) {
    started.push(await runs.start(BUY_STEP, { input: { sku: "held" } }));
  }
  await until("all wait", () => runs.breaker().waiting === 5);
  health.say("SERVING");
  await until("a probe is there", () => gate.held.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 100)); // for whoever would come too early
  assert.equal(gate.held.length, 1);
  assert.equal(runs.breaker().state, "half_open");
  gate.letGo();
  await until("the others are there", () => gate.held.length === 4);
  gate.letGo();
  for (const run of started) assert.equal((await run.ended()).report.status, "completed");
});

Deno.test("NOT_SERVING takes the timer from a breaker that failures opened", async () => {
  const health = new ToldHealth();
  await using runs = await openHealthy(
    health,
    "health: true, circuit_breaker: { min_calls: 2, open_for: 1h, on_open: fail }",
  );
  await runs.buy("UNAVAILABLE");
  assert.notEqual(runs.breaker().openUntil, null);
  health.say("NOT_SERVING");
  await until("there is no timer", () => runs.breaker().openUntil === null);
  assert.equal(runs.breaker().state, "open");
  health.say("SERVING");
  await hears(runs, "half_open");
  await runs.buy("UNAVAILABLE");
  assert.equal(runs.breaker().state, "open", "a probe's result counts more than that");
});

Deno.test("what a service says of its health is no result", async () => {
  const health = new ToldHealth();
  await using runs = await openHealthy(
    health,
    "health: true, circuit_breaker: { min_calls: 1, open_for: 1h }",
  );
  runs.breaker().reset();
  for (const said of ["NOT_SERVING", "SERVING", "NOT_SERVING", "SERVING"] as const) {
    health.say(said);
    await hears(runs, said === "SERVING" ? "half_open" : "open");
    assert.deepEqual(runs.breaker().window, NOTHING);
  }
});

Deno.test("a watch that breaks says nothing about the service, and is resumed", async () => {
  const health = new ToldHealth();
  await using runs = await openHealthy(
    health,
    "health: true, circuit_breaker: { min_calls: 1, open_for: 1h }",
  );
  runs.breaker().reset();
  health.break();
  await until("it is resumed", () => health.asked.length === 2);
  const { state, window } = runs.breaker();
  assert.deepEqual({ state, window }, { state: "closed", window: NOTHING });
  health.say("NOT_SERVING");
  await hears(runs, "open");
});

Deno.test("a service that does not speak of its health counts as healthy", async () => {
  await using runs = await openShop({
    settings: "health: true, circuit_breaker: { min_calls: 1 }",
  });
  for (let run = 0; run < 3; run++) {
    assert.equal((await runs.buy("o1")).report.status, "completed");
  }
  assert.equal(runs.breaker().state, "closed");
});
