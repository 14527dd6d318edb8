/** Runs that are started by the clock: each moment once. */
import { deepEqual, equal } from "node:assert/strict";
import type { Clock, Journal } from "../../src/engine/doors.ts";
import { Engine } from "../../src/engine/engine.ts";
import { type ScheduledMoment, Scheduler } from "../../src/engine/scheduler.ts";
import { MaestroError } from "../../src/errors.ts";
import { memoryJournal } from "../../src/store/memory.ts";
import { sqliteJournal } from "../../src/store/sqlite/journal.ts";
import type { Workflow } from "../../src/workflow/model.ts";
import { FakeClock } from "../support/clock.ts";
import { workflowOf } from "../support/engines.ts";
import { type Script, World } from "../support/world.ts";

const MINUTE = 60_000;

function scheduled(schedule: string, more = ""): Workflow {
  return workflowOf(`name: nightly
schedule: { ${schedule} }
services: { shop: { endpoint: "shop:1" } }
${more}
steps:
  - { id: job, service: shop, method: Work, input: "{{ .input }}" }
`);
}

/** Lets everything happen that can without time going on; the store commits between two turns. */
async function idle(): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** A server: an engine and its scheduler. */
class Server {
  readonly told: string[] = [];
  readonly engine: Engine;
  readonly scheduler: Scheduler;
  /** What its next start fails with. */
  failing: MaestroError | null = null;

  constructor(world: World, clock: Clock, journal: Journal) {
    this.engine = new Engine({ caller: world.caller(), journal, clock, random: () => 0 });
    this.scheduler = new Scheduler({
      start: (workflow, options) => {
        if (this.failing !== null) throw this.failing;
        return this.engine.start(workflow, options);
      },
      engine: this.engine,
      journal,
      clock,
      onMoment: (moment) => this.told.push(lineOf(moment)),
    });
  }

  async close(): Promise<void> {
    await this.scheduler.close();
    await this.engine.close();
  }
}

function lineOf({ runId, outcome, error }: ScheduledMoment): string {
  return [outcome, runId, ...(error ? [error.code] : [])].join(" ");
}

const ANSWER: Script = { answer: {} };

/** A world, a clock that stands at 2026-01-01 00:00 UTC, and servers over one journal that outlives them. */
async function stage(
  test: (
    stage: { world: World; clock: FakeClock; open: (clock?: Clock) => Server },
  ) => Promise<void>,
  { script = ANSWER, at = "2026-01-01T00:00:00Z" }: { script?: Script; at?: string } = {},
): Promise<void> {
  const clock = new FakeClock(Date.parse(at));
  const world = new World({ "shop/Work": script }, clock);
  const kept = memoryJournal();
  const servers: Server[] = [];
  try {
    await test({
      world,
      clock,
      open: (own = clock) => {
        const journal = { ...kept, close: () => Promise.resolve() };
        const server = new Server(world, own, journal);
        servers.push(server);
        return server;
      },
    });
  } finally {
    for (const server of servers) await server.close();
  }
}

Deno.test("Scheduler starts a run at each moment, with the schedule's input", () =>
  stage(async ({ world, clock, open }) => {
    const server = open();
    server.scheduler.set([scheduled('cron: "*/10 * * * *", input: { days: 1 }')]);
    await idle();
    equal(world.calls.length, 0, "nothing was missed before the schedule was there");
    for (let turn = 0; turn < 2; turn++) {
      clock.advance(10 * MINUTE);
      await idle();
    }
    deepEqual(server.told, [
      "started nightly@20260101T001000Z",
      "started nightly@20260101T002000Z",
    ]);
    deepEqual(world.calls.map(({ input }) => input), [{ days: 1 }, { days: 1 }]);
    deepEqual(
      server.scheduler.next("nightly", 2).map((at) => new Date(at).toISOString()),
      ["2026-01-01T00:30:00.000Z", "2026-01-01T00:40:00.000Z"],
    );
    deepEqual(server.scheduler.next("other"), []);
  }));

for (
  const [what, from, hours, moments] of [
    ["forward", "2026-03-28T23:00:00Z", 26, ["20260329T010000Z", "20260330T003000Z"]],
    ["back", "2026-10-24T22:00:00Z", 28, ["20261025T003000Z", "20261026T013000Z"]],
  ] as const
) {
  Deno.test(`Scheduler starts 02:30 once on the night in which the clocks go ${what}`, () =>
    stage(async ({ clock, open }) => {
      const server = open();
      server.scheduler.set([scheduled('cron: "30 2 * * *", timezone: Europe/Berlin')]);
      for (let hour = 0; hour < hours * 2; hour++) {
        clock.advance(30 * MINUTE);
        await idle();
      }
      deepEqual(server.told, moments.map((moment) => `started nightly@${moment}`));
    }, { at: from }));
}

