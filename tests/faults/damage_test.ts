import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { Engine } from "../../src/engine/engine.ts";
import type { Journal } from "../../src/engine/doors.ts";
import { StoredFacts } from "../../src/engine/stored_facts.ts";
import { MaestroError } from "../../src/errors.ts";
import { eventsOfAll } from "../../src/server/events.ts";
import { MomentReader } from "../../src/server/moment_reader.ts";
import { RunFeed } from "../../src/server/run_feed.ts";
import { sqliteJournal } from "../../src/store/sqlite/journal.ts";
import { JumpingClock } from "../support/clock.ts";
import { workflowOf } from "../support/engines.ts";
import { tempFiles } from "../support/temp_files.ts";
import { World } from "../support/world.ts";

const WORKFLOWS = Object.fromEntries(
  ["hurt", "whole"].map((name) => [
    name,
    workflowOf(`name: ${name}
services: { shop: { endpoint: "{{ .env.${name.toUpperCase()} }}" } }
steps:
  - { id: word, await_signal: word }
  - { id: a, service: shop, method: Do }
`),
  ]),
);

/** Ways in which a file that SQLite can read may not say what it should. */
const DAMAGES: readonly { readonly name: string; readonly sql: string; readonly says: RegExp }[] = [
  {
    name: "facts that are no JSON",
    sql: "UPDATE moments SET facts = substr(facts, 1, 100) WHERE run = $hurt",
    says:
      /^Cannot use the store ".*": a fact of run "hurt" is damaged; put a copy of the file back$/,
  },
  {
    name: "a definition that is no JSON",
    sql: 'UPDATE texts SET text = substr(text, 1, 100) WHERE text LIKE \'%"name":"hurt"%\'',
    says:
      /^The definition of run "hurt" is damaged in the store; put a copy of the store's file back$/,
  },
  {
    name: "no definition",
    sql: 'DELETE FROM texts WHERE text LIKE \'%"name":"hurt"%\'',
    says: /^The definition of run "hurt" is not in the store/,
  },
  {
    name: "an environment that is no JSON",
    sql: "UPDATE texts SET text = 'x' WHERE text LIKE '{\"HURT\"%'",
    says:
      /^The environment of run "hurt" is damaged in the store; put a copy of the store's file back$/,
  },
];

/** The events of all runs from the first on, to one of a kind. */
async function eventsUntil(kind: string, journal: Journal): Promise<readonly string[]> {
  const facts = new StoredFacts(journal, undefined);
  const feed = new RunFeed(journal);
  const moments = new MomentReader(journal, facts);
  const heard: string[] = [];
  const { signal } = new AbortController();
  for await (
    const { event } of eventsOfAll({ journal, feed, facts, moments }, { after: "0.0", signal })
  ) {
    heard.push(`${event.run_id} ${event.kind}`);
    if (event.kind === kind) break;
  }
  await journal.close();
  return heard;
}

for (const { name, sql, says } of DAMAGES) {
  Deno.test(`a run with ${name} is said to be damaged, and the others go on`, async () => {
    await using files = await tempFiles({});
    const path = files.path("maestro.db");
    const clock = new JumpingClock();
    const world = new World({ "shop/Do": { answer: {} } }, clock);
    const open = () =>
      new Engine({
        caller: world.caller(),
        clock,
        journal: sqliteJournal(path),
        env: (name) => `${name}:1`,
      });
    try {
      const first = open();
      for (const [runId, workflow] of Object.entries(WORKFLOWS)) {
        await first.start(workflow, { runId });
      }
      await first.close();
      const db = new DatabaseSync(path);
      const { changes } = db.prepare(
        sql.replace("$hurt", "(SELECT no FROM runs WHERE id = 'hurt')"),
      )
        .run();
      assert.equal(changes, 1);
      db.close();
      const second = open();
      const isDamaged = (thrown: unknown) =>
        thrown instanceof MaestroError && thrown.code === "STORE_FAILED" &&
        says.test(thrown.message);
      await assert.rejects(second.resume("hurt"), isDamaged);
      await assert.rejects(second.report("hurt"), isDamaged);
      const run = await second.signal("whole", "word");
      assert.equal((await run?.result())?.status, "completed");
      await second.close();
      assert.deepEqual((await eventsUntil("run_ended", sqliteJournal(path))).slice(-2), [
        "whole step_completed",
        "whole run_ended",
      ]);
      assert.deepEqual(world.effects, ["whole/a/action"]);
    } finally {
      clock.stop();
    }
  });
}

Deno.test("a command that can't be read is passed over, and those after it are heard", async () => {
  await using files = await tempFiles({});
  const path = files.path("maestro.db");
  const clock = new JumpingClock();
  const world = new World({ "shop/Do": { answer: {} } }, clock);
  const journal = sqliteJournal(path);
  const engine = new Engine({ caller: world.caller(), clock, journal, env: () => "x:1" });
  const other = sqliteJournal(path);
  const awake = setInterval(() => {}, 1_000); // listening keeps no process alive
  try {
    const run = await engine.start(WORKFLOWS["hurt"]!, { runId: "hurt" });
    const db = new DatabaseSync(path);
    db.exec("INSERT INTO inbox (run, command, posted_at) SELECT no, '{', 0 FROM runs");
    const newer = await other.post("hurt", { kind: "dream" });
    await other.post("hurt", { kind: "cancel", by: null });
    assert.equal((await run.result()).status, "cancelled");
    const answers = db.prepare("SELECT answer ->> 'code' AS code FROM inbox ORDER BY no").all();
    assert.deepEqual(answers.slice(0, 2).map(({ code }) => code), ["USAGE", "USAGE"]);
    assert.equal((await other.answerTo(newer) as { code: string }).code, "USAGE");
    db.close();
  } finally {
    clearInterval(awake);
    await other.close();
    await engine.close();
    clock.stop();
  }
});
