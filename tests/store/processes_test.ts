import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { Journal } from "../../src/engine/doors.ts";
import { MaestroError } from "../../src/errors.ts";
import { sqliteJournal } from "../../src/store/sqlite/journal.ts";
import { exerciseJournal, factAt, newRun } from "../support/exercise_journal.ts";
import { type TempFiles, tempFiles } from "../support/temp_files.ts";
import { freeze } from "../faults/system.ts";
import { SecondProcess } from "./second_process.ts";

/** The lease of a process that is to be frozen for longer. */
const SHORT = { lease: 500, renewEvery: 100 };

function failsWith(code: string) {
  return (thrown: unknown) => thrown instanceof MaestroError && thrown.code === code;
}

/** A journal here, for two processes with the same store. */
class Pair implements AsyncDisposable {
  readonly here: Journal;
  readonly other: SecondProcess;

  private constructor(readonly files: TempFiles, timing: Partial<typeof SHORT>) {
    const path = files.path("maestro.db");
    this.here = sqliteJournal(path);
    this.other = new SecondProcess(path, timing);
  }

  static async start(timing: Partial<typeof SHORT> = {}): Promise<Pair> {
    return new Pair(await tempFiles({}), timing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.other[Symbol.asyncDispose]();
    await this.here.close();
    await this.files[Symbol.asyncDispose]();
  }
}

/** Claims a run as soon as it can be had. */
async function claimSoon(journal: Journal, runId: string) {
  for (;;) {
    try {
      return await journal.claim(runId, "me");
    } catch (thrown) {
      if (!failsWith("RUN_OWNED")(thrown)) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Resolves with the next command that is heard. */
function nextHeard(journal: Journal): Promise<{ number: number; runId: string; command: unknown }> {
  const awake = setInterval(() => {}, 1_000); // listening keeps no process alive
  return new Promise((resolve) => {
    const stop = journal.listen((posted) => {
      stop();
      clearInterval(awake);
      resolve(posted);
      return Promise.resolve();
    });
  });
}

exerciseJournal("SQLite, where another process writes again and again,", async () => {
  const files = await tempFiles({});
  const other = new SecondProcess(files.path("maestro.db"), { renewEvery: 20 });
  await other.ask("adopt", "other"); // it is an owner from now on, and says so again and again
  const journal = sqliteJournal(files.path("maestro.db"));
  return {
    ...journal,
    close: async () => {
      await journal.close();
      await other[Symbol.asyncDispose]();
      await files[Symbol.asyncDispose]();
    },
  };
});

Deno.test("a run of a live process is refused, and had at once when that is killed", async () => {
  await using pair = await Pair.start();
  const { here, other } = pair;
  const lost = await other.ask("create", newRun("r1"), "other");
  await other.ask("append", lost, [factAt(1)]);
  await assert.rejects(here.claim("r1", "me"), failsWith("RUN_OWNED"));
  assert.deepEqual(await Array.fromAsync(here.adopt("me")), []);
  assert.ok((await here.find("r1")).owned);
  await other.end();
  assert.ok(!(await here.find("r1")).owned);
  const claim = await here.claim("r1", "me");
  assert.ok(claim.token > lost.token);
  await here.append(claim, [factAt(2)]);
  assert.deepEqual(await Array.fromAsync(here.read("r1")), [factAt(1), factAt(2)]);
});

Deno.test("the runs of a killed process are handed over with those that nobody has", async () => {
  await using pair = await Pair.start();
  const { here, other } = pair;
  for (const id of ["r1", "r2", "r1/child"]) {
    const claim = await other.ask("create", newRun(id), "other");
    await other.ask("append", claim, [factAt(1)]);
  }
  await here.append(await here.create(newRun("r3"), "me"), [factAt(1)]);
  await other.end();
  const adopted = await Array.fromAsync(here.adopt("me"));
  assert.deepEqual(adopted.map(({ claim }) => claim.runId), ["r1", "r2", "r3"]);
  for (const { claim } of adopted) await here.append(claim, [factAt(2)]);
  await here.claim("r1/child", "me");
});

Deno.test("a process that hangs for longer than its lease has lost what was taken, and nothing else", async () => {
  await using pair = await Pair.start(SHORT);
  const { here, other } = pair;
  const [lost, kept] = [
    await other.ask("create", newRun("r1"), "other"),
    await other.ask("create", newRun("r2"), "other"),
  ];
  // Of what it was given the claims know the row only once they have written.
  await assert.rejects(here.claim("r1", "me"), failsWith("RUN_NOT_FOUND"));
  await other.ask("append", lost, [factAt(1)]);
  await other.ask("append", kept, [factAt(1)]);
  const [again, still] = [
    await other.ask("claim", "r1", "other"),
    await other.ask("claim", "r2", "other"),
  ];
  await freeze(other, pair.files.path("maestro.db"));
  const claim = await claimSoon(here, "r1");
  assert.ok(claim.token > again.token);
  await here.append(claim, [factAt(2)]);
  other.kill("SIGCONT");
  await assert.rejects(other.ask("append", again, [factAt(2)]), failsWith("CLAIM_LOST"));
  await assert.rejects(other.ask("append", again, []), failsWith("CLAIM_LOST"));
  await assert.rejects(
    other.ask("keep", again, { digest: "d", text: "t" }),
    failsWith("CLAIM_LOST"),
  );
  await other.ask("append", still, [factAt(2)]);
  assert.equal((await Array.fromAsync(here.read("r1"))).length, 2);
  assert.equal(await here.kept("d"), undefined);
});

Deno.test("a process that comes to the store by a link sees who lives", async () => {
  await using pair = await Pair.start();
  const { other, files } = pair;
  const claim = await other.ask("create", newRun("r1"), "other");
  await other.ask("append", claim, [factAt(1)]);
  await Deno.mkdir(files.path("links"));
  await Deno.symlink(files.path("maestro.db"), files.path("links/maestro.db"));
  const linked = sqliteJournal(files.path("links/maestro.db"));
  await assert.rejects(linked.claim("r1", "me"), failsWith("RUN_OWNED"));
  await linked.append(await linked.create(newRun("r2"), "me"), [factAt(1)]);
  await assert.rejects(other.ask("claim", "r2", "other"), failsWith("RUN_OWNED"));
  await other.end();
  await linked.claim("r1", "me");
  await linked.close();
});

Deno.test("in a copy of a store nobody has the runs that somebody has in the store", async () => {
  await using pair = await Pair.start();
  const { other, files } = pair;
  const claim = await other.ask("create", newRun("r1"), "other");
  await other.ask("append", claim, [factAt(1)]);
  const db = new DatabaseSync(files.path("maestro.db"));
  db.exec(`VACUUM INTO '${files.path("copy.db")}'`);
  db.close();
  const copy = sqliteJournal(files.path("copy.db"));
  const adopted = await Array.fromAsync(copy.adopt("me"));
  assert.deepEqual(adopted.map(({ claim }) => claim.runId), ["r1"]);
  await copy.close();
});

Deno.test("of several processes that claim a run at the same time one gets it", async () => {
  await using pair = await Pair.start();
  const { here, other } = pair;
  const path = pair.files.path("maestro.db");
  const claim = await other.ask("create", newRun("r1"), "other");
  await other.ask("append", claim, [factAt(1)]);
  await using third = new SecondProcess(path);
  await using fourth = new SecondProcess(path);
  await Promise.all([third.ask("size"), fourth.ask("size")]); // they have started
  await other.end();
  const claims = await Promise.allSettled([
    here.claim("r1", "me"),
    third.ask("claim", "r1", "third"),
    fourth.ask("claim", "r1", "fourth"),
  ]);
  assert.equal(claims.filter(({ status }) => status === "fulfilled").length, 1);
  for (const one of claims) {
    if (one.status === "rejected") assert.ok(failsWith("RUN_OWNED")(one.reason), `${one.reason}`);
  }
});

Deno.test("a command goes to the process that has the run, and its answer comes back and is forgotten", async () => {
  await using pair = await Pair.start();
  const { here, other } = pair;
  const claim = await other.ask("create", newRun("r1"), "other");
  await other.ask("append", claim, [factAt(1)]);
  const number = await here.post("r1", { do: "it" });
  await other.hears(1);
  assert.deepEqual(other.heard, [{ number, runId: "r1", command: { do: "it" } }]);
  assert.equal(await here.answerTo(number), undefined);
  await other.ask("answer", number, { code: "RUN_NOT_ACTIVE", message: "No" });
  assert.deepEqual(await here.answerTo(number), { code: "RUN_NOT_ACTIVE", message: "No" });
  assert.equal(await here.answerTo(number), undefined);
  assert.equal(await other.ask("answerTo", number), null);
});

Deno.test("a command to a process that is dead is heard by who takes the run over", async () => {
  await using pair = await Pair.start();
  const { here, other } = pair;
  const claim = await other.ask("create", newRun("r1"), "other");
  await other.ask("append", claim, [factAt(1)]);
  await other.end();
  const number = await here.post("r1", { do: "it" });
  const heard = nextHeard(here);
  await here.claim("r1", "me");
  assert.deepEqual(await heard, { number, runId: "r1", command: { do: "it" } });
  await here.answer(number, "done");
  assert.equal(await here.answerTo(number), "done");
});

Deno.test("a command that a process has heard, and died of, is heard again by who takes the run over", async () => {
  await using pair = await Pair.start();
  const { here, other } = pair;
  const claim = await other.ask("create", newRun("r1"), "other");
  await other.ask("append", claim, [factAt(1)]);
  const number = await here.post("r1", { do: "it" });
  await other.hears(1);
  await other.end();
  const heard = nextHeard(here);
  const adopted = await Array.fromAsync(here.adopt("me"));
  assert.deepEqual(adopted.map(({ claim }) => claim.runId), ["r1"]);
  assert.equal((await heard).number, number);
});
