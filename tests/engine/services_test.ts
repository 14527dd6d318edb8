/** What belongs to a service is shared by all runs that reach it: breakers, budget, turnstile, health. */
import assert from "node:assert/strict";
import { createActor, fromCallback } from "xstate";
import type { Caller, Target } from "../../src/engine/doors.ts";
import { Engine } from "../../src/engine/engine.ts";
import { type ServiceParts, Services } from "../../src/engine/services.ts";
import type { Admission, CallerRef } from "../../src/machines/service_events.ts";
import { memoryJournal } from "../../src/store/memory.ts";
import { breakerRule } from "../../src/workflow/defaults.ts";
import type { Service } from "../../src/workflow/model.ts";
import { FakeClock, JumpingClock } from "../support/clock.ts";
import { stage, workflowOf } from "../support/engines.ts";
import { targetAt } from "../support/grpc_target.ts";
import { World } from "../support/world.ts";

const BREAKER = breakerRule({ min_calls: 1, window: { calls: 10 }, open_for: 5_000 });

/** A target whose breaker opens on the first failure. */
function target(settings: Partial<Service> = {}): Target {
  return targetAt("shop:1", { breaker: BREAKER, ...settings });
}

/** Health watches that a test speaks for. */
function watches() {
  const begun: { target: Target; name: string; hear: (serving: boolean) => void }[] = [];
  let ended = 0;
  return {
    begun,
    ended: () => ended,
    watchHealth(target: Target, name: string, hear: (serving: boolean) => void) {
      begun.push({ target, name, hear });
      return () => void ended++;
    },
  };
}

/** One call that fails. */
function fail(parts: ServiceParts, clock: FakeClock, method = "M"): void {
  const breaker = parts.breaker(() => method);
  assert.ok(breaker);
  const heard: Admission[] = [];
  const listener = createActor(fromCallback<Admission>(({ receive }) => {
    receive((event) => heard.push(event));
  })).start();
  const caller = listener as unknown as CallerRef; // it takes admissions, which is all the machine sends
  breaker.send({ type: "ask", caller, patient: false });
  const [answer] = heard;
  assert.ok(answer?.type === "admitted");
  const result = { code: "UNAVAILABLE", duration: 1, full: true };
  breaker.send({ type: "result", caller, permit: answer.permit, at: clock.now(), result });
}

function services(caller: Pick<Caller, "watchHealth"> = {}) {
  const clock = new FakeClock();
  return { clock, services: new Services({ caller, clock }) };
}

Deno.test("targets with one key share all parts; with another key none", () => {
  const { services: all } = services();
  const budget = { maxTokens: 10, tokenRatio: 0.1 };
  const first = all.of(target({ budget }));
  const again = all.of(target({ budget }));
  const other = all.of(target({ budget, maxMessages: 1 }));
  assert.equal(again.turnstile, first.turnstile);
  assert.equal(again.budget, first.budget);
  assert.equal(again.breaker(() => "A"), first.breaker(() => "B"));
  assert.notEqual(other.turnstile, first.turnstile);
  assert.notEqual(other.budget, first.budget);
  assert.notEqual(other.breaker(() => "A"), first.breaker(() => "A"));
  all.close();
});

Deno.test("what is turned off isn't there", () => {
  const { services: all } = services();
  const parts = all.of(target({ breaker: null }));
  assert.equal(parts.breaker(() => "A"), null);
  assert.equal(parts.budget, null);
  assert.deepEqual(all.breakers(), []);
  all.close();
});

Deno.test("the turnstile is the service's pool and rate, by the engine's clock", () => {
  const { clock, services: all } = services();
  const { turnstile } = all.of(target({
    pool: { channels: 1, maxConcurrent: 5 },
    rateLimit: { calls: 1, per: 1_000 },
  }));
  turnstile.enter();
  let entered = 0;
  turnstile.queue(() => entered++);
  all.of(target()).breaker(() => "");
  clock.advance(999);
  assert.equal(entered, 0);
  clock.advance(1);
  assert.equal(entered, 1);
  assert.equal(turnstile.inFlight, 2);
  all.close();
});

