import assert from "node:assert/strict";
import type { Journal } from "../../src/engine/doors.ts";
import { MaestroError } from "../../src/errors.ts";
import { timedSqliteJournal } from "../../src/store/sqlite/journal.ts";
import { TIMING, type Timing } from "../../src/store/sqlite/timing.ts";
import { factAt, newRun } from "../support/exercise_journal.ts";
import { tempFiles } from "../support/temp_files.ts";

const { lease: LEASE } = TIMING;
const HOUR = 3_600_000;
/** So often as to be waited for. */
const OFTEN = 5;
const NEVER = 2 ** 31 - 1;

function failsWith(code: string) {
  return (thrown: unknown) => thrown instanceof MaestroError && thrown.code === code;
}

/** Journals over one file, as processes of one machine have them, whose clock can be set. */
class Machine implements AsyncDisposable {
  wall = Date.UTC(2026, 0, 1);
  readonly #open: Journal[] = [];

  private constructor(
    readonly path: string,
    readonly files: AsyncDisposable,
  ) {}

  static async start(): Promise<Machine> {
    const files = await tempFiles({});
    return new Machine(files.path("maestro.db"), files);
  }

  open(timing: Partial<Timing> = {}): Journal {
    const journal = timedSqliteJournal(this.path, {}, {
      ...TIMING,
      wall: () => this.wall,
      renewEvery: NEVER,
      ...timing,
    });
    this.#open.push(journal);
    return journal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const journal of this.#open) await journal.close();
    await this.files[Symbol.asyncDispose]();
  }
}

async function begin(journal: Journal, runId: string) {
  const claim = await journal.create(newRun(runId), "somebody");
  await journal.append(claim, [factAt(1)]);
  return claim;
}

