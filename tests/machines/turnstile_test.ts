/** `max_concurrent` and `rate_limit`: who goes through when. */
import assert from "node:assert/strict";
import { type Slot, Turnstile } from "../../src/machines/turnstile.ts";
import type { RateRule } from "../../src/workflow/service_rules.ts";
import { FakeClock } from "../support/clock.ts";
import { xorshift } from "../support/random.ts";

function turnstile(
  maxConcurrent: number,
  rate: RateRule | null = null,
  soon: (callback: () => void) => void = (callback) => callback(),
) {
  const clock = new FakeClock();
  const wake = (dueAt: number, callback: () => void) => clock.at(dueAt, callback);
  const gate = new Turnstile({ maxConcurrent }, rate, { now: () => clock.now(), wake, soon });
  return { clock, gate };
}

/** Goes through, or fails. */
function enter(gate: Turnstile): Slot {
  const slot = gate.enter();
  assert.ok(slot !== null, "cannot enter");
  return slot;
}

Deno.test("enter() lets max_concurrent through, and one more for each that leaves", () => {
  const { gate } = turnstile(2);
  const [first] = [enter(gate), enter(gate)];
  assert.equal(gate.inFlight, 2);
  assert.equal(gate.enter(), null);
  first.leave();
  assert.equal(gate.inFlight, 1);
  enter(gate);
  assert.equal(gate.enter(), null);
});

Deno.test("leave() counts once", () => {
  const { gate } = turnstile(2);
  const [first] = [enter(gate), enter(gate)];
  first.leave();
  first.leave();
  assert.equal(gate.inFlight, 1);
});

Deno.test("queue() is first come, first served", () => {
  const { gate } = turnstile(1);
  const inside = enter(gate);
  const served: string[] = [];
  const slots: Slot[] = [];
  for (const name of ["a", "b", "c"]) {
    gate.queue((slot) => {
      served.push(name);
      slots.push(slot);
    });
  }
  assert.equal(gate.waiting, 3);
  inside.leave();
  assert.deepEqual(served, ["a"]);
  slots[0]?.leave();
  slots[1]?.leave();
  assert.deepEqual(served, ["a", "b", "c"]);
  assert.equal(gate.waiting, 0);
  assert.equal(gate.inFlight, 1);
});

Deno.test("a place goes to who still waits once it is clear what follows from its leaving", () => {
  const later: (() => void)[] = [];
  const { gate } = turnstile(2, null, (callback) => later.push(callback));
  const inside = [enter(gate), enter(gate)];
  const served: string[] = [];
  const [leaveQueue] = ["a", "b", "c", "d"].map((name) => gate.queue(() => served.push(name)));
  for (const slot of inside) slot.leave();
  assert.equal(gate.enter(), null, "those who wait are not overtaken meanwhile");
  assert.deepEqual(served, []);
  leaveQueue?.();
  assert.equal(later.length, 1);
  later[0]?.();
  assert.deepEqual(served, ["b", "c"]);
  assert.equal(gate.waiting, 1);
});

Deno.test("enter() never overtakes those who wait", () => {
  const { gate, clock } = turnstile(1);
  const served: string[] = [];
  gate.queue(() => served.push("queued"));
  assert.equal(gate.enter(), null, "there is a place, but it is somebody else's turn");
  clock.advance(0);
  assert.deepEqual(served, ["queued"]);
});

Deno.test("queue() never calls back from within itself", () => {
  const { gate, clock } = turnstile(1);
  let within = true;
  const seen: boolean[] = [];
  gate.queue(() => seen.push(within));
  within = false;
  assert.deepEqual(seen, []);
  clock.advance(0);
  assert.deepEqual(seen, [false]);
});

Deno.test("who leaves the queue is passed over, and after its turn that has no effect", () => {
  const { gate } = turnstile(1);
  const inside = enter(gate);
  const served: string[] = [];
  const leave = ["a", "b", "c"].map((name) => gate.queue(() => served.push(name)));
  leave[1]?.();
  leave[1]?.();
  assert.equal(gate.waiting, 2);
  inside.leave();
  leave[0]?.();
  assert.deepEqual(served, ["a"]);
  assert.equal(gate.waiting, 1);
  assert.equal(gate.inFlight, 1);
});