Deno.test("scope: method gives each method a breaker of its own", () => {
  assert.ok(BREAKER);
  const { clock, services: all } = services();
  const parts = all.of(target({ breaker: { ...BREAKER, scope: "method" } }));
  assert.equal(parts.breaker(() => "acme.v1.Shop/Buy"), parts.breaker(() => "acme.v1.Shop/Buy"));
  parts.breaker(() => "acme.v1.Shop/Sell");
  fail(parts, clock, "acme.v1.Shop/Buy");
  assert.deepEqual(all.breakers().map(({ method, state }) => [method, state]), [
    ["acme.v1.Shop/Buy", "open"],
    ["acme.v1.Shop/Sell", "closed"],
  ]);
  all.close();
});

Deno.test("a method that was not known by its full name at first keeps its breaker", () => {
  assert.ok(BREAKER);
  const { services: all } = services();
  const parts = all.of(target({ breaker: { ...BREAKER, scope: "method" } }));
  const early = parts.breaker(() => "Buy");
  assert.equal(parts.breaker(() => "acme.v1.Shop/Buy"), early);
  assert.notEqual(parts.breaker(() => "acme.v1.Shop/Sell"), early);
  assert.deepEqual(all.breakers().map(({ method }) => method), [
    "acme.v1.Shop/Buy",
    "acme.v1.Shop/Sell",
  ]);
  all.close();
});

Deno.test("breakers() shows each as it stands, with what is under way at its service", () => {
  const { clock, services: all } = services();
  const parts = all.of(target({ pool: { channels: 1, maxConcurrent: 1 } }));
  assert.deepEqual(all.breakers(), [], "none has been asked for");
  fail(parts, clock);
  parts.turnstile.enter();
  parts.turnstile.queue(() => {});
  for (let took = 1; took <= 300; took++) {
    parts.calls.record(took === 7 ? "UNAVAILABLE" : "OK", took);
  }
  const [shown] = all.breakers();
  assert.ok(shown);
  const { forceOpen: _forceOpen, reset: _reset, ...figures } = shown;
  assert.deepEqual(figures, {
    service: "shop",
    endpoint: "shop:1",
    method: null,
    state: "open",
    openUntil: clock.now() + 5_000,
    window: { calls: 1, failures: 1, slow: 0 },
    waiting: 0,
    inFlight: 1,
    queued: 1,
    calls: { made: 300, failed: 1, p50: 172, p99: 298 }, // of the latest 256: 45 to 300
    serving: null,
  });
  clock.advance(5_000);
  assert.equal(shown.state, "open", "it is as it was when it was asked for");
  assert.equal(all.breakers()[0]?.state, "half_open");
  all.close();
});

Deno.test("forceOpen() and reset() act on the one breaker", () => {
  assert.ok(BREAKER);
  const { services: all } = services();
  const parts = all.of(target({ breaker: { ...BREAKER, scope: "method" } }));
  for (const method of ["A", "B"]) parts.breaker(() => method);
  const states = () => all.breakers().map(({ state }) => state);
  all.breakers()[0]?.forceOpen();
  assert.deepEqual(states(), ["forced_open", "closed"]);
  all.breakers()[0]?.reset();
  assert.deepEqual(states(), ["closed", "closed"]);
  all.close();
});

Deno.test("health is watched by the name that is set, and heard by every breaker, later ones included", () => {
  assert.ok(BREAKER);
  const watch = watches();
  const { services: all } = services(watch);
  const watched = target({
    breaker: { ...BREAKER, scope: "method" },
    health: { service: "acme.v1.Shop" },
  });
  const parts = all.of(watched);
  all.of(watched);
  assert.deepEqual(watch.begun.map(({ target, name }) => [target.key, name]), [
    [watched.key, "acme.v1.Shop"],
  ]);
  parts.breaker(() => "early");
  watch.begun[0]?.hear(false);
  parts.breaker(() => "late");
  assert.deepEqual(all.breakers().map(({ state, openUntil }) => [state, openUntil]), [
    ["open", null],
    ["open", null],
  ]);
  watch.begun[0]?.hear(true);
  parts.breaker(() => "latest");
  assert.deepEqual(all.breakers().map(({ state }) => state), ["half_open", "half_open", "closed"]);
  assert.equal(watch.ended(), 0);
  all.close();
  assert.equal(watch.ended(), 1);
});

for (
  const [why, settings] of [
    ["it isn't set", {}],
    ["the breaker is off", { health: { service: "" }, breaker: null }],
    ["calls go to many servers", { health: { service: "" }, loadBalancing: "round_robin" }],
  ] as const
) {
  Deno.test(`health is not watched where ${why}`, () => {
    const watch = watches();
    const { services: all } = services(watch);
    all.of(target(settings)).breaker(() => "");
    assert.deepEqual(watch.begun, []);
    all.close();
  });
}

