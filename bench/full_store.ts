import { DatabaseSync } from "node:sqlite";
import { Engine, sqliteJournal } from "../mod.ts";
import { loadText } from "./load_text.ts";
import { noopCaller } from "./noop_caller.ts";

/** Over how long the runs' starts are spread, in milliseconds: thirty days. */
const SPREAD = 30 * 24 * 3_600_000;
/** How many are written in one transaction. */
const AT_ONCE = 50_000;

/** Runs that are multiplied: of nine in ten the first, of the rest the second. */
const TEMPLATES = {
  order: `name: order
services: { echo: { endpoint: "echo:1" } }
steps:
  - { id: first, service: echo, method: Say, input: { text: "{{ .input.text }}" } }
  - { id: second, service: echo, method: Say, input: { text: "{{ .first.text }}" } }
`,
  refund: `name: refund
services: { echo: { endpoint: "echo:1" } }
steps:
  - { id: first, service: echo, method: Say, input: { text: "{{ .input.text }}" } }
  - fail: { code: ABORTED, message: "Nothing is left of it" }
`,
};

/**
 * Makes a store of runs that have ended: a few that were really run, and copies of their rows.
 *
 * @returns the id of one in the middle
 */
export async function fillStore(file: string, runs: number): Promise<string> {
  const engine = new Engine({ caller: noopCaller, journal: sqliteJournal(file) });
  for (const text of Object.values(TEMPLATES)) {
    const run = await engine.start(loadText(text, {}), { input: { text: "hello" } });
    await run.result();
  }
  await engine.close();
  const db = new DatabaseSync(file);
  db.exec("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000");
  const numbers = "WITH RECURSIVE new (no) AS " +
    "(SELECT ?1 UNION ALL SELECT no + 1 FROM new WHERE no < ?2) ";
  const template = "(CASE WHEN new.no % 10 = 0 THEN 2 ELSE 1 END)";
  const began = Date.now() - SPREAD;
  const copyRuns = db.prepare(
    `${numbers} INSERT INTO runs SELECT new.no, printf('%08x-%04x-7000-8000-%012x', at >> 16, at & 65535, new.no), ` +
      "t.root, t.workflow, t.version, t.correlation_id, t.status, at, at + 100, t.asleep, t.sleeps_until, " +
      "t.owner, t.token, t.texts " +
      `FROM (SELECT no, ${began} + no * ${SPREAD} / ${runs} AS at FROM new) AS new JOIN runs t ON t.no = ${template}`,
  );
  const copyMoments = db.prepare(
    `${numbers} INSERT INTO moments (run, seq, facts) SELECT new.no, m.seq, m.facts ` +
      `FROM new JOIN moments m ON m.run = ${template}`,
  );
  for (let no = 3; no <= runs; no += AT_ONCE) {
    const last = Math.min(no + AT_ONCE - 1, runs);
    db.exec("BEGIN");
    copyRuns.run(no, last);
    copyMoments.run(no, last);
    db.exec("COMMIT");
  }
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  const { id } = db.prepare("SELECT id FROM runs WHERE no = ?").get(Math.ceil(runs / 2)) as {
    id: string;
  };
  db.close();
  return id;
}