Deno.test("Scheduler lets a moment pass while the run before is under way, unless overlap is allowed", async () => {
  for (const [overlap, expected] of [["skip", 1], ["allow", 3]] as const) {
    await stage(async ({ world, clock, open }) => {
      const server = open();
      server.scheduler.set([
        scheduled(`cron: "* * * * *", overlap: ${overlap}`, "defaults: { attempt_timeout: 1h }"),
      ]);
      for (let turn = 0; turn < 3; turn++) {
        clock.advance(MINUTE);
        await idle();
      }
      equal(world.calls.length, expected);
      const skipped = server.told.filter((line) => line.startsWith("skipped"));
      equal(skipped.length, 3 - expected);
    }, { script: { answer: {}, after: 10 * MINUTE } });
  }
});

Deno.test("Scheduler goes on once the run before has ended; what was skipped is not missed", () =>
  stage(async ({ clock, open }) => {
    const workflow = scheduled('cron: "* * * * *"', "defaults: { attempt_timeout: 1h }");
    const first = open();
    first.scheduler.set([workflow]);
    await idle();
    for (let turn = 0; turn < 2; turn++) {
      clock.advance(MINUTE);
      await idle();
    }
    clock.advance(0.5 * MINUTE); // the first run has ended by now
    await idle();
    await first.scheduler.close();
    const second = open();
    second.scheduler.set([workflow]);
    await idle();
    deepEqual(second.told, [], "00:02 was skipped, and stays so");
    clock.advance(0.5 * MINUTE);
    await idle();
    deepEqual(first.told, ["started nightly@20260101T000100Z", "skipped nightly@20260101T000200Z"]);
    deepEqual(second.told, ["started nightly@20260101T000300Z"]);
  }, { script: { answer: {}, after: 1.25 * MINUTE } }));

Deno.test("Scheduler starts nothing while a run waits for an operator, also after a restart", () =>
  stage(async ({ clock, open }) => {
    const workflow = workflowOf(`name: nightly
schedule: { cron: "* * * * *" }
services: { shop: { endpoint: "shop:1" } }
steps:
  - { id: job, service: shop, method: Work, compensate: { method: Work } }
  - fail: { code: ABORTED, message: It is turned back }
`);
    const first = open();
    first.scheduler.set([workflow]);
    await idle();
    clock.advance(MINUTE);
    await idle();
    await first.close();
    const second = open();
    await second.engine.resumeAll();
    second.scheduler.set([workflow]);
    await idle();
    clock.advance(MINUTE);
    await idle();
    equal((await second.engine.report("nightly@20260101T000100Z")).status, "needs_attention");
    await second.engine.resolve("nightly@20260101T000100Z", {
      step: "job",
      action: "skip",
      reason: "It was done by hand",
    });
    await idle();
    clock.advance(MINUTE);
    await idle();
    deepEqual(second.told, [
      "skipped nightly@20260101T000200Z",
      "started nightly@20260101T000300Z",
    ]);
  }, { script: (_call, nth) => nth % 2 === 1 ? { answer: {} } : { fail: "PERMISSION_DENIED" } }));

Deno.test("Scheduler makes up for the last of the moments that were missed, once", () =>
  stage(async ({ clock, open }) => {
    const workflow = scheduled('cron: "0 * * * *"');
    const first = open();
    first.scheduler.set([workflow]);
    await idle();
    clock.advance(60 * MINUTE);
    await idle();
    await first.close();
    clock.advance(3.5 * 60 * MINUTE); // 04:30
    const second = open();
    second.scheduler.set([workflow]);
    await idle();
    await second.close();
    const third = open();
    third.scheduler.set([workflow]);
    await idle();
    deepEqual(first.told, ["started nightly@20260101T010000Z"]);
    deepEqual(second.told, ["started nightly@20260101T040000Z"]);
    deepEqual(third.told, []);
  }));

