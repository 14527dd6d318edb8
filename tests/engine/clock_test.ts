import assert from "node:assert/strict";
import { clockOf } from "../../src/engine/clock.ts";
import type { Clock } from "../../src/engine/doors.ts";

const NOON = Date.UTC(2026, 0, 1, 12);
const HOUR = 3_600_000;

/** A machine whose wall clock can be set. Its timers go by the steady time, as real ones do. */
class Machine {
  wall = NOON;
  steady = 123_456_789.123456;
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  readonly clock: Clock = clockOf({
    wall: () => Math.floor(this.wall),
    steady: () => this.steady,
    after: (delay, callback) => {
      const timer = { at: this.steady + delay, callback };
      this.#timers.add(timer);
      return () => this.#timers.delete(timer);
    },
  });

  get timers(): number {
    return this.#timers.size;
  }

  /** Time passes, and what is due on the way happens. */
  pass(milliseconds: number): void {
    const end = this.steady + milliseconds;
    for (;;) {
      const next = [...this.#timers].sort((a, b) => a.at - b.at).find(({ at }) => at <= end);
      if (next === undefined) break;
      this.#move(next.at);
      this.#timers.delete(next);
      next.callback();
    }
    this.#move(end);
  }

  /** The machine sleeps: only the wall's clock goes on, and no timer. */
  suspend(milliseconds: number): void {
    this.wall += milliseconds;
  }

  #move(steady: number): void {
    this.wall += steady - this.steady;
    this.steady = steady;
  }
}

Deno.test("the clock gives the wall's time, in whole milliseconds", () => {
  const machine = new Machine();
  assert.equal(machine.clock.now(), NOON);
  machine.pass(1_500);
  assert.equal(machine.clock.now(), NOON + 1_500);
  machine.pass(0.4);
  assert.ok(Number.isInteger(machine.clock.now()));
});

Deno.test("the clock never goes back, however the wall's is set back and forth", () => {
  const machine = new Machine();
  const { clock } = machine;
  let last = clock.now();
  for (const jump of [-HOUR, 10, -1, HOUR / 2, -24 * HOUR, 25 * HOUR, -5, 0.3, -0.9]) {
    machine.wall += jump;
    for (let tick = 0; tick < 5; tick++) {
      machine.pass(0.7);
      const now = clock.now();
      assert.ok(now >= last, `it went back by ${last - now} ms`);
      last = now;
    }
  }
});

Deno.test("a wait takes as long as it is meant to when the wall's clock is set back", () => {
  const machine = new Machine();
  let woken: number | null = null;
  machine.clock.at(machine.clock.now() + 60_000, () => woken = machine.clock.now());
  machine.pass(20_000);
  machine.wall -= HOUR;
  machine.pass(39_999);
  assert.equal(woken, null);
  machine.pass(1);
  assert.equal(woken, NOON + 60_000);
});

Deno.test("a wait that is over when the wall's clock is set forward ends within ten seconds", () => {
  const machine = new Machine();
  let woken: number | null = null;
  machine.clock.at(machine.clock.now() + HOUR, () => woken = machine.clock.now());
  machine.pass(15_000);
  machine.wall += HOUR;
  machine.pass(10_000);
  assert.ok(woken !== null && woken >= NOON + HOUR, `woken at ${woken}`);
});

Deno.test("a wait that ended while the machine slept ends soon after it wakes", () => {
  const machine = new Machine();
  let woken = 0;
  machine.clock.at(machine.clock.now() + 60_000, () => woken++);
  machine.suspend(HOUR);
  assert.equal(woken, 0);
  machine.pass(10_000);
  assert.equal(woken, 1);
  assert.equal(machine.timers, 0);
});

Deno.test("a wait of months neither fires at once nor is forgotten", () => {
  const machine = new Machine();
  const months = 100 * 24 * HOUR;
  let woken = 0;
  machine.clock.at(machine.clock.now() + months, () => woken++);
  machine.pass(25 * 24 * HOUR); // more than 2^31 - 1 ms, the longest that a timer keeps
  assert.equal(woken, 0);
  machine.pass(75 * 24 * HOUR);
  assert.equal(woken, 1);
});

Deno.test("a wait that was taken back does not end, however long it had gone on", () => {
  const machine = new Machine();
  const takeBack = machine.clock.at(machine.clock.now() + 60_000, () => assert.fail("it ended"));
  machine.pass(30_000);
  takeBack();
  assert.equal(machine.timers, 0);
  machine.pass(60_000);
});

Deno.test("what is due already is called back, but not before `at` has returned", () => {
  const machine = new Machine();
  let woken = 0;
  machine.clock.at(machine.clock.now() - 5, () => woken++);
  assert.equal(woken, 0);
  machine.pass(0);
  assert.equal(woken, 1);
});
