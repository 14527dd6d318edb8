/**
 * Writes a store as this version leaves it, with a run in every state: done once for every version of
 * the tables, and kept for ever.
 *
 *     deno run -A tests/store/make_fixture.ts
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { Engine } from "../../src/engine/engine.ts";
import { grpcCaller } from "../../src/grpc/caller.ts";
import { sqliteJournal } from "../../src/store/sqlite/journal.ts";
import { MIGRATIONS } from "../../src/store/sqlite/migrations.ts";
import { FakeClock } from "../support/clock.ts";
import { workflowOf } from "../support/engines.ts";
import { startServer } from "../support/grpc_server.ts";
import { fromFileUrl } from "../support/paths.ts";
import { tempFiles } from "../support/temp_files.ts";
import { World } from "../support/world.ts";
import { BEGAN, bothWays, ENVIRONMENT, RUNS, SERVICES, shop, THEN } from "./fixture_runs.ts";

const path = fromFileUrl(new URL(`./fixtures/v${MIGRATIONS.length}.db`, import.meta.url));

await using files = await tempFiles({});
await using server = await startServer({
  scripts: { "acme.shop.v1.Shop/Echo": ({ request }) => request },
});
const clock = new FakeClock(BEGAN);
const world = new World(shop(THEN), clock);
const journal = sqliteJournal(files.path("maestro.db"));
const engine = new Engine({
  caller: bothWays(world.caller(), grpcCaller(), server.endpoint),
  journal,
  clock,
  random: () => 0,
  env: (name) => ({ ...ENVIRONMENT, GRPC: server.endpoint })[name],
});
try {
  for (const { id, steps, child, signals = [] } of RUNS) {
    const text = (name: string, steps: string) => `name: ${name}\n${SERVICES}${steps}\n`;
    const children = new Map(child === undefined ? [] : [["child.yaml", text("child", child)]]);
    const run = await engine.start(workflowOf(text(id, steps), children), { runId: id });
    for (const name of signals) await run.signal(name, { text: name }, `${id}-${name}`);
  }
  await rest();
  await Deno.mkdir(fromFileUrl(new URL("./fixtures", import.meta.url)), { recursive: true });
  await Deno.remove(path).catch(() => {});
  const live = new DatabaseSync(files.path("maestro.db"));
  live.exec(`VACUUM INTO '${path}'`); // as a power cut leaves it, without the log
  live.close();
} finally {
  await engine.close();
}
const made = sqliteJournal(path, { mustExist: true });
await made.post("is_told_to_stop", { kind: "cancel", by: "ada" });
await made.close();
console.log(`${path}: ${(await Deno.stat(path)).size} bytes`);

/** Waits until nothing more happens: time stands still. */
async function rest(): Promise<void> {
  for (let before = -1, now = 0; before < now;) {
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    now = 0;
    for (const { runId } of await journal.list({ limit: 1_000 })) {
      now += (await Array.fromAsync(journal.read(runId))).length;
    }
  }
}