/** Waits until something is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, OFTEN));
}

Deno.test("a run is not given to another while its owner lives, and is once its lease has run out", async () => {
  await using machine = await Machine.start();
  const [one, other] = [machine.open(), machine.open({ renewEvery: OFTEN })];
  const claim = await begin(one, "r1");
  for (const passed of [0, LEASE / 2, LEASE / 2 - 1]) {
    machine.wall += passed;
    assert.ok(one.holds(claim));
    await assert.rejects(other.claim("r1", "other"), failsWith("RUN_OWNED"));
    assert.deepEqual(await Array.fromAsync(other.adopt("other")), []);
    assert.ok((await other.find("r1")).owned);
  }
  machine.wall += 1;
  assert.ok(!one.holds(claim));
  assert.ok(!(await other.find("r1")).owned);
  const taken = await other.claim("r1", "other");
  assert.ok(taken.token > claim.token);
  await assert.rejects(one.append(claim, [factAt(2)]), failsWith("CLAIM_LOST"));
  await other.append(taken, [factAt(2)]);
  await until(() => other.holds(taken));
  await assert.rejects(one.claim("r1", "one"), failsWith("RUN_OWNED"));
});

Deno.test("a lease is renewed for as long as its process lives", async () => {
  await using machine = await Machine.start();
  const [one, other] = [machine.open({ renewEvery: OFTEN }), machine.open()];
  const claim = await begin(one, "r1");
  for (let leases = 0; leases < 3; leases++) {
    machine.wall += LEASE;
    await until(() => one.holds(claim));
    await assert.rejects(other.claim("r1", "other"), failsWith("RUN_OWNED"));
  }
  await one.append(claim, [factAt(2)]);
});

for (const [direction, jump] of [["forward", HOUR], ["back", -HOUR]] as const) {
  Deno.test(`a clock that is set ${direction} makes an owner look whether it has lost its runs, and no more`, async () => {
    await using machine = await Machine.start();
    const [one, other] = [machine.open({ renewEvery: OFTEN }), machine.open()];
    const claim = await begin(one, "r1");
    machine.wall += jump;
    assert.ok(!one.holds(claim), "it takes its lease to be good, by which nobody else goes");
    await one.append(claim, []);
    await until(() => one.holds(claim));
    await assert.rejects(other.claim("r1", "other"), failsWith("RUN_OWNED"));
    await one.append(claim, [factAt(2)]);
  });

  Deno.test(`who takes a run over when the clock is set ${direction} is its only owner, whatever the clock does then`, async () => {
    await using machine = await Machine.start();
    const [one, other] = [machine.open(), machine.open()];
    const claim = await begin(one, "r1");
    machine.wall += jump;
    const taken = await other.claim("r1", "other");
    machine.wall -= jump;
    await assert.rejects(one.append(claim, []), failsWith("CLAIM_LOST"));
    await other.append(taken, [factAt(2)]);
    machine.wall -= 1;
    await assert.rejects(one.append(claim, [factAt(3)]), failsWith("CLAIM_LOST"));
    assert.equal((await Array.fromAsync(one.read("r1"))).length, 2);
  });
}

Deno.test("a lease runs out though the wall's clock stands still", async () => {
  await using machine = await Machine.start();
  let steady = 0;
  const one = machine.open({ steady: () => steady });
  const claim = await begin(one, "r1");
  steady += LEASE - 1;
  assert.ok(one.holds(claim));
  steady += 1;
  assert.ok(!one.holds(claim));
});

Deno.test("who was taken for dead and comes back is alive again, with the runs that nobody took", async () => {
  await using machine = await Machine.start();
  const one = machine.open({ renewEvery: OFTEN });
  const [other, third] = [machine.open(), machine.open()];
  const [lost, kept] = [await begin(one, "r1"), await begin(one, "r2")];
  machine.wall += LEASE;
  await other.claim("r1", "other"); // at once: nothing renews it meanwhile
  await until(() => one.holds(kept));
  await assert.rejects(one.append(lost, [factAt(2)]), failsWith("CLAIM_LOST"));
  await one.append(kept, [factAt(2)]);
  await assert.rejects(third.claim("r2", "third"), failsWith("RUN_OWNED"));
  await one.close();
  await third.claim("r2", "third"); // its new lock file went with it
});

Deno.test("nobody has the number of another who may come back, and so not its runs", async () => {
  await using machine = await Machine.start();
  const [one, other, third] = [machine.open(), machine.open(), machine.open()];
  const [, left] = [await begin(one, "r1"), await begin(one, "r2")];
  machine.wall += LEASE;
  await other.claim("r1", "other");
  await other.close();
  await begin(third, "r3");
  await assert.rejects(one.claim("r3", "one"), failsWith("RUN_OWNED"));
  const adopted = await Array.fromAsync(third.adopt("third"));
  assert.deepEqual(adopted.map(({ claim }) => claim.runId), ["r1", "r2", "r3"]);
  await assert.rejects(one.append(left, [factAt(2)]), failsWith("CLAIM_LOST"));
});

Deno.test("a claim on a run that was dropped is none on the run that came next", async () => {
  await using machine = await Machine.start();
  const [one, other] = [machine.open(), machine.open()];
  const lost = await begin(one, "r1");
  machine.wall += LEASE;
  const taken = await other.claim("r1", "other");
  const ended = { status: "completed", endedAt: 1, sleepsUntil: undefined } as const;
  await other.append(taken, [factAt(2, "run_ended")], ended);
  assert.equal(await other.prune(2), 1);
  await begin(other, "r2");
  await assert.rejects(one.append(lost, [factAt(2)]), failsWith("CLAIM_LOST"));
  assert.equal((await Array.fromAsync(other.read("r2"))).length, 1);
});

Deno.test("who takes a run over has its child runs, too, also where their owner comes back", async () => {
  await using machine = await Machine.start();
  const [one, other] = [machine.open(), machine.open()];
  await begin(one, "r1");
  const child = await begin(one, "r1/step");
  const done = await begin(one, "r1/done");
  await one.append(done, [factAt(2)], { status: "completed", endedAt: 1, sleepsUntil: undefined });
  machine.wall += LEASE;
  await other.claim("r1", "other");
  await assert.rejects(one.append(child, [factAt(2)]), failsWith("CLAIM_LOST"));
  await assert.rejects(one.claim("r1/done", "one"), failsWith("RUN_OWNED"));
  await other.append(await other.claim("r1/step", "other"), [factAt(2)]);
  await other.append(await other.claim("r1/done", "other"), [factAt(3)]); // to roll it back
  const late = await one.create(newRun("r1/late"), "one");
  await assert.rejects(one.append(late, [factAt(1)]), failsWith("CLAIM_LOST"));
});
