import assert from "node:assert/strict";
import { tempFiles } from "../support/temp_files.ts";
import { CountingService } from "./counting_service.ts";
import { freeze } from "./system.ts";
import { checkDurable, keptIn, keysOf, runVictim, THREE_STEPS, Victim } from "./victims.ts";

const RUNS = 30;

/** The lease of processes that are to be frozen for longer. */
const SHORT = { lease: 1_000, renewEvery: 200 };

const ids = Array.from({ length: RUNS }, (_, index) => `run-${index}`);

function ownerFiles(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => name.includes("-owner-"));
}

Deno.test("what a killed process leaves open is gone on with at once, and its lock file goes", async () => {
  await using service = new CountingService();
  await using files = await tempFiles({});
  const store = files.path("maestro.db");
  const task = { store, port: service.port };
  service.hold("Two");
  await using first = new Victim({ ...task, act: "start", runs: RUNS, workflow: THREE_STEPS });
  await service.came(2 * RUNS);
  first.kill("SIGKILL");
  await first.ended();
  service.release("Two");
  assert.equal(ownerFiles(files.directory).length, 1);
  const { code, victim } = await runVictim({ ...task, act: "resume" });
  assert.deepEqual([code, victim.failures], [0, []]);
  assert.deepEqual(Object.keys(victim.results).sort(), [...ids].sort());
  checkDurable(await keptIn(store), service, victim);
  assert.deepEqual(service.effects.sort(), keysOf(ids));
  // Only what was under way is asked for again.
  assert.equal(service.arrivals.length, 4 * RUNS);
  assert.deepEqual([...Deno.readDirSync(files.directory)].map(({ name }) => name), ["maestro.db"]);
});

Deno.test("a process that was frozen for longer than its lease writes nothing and sends nothing more", async () => {
  await using service = new CountingService();
  await using files = await tempFiles({});
  const store = files.path("maestro.db");
  const task = { store, port: service.port, timing: SHORT };
  service.hold("Two");
  await using frozen = new Victim({ ...task, act: "start", workflow: THREE_STEPS, stays: true });
  await service.came(2);
  await freeze(frozen, store);
  service.release("Two"); // its answer waits for it
  const { code, victim } = await runVictim({ ...task, act: "take", run: "run-0" });
  assert.deepEqual([code, victim.results], [0, { "run-0": "completed" }]);
  const [kept, arrived] = [await keptIn(store), service.arrivals.length];
  frozen.kill("SIGCONT");
  await frozen.says("failed");
  assert.deepEqual(frozen.failures.map(({ run, code }) => [run, code]), [["run-0", "CLAIM_LOST"]]);
  assert.deepEqual(frozen.results, {});
  await frozen.ended();
  assert.deepEqual(await keptIn(store), kept);
  assert.equal(service.arrivals.length, arrived);
  assert.deepEqual(service.effects.sort(), keysOf(["run-0"]));
  assert.deepEqual(ownerFiles(files.directory), []);
});

Deno.test("a process that was frozen goes on with the runs that nobody took over", async () => {
  await using service = new CountingService();
  await using files = await tempFiles({});
  const store = files.path("maestro.db");
  const task = { store, port: service.port, timing: SHORT };
  service.hold("Two");
  await using frozen = new Victim({ ...task, act: "start", runs: 3, workflow: THREE_STEPS });
  await service.came(6);
  await freeze(frozen, store);
  service.release("Two");
  const { victim } = await runVictim({ ...task, act: "take", run: "run-1" });
  assert.deepEqual(victim.results, { "run-1": "completed" });
  frozen.kill("SIGCONT");
  assert.equal(await frozen.ended(), 1);
  assert.deepEqual(frozen.failures.map(({ run, code }) => [run, code]), [["run-1", "CLAIM_LOST"]]);
  assert.deepEqual(frozen.results, { "run-0": "completed", "run-2": "completed" });
  assert.deepEqual(service.effects.sort(), keysOf(["run-0", "run-1", "run-2"]));
  assert.deepEqual(ownerFiles(files.directory), []);
});

Deno.test("two processes that take up the same runs at the same time share them", async () => {
  await using service = new CountingService();
  await using files = await tempFiles({});
  const store = files.path("maestro.db");
  const task = { store, port: service.port };
  service.hold("Two");
  await using first = new Victim({ ...task, act: "start", runs: RUNS, workflow: THREE_STEPS });
  await service.came(2 * RUNS);
  first.kill("SIGKILL");
  await first.ended();
  service.release("Two");
  const both = await Promise.all([1, 2].map(() => runVictim({ ...task, act: "resume" })));
  assert.deepEqual(both.map(({ code, victim }) => [code, victim.failures]), [[0, []], [0, []]]);
  const ended = both.flatMap(({ victim }) => Object.keys(victim.results));
  assert.deepEqual(ended.sort(), [...ids].sort()); // each by one of them
  assert.equal(service.arrivals.length, 4 * RUNS);
  assert.deepEqual(service.effects.sort(), keysOf(ids));
});

Deno.test("of two processes that go on with the same run one has it, and the other waits for its turn", async () => {
  await using service = new CountingService();
  await using files = await tempFiles({});
  const store = files.path("maestro.db");
  const task = { store, port: service.port };
  service.hold("Two");
  await using first = new Victim({ ...task, act: "start", workflow: THREE_STEPS });
  await service.came(2);
  first.kill("SIGKILL");
  await first.ended();
  service.release("Two");
  const both = await Promise.all([1, 2].map(() => runVictim({ ...task, act: "take" })));
  const said = both.flatMap(({ victim }) => victim.said);
  assert.deepEqual(
    said.map((one) => one.said === "failed" ? one.code : one.said).sort(),
    ["RUN_NOT_ACTIVE", "ended"],
  );
  assert.equal(service.arrivals.length, 4);
  assert.deepEqual(service.effects.sort(), keysOf(["run-0"]));
});
