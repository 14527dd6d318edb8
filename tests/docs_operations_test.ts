/** The queries in docs/operations.md find what they say. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { Engine } from "../src/engine/engine.ts";
import { sqliteJournal } from "../src/store/sqlite/journal.ts";
import { JumpingClock } from "./support/clock.ts";
import { workflowOf } from "./support/engines.ts";
import { type Script, World } from "./support/world.ts";

const HEAD = `name: shown\nservices: { shop: { endpoint: "shop:1" } }\nsteps:\n`;
const ok: Script = { answer: { id: "1" } };

/** Runs in the states that the queries are about. */
async function makeStore(path: string): Promise<void> {
  const clock = new JumpingClock(Date.now());
  const scripts: Record<string, Script> = {
    "shop/Do": ok,
    "shop/Undo": { fail: "UNAUTHENTICATED" },
    "shop/Refuse": { fail: "FAILED_PRECONDITION" },
    "shop/Flaky": (_, nth) => nth < 2 ? { fail: "UNAVAILABLE" } : { answer: {} },
  };
  const world = new World(scripts, clock);
  const engine = new Engine({ caller: world.caller(), journal: sqliteJournal(path), clock });
  const start = async (runId: string, steps: string) =>
    await engine.start(workflowOf(HEAD + steps), { runId });
  try {
    const undone = "  - { id: do, service: shop, method: Do, compensate: { method: Undo } }\n";
    const refused = "  - { id: no, service: shop, method: Refuse }\n";
    await (await start("parked", undone + refused)).result();
    await (await start("failed", refused)).result();
    await (await start(
      "order-4711",
      "  - { id: flaky, service: shop, method: Flaky, retry: { attempts: 3 } }\n",
    )).result();
    await start("asleep", "  - await_signal: never\n");
  } finally {
    await engine.close();
    clock.stop();
  }
}

Deno.test("the queries in operations.md find what they say", async () => {
  const text = await Deno.readTextFile(new URL("../docs/operations.md", import.meta.url));
  const sql = text.match(/```sql\n([\s\S]*?)```/)?.[1] ?? assert.fail("There are no queries");
  const queries = sql.split(/^-- \d\. .*$/m).slice(1);
  assert.equal(queries.length, 5);
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/maestro.db`;
    await makeStore(path);
    const db = new DatabaseSync(path, { readOnly: true });
    const rows = queries.map((query) => db.prepare(query).all().map((row) => ({ ...row })));
    db.close();
    const [parked, story, codes, attempts, asleep] = rows;
    assert.deepEqual(parked?.map(({ id }) => id), ["parked"]);
    assert.equal(story?.[0]?.["kind"], "run_started");
    assert.equal(story?.at(-1)?.["kind"], "run_ended");
    assert.match(String(story?.[0]?.["at"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(codes, [{ code: "FAILED_PRECONDITION", runs: 1 }]);
    assert.deepEqual(attempts?.[0], { path: "flaky", op: "action", attempts: 2, runs: 1 });
    assert.deepEqual(asleep?.map(({ id }) => id).sort(), ["asleep", "parked"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