Deno.test("Scheduler does not make up for moments of a schedule that was another one then", () =>
  stage(async ({ clock, open }) => {
    const first = open();
    first.scheduler.set([scheduled('cron: "0 * * * *"')]);
    await idle();
    clock.advance(60 * MINUTE);
    await idle();
    await first.close();
    clock.advance(60 * MINUTE);
    const second = open();
    second.scheduler.set([scheduled('cron: "30 * * * *"')]);
    await idle();
    deepEqual(second.told, []);
    clock.advance(30 * MINUTE);
    await idle();
    deepEqual(second.told, ["started nightly@20260101T023000Z"]);
  }));

Deno.test("Scheduler starts a moment once, when the process slept over several", () =>
  stage(async ({ world, clock, open }) => {
    const server = open();
    server.scheduler.set([scheduled('cron: "* * * * *", overlap: allow')]);
    await idle();
    const late = clock.at.bind(clock);
    clock.at = (_dueAt, callback) => late(clock.now() + 10.5 * MINUTE, callback); // every timer is late
    server.scheduler.set([scheduled('cron: "* * * * *", overlap: allow')]);
    clock.advance(10.5 * MINUTE);
    await idle();
    equal(world.calls.length, 1);
    deepEqual(server.told, ["started nightly@20260101T001000Z"]);
  }));

Deno.test("Scheduler tries again what could not be started, unless that can't help", () =>
  stage(async ({ clock, open }) => {
    const server = open();
    server.scheduler.set([scheduled('cron: "0 * * * *"')]);
    await idle();
    server.failing = new MaestroError("STORE_FAILED", "The disk is full");
    clock.advance(60 * MINUTE);
    await idle();
    server.failing = null;
    clock.advance(10_000);
    await idle();
    server.failing = new MaestroError("INPUT_INVALID", "days is missing");
    clock.advance(59 * MINUTE + 50_000);
    await idle();
    server.failing = null;
    clock.advance(10 * MINUTE);
    await idle();
    deepEqual(server.told, [
      "failed nightly@20260101T010000Z STORE_FAILED",
      "started nightly@20260101T010000Z",
      "failed nightly@20260101T020000Z INPUT_INVALID",
    ]);
  }));

Deno.test("Scheduler.set() takes schedules up, changes them and lets them go", () =>
  stage(async ({ clock, open }) => {
    const server = open();
    server.scheduler.set([scheduled('cron: "*/10 * * * *"')]);
    clock.advance(5 * MINUTE);
    server.scheduler.set([scheduled('cron: "7 * * * *"')]);
    await idle();
    clock.advance(5 * MINUTE);
    await idle();
    server.scheduler.set([]);
    clock.advance(60 * MINUTE);
    await idle();
    deepEqual(server.told, ["started nightly@20260101T000700Z"]);
    equal(clock.timers, 0, "nobody waits for anything");
  }));

Deno.test("Scheduler makes up for nothing that the schedule of the last run knew nothing of", () =>
  stage(async ({ clock, open }) => {
    const first = open();
    first.scheduler.set([scheduled('cron: "0 * * * *"')]);
    await idle();
    clock.advance(60 * MINUTE);
    await idle();
    await first.close();
    clock.advance(45 * MINUTE);
    const second = open();
    second.scheduler.set([scheduled('cron: "*/30 * * * *"')]);
    await idle();
    deepEqual(second.told, [], "01:30 was no moment when 01:00 was started");
    await second.close();
    const third = open();
    third.scheduler.set([scheduled('cron: "0 * * * *", timezone: Europe/London')]);
    clock.advance(30 * MINUTE);
    await idle();
    deepEqual(third.told, ["started nightly@20260101T020000Z"], "after which it goes on");
  }));

Deno.test("Scheduler looks at the clock every minute: somebody may set it", () =>
  stage(async ({ clock, open }) => {
    let ahead = 0;
    const set: Clock = {
      now: () => clock.now() + ahead,
      at: (dueAt, callback) => clock.at(dueAt - ahead, callback), // as a timer: by what it was then
    };
    const server = open(set);
    server.scheduler.set([scheduled('cron: "0 12 * * *"')]);
    await idle();
    ahead = 12 * 60 * MINUTE;
    clock.advance(MINUTE);
    await idle();
    deepEqual(server.told, ["started nightly@20260101T120000Z"]);
  }));

