/** A server goes on with what is left open while it serves: by others that died, and by itself. */
import assert from "node:assert/strict";
import { systemClock } from "../../src/engine/clock.ts";
import type { Journal } from "../../src/engine/doors.ts";
import { Engine } from "../../src/engine/engine.ts";
import { checkWorkflow } from "../../src/library/check.ts";
import { Server } from "../../src/server/server.ts";
import { WorkflowFolder } from "../../src/server/workflow_folder.ts";
import { sqliteJournal } from "../../src/store/sqlite/journal.ts";
import { workflowOf } from "../support/engines.ts";
import { tempFiles } from "../support/temp_files.ts";
import { type Script, World } from "../support/world.ts";

const WAITING = workflowOf(`name: waiting
services: { shop: { endpoint: "shop:1" } }
steps:
  - { id: word, await_signal: go }
  - { id: do, service: shop, method: Do }
`);
const ok: Script = { answer: { id: "1" } };

async function serverOver(journal: Journal, folder: string) {
  const engine = new Engine({
    journal,
    caller: new World({ "shop/Do": ok }, systemClock).caller(),
  });
  const server = new Server({
    engine,
    journal,
    workflows: await WorkflowFolder.open({ folder, check: checkWorkflow }),
    tokens: null,
    hosts: new Set(),
    version: "0",
    onDefect: (thrown) => console.error(thrown),
    resumeEvery: 20,
  });
  await server.resume(() => {});
  return { engine, server };
}

/** Waits until something is so. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!await isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
}

Deno.test("a server takes over the runs of another process that has ended", async () => {
  await using files = await tempFiles({});
  const open = () => sqliteJournal(files.path("maestro.db"));
  const other = new Engine({
    journal: open(),
    caller: new World({ "shop/Do": ok }, systemClock).caller(),
  });
  const { engine, server } = await serverOver(open(), files.path("."));
  try {
    await other.start(WAITING, { runId: "r" });
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal((await engine.resumeAll()).sleeping, 0, "it is the other's");
    await other.close();
    const look = open();
    await until(async () => (await look.find("r")).owned);
    await look.close();
  } finally {
    await server.close();
  }
});

Deno.test("a server goes on with a run that its store's trouble has stopped", async () => {
  await using files = await tempFiles({});
  const journal = sqliteJournal(files.path("maestro.db"));
  let isFull = false;
  const flaky: Journal = {
    ...journal,
    append: (claim, facts, standing) =>
      isFull ? Promise.reject(new Error("disk full")) : journal.append(claim, facts, standing),
  };
  const { engine, server } = await serverOver(flaky, files.path("."));
  try {
    const run = await engine.start(WAITING, { runId: "r" });
    isFull = true;
    await assert.rejects(run.signal("go"), { code: "STORE_FAILED" });
    isFull = false;
    await until(async () => {
      await engine.signal("r", "go").catch(() => {});
      return (await engine.report("r")).status === "completed";
    });
  } finally {
    await server.close();
  }
});