Deno.test("a caller that can't watch health does without", () => {
  const { services: all } = services();
  all.of(target({ health: { service: "" } })).breaker(() => "");
  assert.equal(all.breakers()[0]?.state, "closed");
  all.close();
});

Deno.test("close() ends the timers of open breakers", () => {
  const { clock, services: all } = services();
  fail(all.of(target()), clock);
  assert.notEqual(clock.nextDue, undefined);
  all.close();
  assert.equal(clock.nextDue, undefined);
});

const SHOP = (settings: string) =>
  workflowOf(`
name: shop
services:
  shop: { endpoint: "shop:1", ${settings} }
steps:
  - { id: buy, service: shop, method: Buy }
`);

Deno.test("one run's failures open the breaker for the next run; engine.breakers() shows it, reset() lets calls go", async () => {
  const { engine, clock } = stage({
    "shop/Buy": (_call, nth) => nth === 1 ? { fail: "UNAVAILABLE" } : { answer: {} },
  });
  const workflow = SHOP(
    "circuit_breaker: { min_calls: 1, window: 10, open_for: 1h, on_open: fail }",
  );
  try {
    assert.deepEqual(engine.breakers(), []);
    const first = await engine.start(workflow);
    assert.equal((await first.result()).error?.code, "UNAVAILABLE");
    const second = await engine.start(workflow);
    assert.equal((await second.result()).error?.code, "CIRCUIT_OPEN");
    const [breaker] = engine.breakers();
    assert.equal(breaker?.state, "open");
    assert.deepEqual(breaker?.window, { calls: 1, failures: 1, slow: 0 });
    breaker?.reset();
    const third = await engine.start(workflow);
    assert.equal((await third.result()).status, "completed");
  } finally {
    await engine.close();
    clock.stop();
  }
});

Deno.test("a forced-open breaker holds a run until its reset", async () => {
  const clock = new FakeClock();
  const world = new World({ "shop/Buy": { answer: {} } }, clock);
  const engine = new Engine({ caller: world.caller(), clock, journal: memoryJournal() });
  const workflow = SHOP("metadata: {}");
  try {
    await (await engine.start(workflow)).result();
    engine.breakers()[0]?.forceOpen();
    const told: unknown[] = [];
    const { promise: waits, resolve } = Promise.withResolvers<void>();
    const held = await engine.start(workflow, {
      onHappening(event) {
        if (event.kind !== "breaker_waiting") return;
        told.push(event.until);
        resolve();
      },
    });
    await waits;
    assert.deepEqual(told, [null]);
    clock.advance(24 * 3_600_000);
    assert.equal(engine.breakers()[0]?.waiting, 1);
    assert.equal(world.calls.length, 1);
    engine.breakers()[0]?.reset();
    assert.equal((await held.result()).status, "completed");
  } finally {
    await engine.close();
  }
});

Deno.test("an engine watches the health of what its runs reach, and ends the watch when it is closed", async () => {
  const clock = new JumpingClock();
  const watch = watches();
  const world = new World({ "shop/Buy": { answer: {} } }, clock);
  const engine = new Engine({
    caller: { ...world.caller(), watchHealth: watch.watchHealth },
    clock,
    journal: memoryJournal(),
  });
  const workflow = SHOP("health: true, circuit_breaker: { on_open: fail }");
  try {
    await (await engine.start(workflow)).result();
    await (await engine.start(workflow)).result();
    assert.deepEqual(watch.begun.map(({ name }) => name), [""]);
    watch.begun[0]?.hear(false);
    const down = await engine.start(workflow);
    const { error } = await down.result();
    assert.equal(error?.code, "CIRCUIT_OPEN");
    assert.equal(
      error?.message,
      'The circuit breaker of "shop" is open: the service says that it is not serving',
    );
    engine.breakers()[0]?.forceOpen();
    const held = await engine.start(workflow);
    assert.equal(
      (await held.result()).error?.message,
      'The circuit breaker of "shop" is held open by an operator',
    );
    engine.breakers()[0]?.reset();
    watch.begun[0]?.hear(false);
    watch.begun[0]?.hear(true);
    const up = await engine.start(workflow);
    assert.equal((await up.result()).status, "completed");
    assert.equal(engine.breakers()[0]?.state, "closed");
  } finally {
    await engine.close();
    clock.stop();
  }
  assert.equal(watch.ended(), 1);
});
