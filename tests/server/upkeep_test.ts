/** What keeps a server's store in order: runs that were left open go on, and old ones are dropped. */
import assert from "node:assert/strict";
import { systemClock } from "../../src/engine/clock.ts";
import type { Journal } from "../../src/engine/doors.ts";
import { Engine } from "../../src/engine/engine.ts";
import { checkWorkflow } from "../../src/library/check.ts";
import type { AuditEntry } from "../../src/server/audit.ts";
import { EngineOperations } from "../../src/server/engine_operations.ts";
import type { Caller } from "../../src/server/operations.ts";
import { WorkflowFolder } from "../../src/server/workflow_folder.ts";
import { memoryJournal } from "../../src/store/memory.ts";
import { sqliteJournal } from "../../src/store/sqlite/journal.ts";
import { workflowOf } from "../support/engines.ts";
import { type TempFiles, tempFiles } from "../support/temp_files.ts";
import { World } from "../support/world.ts";

const WAITING = workflowOf(`name: waiting
steps:
  - { id: word, await_signal: go }
`);
const CALLING = workflowOf(`name: calling
services: { shop: { endpoint: "shop:1" } }
steps:
  - { id: do, service: shop, method: Do }
`);
const NO_STEP = workflowOf("name: short\nsteps:\n  - { set: { a: 1 } }\n");

const VERA: Caller = { name: "vera", role: "viewer" };
const OTTO: Caller = { name: "otto", role: "operator" };
const ADA: Caller = { name: "ada", role: "admin" };

const engineOver = (journal: Journal) =>
  new Engine({ journal, caller: new World({ "shop/Do": { hang: true } }, systemClock).caller() });

async function operationsOver(journal: Journal, files: TempFiles) {
  const workflows = await WorkflowFolder.open({ folder: files.path("."), check: checkWorkflow });
  const engine = engineOver(journal);
  const audited: AuditEntry[] = [];
  const audit = (entry: AuditEntry) => audited.push(entry);
  const operations = new EngineOperations({ engine, journal, workflows, audit });
  return {
    engine,
    operations,
    audited,
    async [Symbol.asyncDispose]() {
      operations.close();
      workflows.close();
      await engine.close();
    },
  };
}

Deno.test("a run that was left open goes on here once it is asked for", async () => {
  await using files = await tempFiles({});
  const open = () => sqliteJournal(files.path("maestro.db"));
  const other = engineOver(open());
  await other.start(WAITING, { runId: "r" });
  await (await other.start(NO_STEP, { runId: "done" })).result();
  await using server = await operationsOver(open(), files);
  const { operations, audited } = server;
  await assert.rejects(operations.resumeRun("r", OTTO), { code: "RUN_OWNED" });
  await other.close();
  assert.equal((await operations.findRun("r")).owned, false);
  await assert.rejects(operations.resumeRun("r", VERA), { code: "FORBIDDEN" });
  assert.equal((await operations.resumeRun("r", OTTO)).status, "running");
  assert.equal((await operations.findRun("r")).owned, true);
  await operations.resumeRun("r", OTTO); // it does so already
  await assert.rejects(operations.resumeRun("done", OTTO), { code: "RUN_NOT_ACTIVE" });
  await assert.rejects(operations.resumeRun("nobody", OTTO), { code: "RUN_NOT_FOUND" });
  await assert.rejects(operations.resumeRun("r/word", OTTO), {
    code: "USAGE",
    message: 'Cannot resume "r/word" alone: it is a child run, which goes on with "r"',
  });
  const told = audited.map(({ who, action, runId, refused }) =>
    [who, action, runId, refused ?? "done"].join(" ")
  );
  assert.deepEqual(told, ["vera resume r FORBIDDEN", "otto resume r done", "otto resume r done"]);
});

Deno.test("all that was left open goes on here once it is asked for", async () => {
  await using files = await tempFiles({});
  const open = () => sqliteJournal(files.path("maestro.db"));
  const other = engineOver(open());
  await other.start(CALLING, { runId: "awake" });
  await other.start(WAITING, { runId: "asleep" });
  await other.close();
  await using server = await operationsOver(open(), files);
  const { operations, audited } = server;
  await assert.rejects(operations.resumeRuns(VERA), { code: "FORBIDDEN" });
  const first = await operations.resumeRuns(OTTO);
  assert.deepEqual(first, { resumed: ["awake"], sleeping: 1, failed: [] });
  const again = await operations.resumeRuns(OTTO);
  assert.deepEqual(again, { resumed: [], sleeping: 0, failed: [] });
  assert.deepEqual(audited[1]?.more, { resumed: 1, sleeping: 1, failed: 0 });
});

Deno.test("runs that ended long ago are dropped by who may", async () => {
  await using files = await tempFiles({});
  await using server = await operationsOver(memoryJournal(), files);
  const { engine, operations, audited } = server;
  await engine.start(WAITING, { runId: "open" });
  await (await engine.start(NO_STEP, { runId: "done" })).result();
  await new Promise((resolve) => setTimeout(resolve, 5)); // it ended before now
  const all = { older_than: "0s" };
  await assert.rejects(operations.pruneRuns(all, OTTO), { code: "FORBIDDEN" });
  await assert.rejects(operations.pruneRuns({ older_than: "long" }, ADA), {
    code: "USAGE",
    message: 'Cannot use "long" as "older_than": write a duration, such as 30s, 12h or 30d',
  });
  const none = await operations.pruneRuns({ older_than: "1h" }, ADA);
  assert.deepEqual(none, { dropped: 0, more: false });
  assert.deepEqual(await operations.pruneRuns(all, ADA), { dropped: 1, more: false });
  await assert.rejects(operations.findRun("done"), { code: "RUN_NOT_FOUND" });
  assert.equal((await operations.findRun("open")).status, "running");
  const { who, action, runId, more } = audited.at(-1) ?? {};
  assert.deepEqual([who, action, runId, more], [
    "ada",
    "prune",
    null,
    { older_than: "0s", dropped: 1 },
  ]);
});

Deno.test("a request drops only so many, and says that there are more", async () => {
  await using files = await tempFiles({});
  let left = 6_000;
  const journal: Journal = {
    ...memoryJournal(),
    prune(_, most = Infinity) {
      const dropped = Math.min(left, most);
      left -= dropped;
      return Promise.resolve(dropped);
    },
  };
  await using server = await operationsOver(journal, files);
  const asked = () => server.operations.pruneRuns({ older_than: "30d" }, ADA);
  assert.deepEqual(await asked(), { dropped: 5_000, more: true });
  assert.deepEqual(await asked(), { dropped: 1_000, more: false });
});