Deno.test("Scheduler does nothing more for a schedule that was taken away before it came to it", () =>
  stage(async ({ clock, open }) => {
    const workflow = scheduled('cron: "0 * * * *"');
    const first = open();
    first.scheduler.set([workflow]);
    await idle();
    clock.advance(60 * MINUTE);
    await idle();
    await first.close();
    clock.advance(60 * MINUTE);
    const second = open();
    second.scheduler.set([workflow]);
    second.scheduler.set([]);
    await idle();
    const third = open();
    third.scheduler.set([workflow]);
    await third.scheduler.close();
    await idle();
    deepEqual([second.told, third.told], [[], []]);
    const fourth = open();
    fourth.scheduler.set([workflow]);
    await idle();
    deepEqual(fourth.told, ["started nightly@20260101T020000Z"], "it was missed all the same");
  }));

const HANGING = { script: { hang: true } } as const;

Deno.test("Scheduler takes no notice of runs that somebody has started by hand", () =>
  stage(async ({ clock, open }) => {
    const server = open();
    const workflow = scheduled('cron: "0 * * * *"', "defaults: { attempt_timeout: 5h }");
    await server.engine.start(workflow, { runId: "nightly@hand" });
    await server.engine.start(workflow, {
      runId: "mine@20260101T000000Z",
      correlationId: "nightly@20260101T000000Z",
    });
    server.scheduler.set([workflow]);
    clock.advance(60 * MINUTE);
    await idle();
    deepEqual(server.told, ["started nightly@20260101T010000Z"]);
  }, HANGING));

Deno.test("Scheduler says of a moment that another server has started so, while its run is under way", () =>
  stage(async ({ clock, open }) => {
    const late: Clock = {
      now: () => clock.now() - 1_000,
      at: (dueAt, callback) => clock.at(dueAt + 1_000, callback),
    };
    const servers = [open(), open(late)];
    for (const { scheduler } of servers) {
      scheduler.set([scheduled('cron: "0 * * * *"', "defaults: { attempt_timeout: 5h }")]);
      await idle();
    }
    clock.advance(30 * MINUTE);
    await idle();
    clock.advance(1_000);
    await idle();
    deepEqual(servers.map(({ told }) => told), [
      ["started nightly@20260101T010000Z"],
      ["elsewhere nightly@20260101T010000Z"],
    ]);
  }, { ...HANGING, at: "2026-01-01T00:30:00Z" }));

Deno.test("Scheduler finds the run that is under way behind however many others", () =>
  stage(async ({ clock, open }) => {
    const server = open();
    const workflow = scheduled('cron: "0 * * * *"', "defaults: { attempt_timeout: 5h }");
    server.scheduler.set([workflow]);
    clock.advance(60 * MINUTE);
    await idle();
    clock.advance(MINUTE);
    for (let nth = 0; nth < 250; nth++) {
      await server.engine.start(workflow, { correlationId: `nightly@${nth}` });
    }
    clock.advance(60 * MINUTE);
    await idle();
    deepEqual(server.told, [
      "started nightly@20260101T010000Z",
      "skipped nightly@20260101T020000Z",
    ]);
  }, HANGING));

Deno.test("two servers on one SQLite store start each moment once, also over a restart", async () => {
  const directory = await Deno.makeTempDir();
  const clock = new FakeClock(Date.UTC(2026, 0, 1));
  const world = new World({ "shop/Work": ANSWER }, clock);
  const workflow = scheduled('cron: "* * * * *", overlap: allow');
  const open = () => {
    const server = new Server(world, clock, sqliteJournal(`${directory}/maestro.db`));
    server.scheduler.set([workflow]);
    return server;
  };
  let servers = [open(), open()];
  const told: string[] = [];
  try {
    await idle();
    for (let turn = 0; turn < 3; turn++) {
      clock.advance(MINUTE);
      await idle();
      for (const server of servers) {
        told.push(...server.told);
        await server.close();
      }
      servers = [open(), open()]; // in the very moment
      await idle();
    }
    for (const server of servers) told.push(...server.told);
  } finally {
    for (const server of servers) await server.close();
    await Deno.remove(directory, { recursive: true });
  }
  const moments = ["000100", "000200", "000300"].map((time) => `nightly@20260101T${time}Z`);
  deepEqual(
    told.filter((line) => line.startsWith("started")).sort(),
    moments.map((id) => `started ${id}`),
  );
  deepEqual(
    told.filter((line) => line.startsWith("elsewhere")).sort(),
    moments.map((id) => `elsewhere ${id}`),
  );
  deepEqual(world.effects, moments.map((id) => `${id}/job/action`));
});