Deno.test("a long queue of calls that end at once is served without nesting", () => {
  const { gate } = turnstile(1);
  const inside = enter(gate);
  let served = 0;
  for (let call = 0; call < 100_000; call++) {
    gate.queue((slot) => {
      served++;
      slot.leave();
    });
  }
  inside.leave();
  assert.equal(served, 100_000);
  assert.equal(gate.inFlight, 0);
});

Deno.test("a queue that has been left sets no alarm", () => {
  const { gate, clock } = turnstile(9, { calls: 1, per: 1_000 });
  enter(gate);
  const leave = gate.queue(() => assert.fail("nobody waits"));
  assert.notEqual(clock.nextDue, undefined);
  leave();
  assert.equal(clock.nextDue, undefined);
});

Deno.test("rate_limit lets the first calls go at once, the next when the first is as old as its time", () => {
  const { gate, clock } = turnstile(100, { calls: 3, per: 1_000 });
  const start = clock.now();
  const times: number[] = [];
  for (const pause of [0, 400, 100]) {
    clock.advance(pause);
    enter(gate);
  }
  assert.equal(gate.enter(), null);
  for (let call = 0; call < 4; call++) gate.queue(() => times.push(clock.now() - start));
  clock.advance(10_000);
  assert.deepEqual(times, [1_000, 1_400, 1_500, 2_000]);
});

Deno.test("a call that waits for max_concurrent does not count against the rate before it begins", () => {
  const { gate, clock } = turnstile(1, { calls: 2, per: 1_000 });
  const inside = enter(gate);
  let slot: Slot | undefined;
  gate.queue((entered) => slot = entered);
  clock.advance(5_000);
  assert.equal(slot, undefined);
  inside.leave();
  assert.ok(slot);
  (slot as Slot).leave(); // set by the callback
  enter(gate);
});

Deno.test("in any stretch of its time no more calls begin than rate_limit says, and everybody gets through", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = xorshift(seed);
    const rate = { calls: 1 + Math.floor(random() * 20), per: 1 + Math.floor(random() * 1_000) };
    const most = 1 + Math.floor(random() * 30);
    const { gate, clock } = turnstile(most, rate);
    const times: number[] = [];
    const began = (slot: Slot) => {
      times.push(clock.now());
      clock.at(clock.now() + Math.floor(random() * rate.per), () => slot.leave());
    };
    for (let step = 0; step < 300; step++) {
      if (random() < 0.3) clock.advance(Math.floor(random() * rate.per));
      const slot = random() < 0.5 ? gate.enter() : null;
      if (slot === null) gate.queue(began);
      else began(slot);
      assert.ok(gate.inFlight <= most);
    }
    clock.advance(400 * rate.per * 2);
    assert.equal(times.length, 300, `seed ${seed}`);
    for (let call = rate.calls; call < times.length; call++) {
      const stretch = (times[call] ?? 0) - (times[call - rate.calls] ?? 0);
      assert.ok(stretch >= rate.per, `seed ${seed}: call ${call} came after ${stretch} ms`);
    }
  }
});

Deno.test("a clock that jumps back holds nobody up for longer than the rate's own time", () => {
  const { gate, clock } = turnstile(100, { calls: 1, per: 1_000 });
  enter(gate);
  const served: string[] = [];
  gate.queue(() => served.push("before"));
  clock.advance(-3_600_000);
  gate.queue(() => served.push("after"));
  clock.advance(1_000);
  assert.deepEqual(served, ["before"]);
  clock.advance(1_000);
  assert.deepEqual(served, ["before", "after"]);
});

Deno.test("a callback that throws does not hold up those behind it", () => {
  const { gate, clock } = turnstile(2);
  const served: string[] = [];
  gate.queue(() => {
    throw new Error("boom");
  });
  gate.queue(() => served.push("next"));
  assert.throws(() => clock.advance(0), /boom/);
  clock.advance(0);
  assert.deepEqual(served, ["next"]);
});
