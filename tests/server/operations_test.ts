import assert from "node:assert/strict";
import { Engine } from "../../src/engine/engine.ts";
import { EngineOperations } from "../../src/server/engine_operations.ts";
import type { Caller } from "../../src/server/operations.ts";
import { WorkflowFolder } from "../../src/server/workflow_folder.ts";
import { memoryJournal } from "../../src/store/memory.ts";
import { sqliteJournal } from "../../src/store/sqlite/journal.ts";
import { checkWorkflow } from "../../src/library/check.ts";
import { callerOf } from "../../src/library/fake.ts";
import { tempFiles } from "../support/temp_files.ts";

const ME: Caller = { name: "me", role: "admin" };

const TEXT = `
name: greet
version: "1"
input: { type: object, properties: { name: { type: string } } }
steps:
  - id: pause
    await_signal: go
`;

Deno.test("a run is started, signalled and heard to its end", async () => {
  await using files = await tempFiles({ "greet.yaml": TEXT });
  const workflows = await WorkflowFolder.open({ folder: files.path("."), check: checkWorkflow });
  const journal = memoryJournal();
  let wake = () => {};
  const engine = new Engine({
    journal,
    caller: callerOf(() => ({})),
    onHappening: () => wake(),
    onRest: () => wake(),
  });
  const operations = new EngineOperations({ engine, journal, workflows });
  wake = () => operations.wake();
  try {
    const controller = new AbortController();
    const report = await operations.startRun({ workflow: "greet", run_id: "r1" }, ME);
    assert.equal(report.run_id, "r1");
    const heard: string[] = [];
    const listening = (async () => {
      for await (const event of operations.runEvents("r1", { signal: controller.signal })) {
        heard.push(event.kind);
      }
    })();
    await operations.signalRun("r1", { name: "go" }, ME);
    await listening;
    assert.equal(heard.at(-1), "run_ended");
    assert.equal((await operations.countRuns()).completed, 1);
  } finally {
    operations.close();
    workflows.close();
    await engine.close();
  }
});

Deno.test("who asks at the same time gets the run, too, before it can be read", async () => {
  await using files = await tempFiles({ "greet.yaml": TEXT });
  const workflows = await WorkflowFolder.open({ folder: files.path("."), check: checkWorkflow });
  const journal = sqliteJournal(files.path("runs.db"));
  const engine = new Engine({ journal, caller: callerOf(() => ({})) });
  const operations = new EngineOperations({ engine, journal, workflows });
  const asked = { workflow: "greet", run_id: "r1", input: { name: "Ada" } };
  try {
    const [one, two, other, nobodys] = await Promise.allSettled([
      operations.startRun(asked, ME),
      operations.startRun(asked, ME),
      operations.startRun({ ...asked, input: { name: "Bob" } }, ME),
      operations.startRun({ ...asked, run_id: "r2", workflow: "gret" }, ME),
    ]);
    assert.deepEqual([one, two].map(({ status }) => status), ["fulfilled", "fulfilled"]);
    assert.equal(other.status === "rejected" && other.reason.code, "RUN_EXISTS");
    assert.equal(nobodys.status === "rejected" && nobodys.reason.code, "WORKFLOW_NOT_FOUND");
    assert.equal((await operations.startRun({ ...asked, run_id: "r2" }, ME)).run_id, "r2");
  } finally {
    operations.close();
    workflows.close();
    await engine.close();
    await journal.close();
  }
});

Deno.test("who asks again gets the run, also where its workflow is no longer in the folder", async () => {
  await using files = await tempFiles({ "greet.yaml": TEXT });
  const workflows = await WorkflowFolder.open({ folder: files.path("."), check: checkWorkflow });
  const journal = memoryJournal();
  const engine = new Engine({ journal, caller: callerOf(() => ({})) });
  const operations = new EngineOperations({ engine, journal, workflows });
  try {
    const asked = { workflow: "greet", run_id: "r1", input: { name: "Ada" } };
    await operations.startRun(asked, ME);
    await Deno.remove(files.path("greet.yaml"));
    await workflows.look();
    assert.equal((await operations.startRun(asked, ME)).run_id, "r1");
    await assert.rejects(operations.startRun({ ...asked, input: {} }, ME), { code: "RUN_EXISTS" });
    await assert.rejects(operations.startRun({ ...asked, run_id: "r2" }, ME), {
      code: "WORKFLOW_NOT_FOUND",
    });
    operations.close();
    await Deno.writeTextFile(files.path("greet.yaml"), TEXT);
    await workflows.look();
    await assert.rejects(operations.startRun({ ...asked, run_id: "r2" }, ME), {
      code: "ENGINE_CLOSED",
    });
  } finally {
    workflows.close();
    await engine.close();
  }
});
