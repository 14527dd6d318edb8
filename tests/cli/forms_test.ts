/** How the forms of the language look while they go on: as a tree, and as lines. */
import assert from "node:assert/strict";
import type { Happening } from "../../src/engine/happening.ts";
import type { Run } from "../../src/engine/run.ts";
import { explain } from "../../src/cli/explain.ts";
import { paintWith } from "../../src/cli/palette.ts";
import { plainLine } from "../../src/cli/plain_lines.ts";
import { Heard } from "../../src/cli/progress.ts";
import type { RunView } from "../../src/cli/run_view.ts";
import { renderTree } from "../../src/cli/tree.ts";
import { stage } from "../support/engines.ts";
import { parse } from "../support/parsing.ts";
import type { Script } from "../support/world.ts";

interface Watched {
  readonly text: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, Script>>;
  readonly input?: Record<string, number | string>;
  /** Draws the tree whenever it says so. */
  readonly at: (event: Happening, view: RunView) => boolean;
  /** Once the run waits for an operator, or before anything has come to its end. */
  readonly act?: (run: Run) => void;
}

interface Shown {
  readonly trees: readonly string[];
  readonly lines: string;
  readonly said: string;
}

const HEAD = `name: forms
services:
  s: { endpoint: "s:1", circuit_breaker: false, retry: { attempts: 2, jitter: 0 } }
steps:
`;

const OK: Script = { answer: { id: "1" } };

/** Runs a workflow over services in memory, and looks at it on the way. */
async function watch(watched: Watched): Promise<Shown> {
  const { workflow, problems } = parse(HEAD + watched.text, watched.files);
  assert.deepEqual(problems.filter(({ severity }) => severity === "error"), []);
  assert.ok(workflow);
  const heard = new Heard(workflow);
  const trees: string[] = [];
  const lines: string[] = [];
  const scripts = { "s/Do": OK, "s/Undo": OK, "s/Last": OK, "s/Find": OK, ...watched.scripts };
  const { engine, clock } = stage(scripts, {
    onHappening(runId, of, event) {
      const where = heard.hear(runId, of, event);
      if (where === null) return;
      const line = plainLine(heard.view, where, event);
      if (line !== null) lines.push(line);
      if (!watched.at(event, heard.view)) return;
      trees.push(renderTree(heard.view, clock.now(), { width: 100, paint: paintWith(false) }));
    },
  });
  try {
    const run = await engine.start(workflow, { runId: "r", input: watched.input ?? {} });
    watched.act?.(run);
    const report = await run.result();
    const said = explain(
      report,
      { workflow, endpoints: {}, store: "sqlite:.maestro/maestro.db" },
      paintWith(false),
    );
    return { trees: trees.map(steadily), lines: lines.join("\n"), said };
  } finally {
    await engine.close();
    clock.stop();
  }
}

/** Clocks show the time of the place where the tests run. */
function steadily(tree: string): string {
  return tree.replaceAll(/(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d/g, "<clock>");
}

const EACH = `  - id: ship
    foreach: "{{ .input.items }}"
    concurrency: 3
    on_failure: finish
    steps:
      - id: label
        service: s
        method: Do
        input: { n: "{{ .item_index }}" }
        compensate: { method: Undo, input: { n: "{{ .item_index }}" } }
`;

const items = (number: number) =>
  EACH.replace('"{{ .input.items }}"', JSON.stringify(Array.from({ length: number }, () => 1)));

Deno.test("of a foreach the tree shows the rounds under way, the failed ones and a count", async (t) => {
  const { trees, lines, said } = await watch({
    text: items(40) + "  - { id: last, service: s, method: Last }\n",
    scripts: {
      "s/Do": (_, nth) => nth % 8 === 0 ? { fail: "NOT_FOUND" } : { answer: {}, after: 100 },
    },
    at: (event) =>
      event.kind === "attempt_started" && event.path === "ship[20].label" ||
      event.kind === "step_failed" && event.path === "ship" ||
      event.kind === "attempt_started" && event.path === "ship[10].label" &&
        event.op === "compensate" ||
      event.kind === "run_ended",
  });
  await t.assertSnapshot(trees.join("\n\n"));
  await t.assertSnapshot(lines);
  await t.assertSnapshot(said);
});

Deno.test("thousands of rounds flood neither a terminal nor a log", async () => {
  const { trees, lines } = await watch({
    text: items(3_000).replace("concurrency: 3", "concurrency: 500"),
    scripts: { "s/Do": { answer: {}, after: 100 } },
    at: (event) => event.kind === "attempt_started" && event.path === "ship[999].label",
  });
  const [tree = ""] = trees;
  assert.ok(tree.split("\n").length < 30, tree);
  assert.match(tree, /… 494 more under way, \d+ done/);
  assert.ok(lines.split("\n").length < 80, `${lines.split("\n").length} lines`);
  assert.match(lines, /ship: 2,000 of 3,000 rounds have ended/);
});

Deno.test("of a repeat the tree shows the round, and when the next one is due", async (t) => {
  const { trees, lines } = await watch({
    text: `  - id: settled
    repeat: [ { id: state, service: s, method: Do } ]
    until: "{{ .state.done }}"
    every: 2s
    max_rounds: 100
`,
    scripts: { "s/Do": (_, nth) => ({ answer: { done: nth === 4 }, after: 50 }) },
    at: (event) =>
      event.kind === "attempt_started" && event.path === "settled[2].state" ||
      event.kind === "step_completed" &&
        (event.path === "settled[2]" || event.path === "settled"),
  });
  await t.assertSnapshot(trees.join("\n\n"));
  await t.assertSnapshot(lines);
});

Deno.test("waits show when they end, signals what they wait for", async (t) => {
  const { trees, lines } = await watch({
    text: `  - id: pause
    wait: 5m
  - wait: 3d
  - id: approval
    await_signal: approval
    timeout: 24h
  - await_signal: other
    timeout: 1h
    catch: [ { codes: [STEP_TIMEOUT] } ]
`,
    at: (event) => event.kind === "step_started" && event.path !== "",
    act: (run) => setTimeout(() => run.signal("approval", { by: "ada" }), 0),
  });
  await t.assertSnapshot(trees.join("\n\n"));
  await t.assertSnapshot(lines);
});

Deno.test("a caught failure shows what was caught, and what is done instead", async (t) => {
  const { trees, lines } = await watch({
    text: `  - id: book
    steps:
      - { id: hotel, service: s, method: Do, compensate: { method: Undo } }
      - { id: car, service: s, method: Last }
    catch:
      - codes: [NOT_FOUND]
        undo: true
        steps: [ { id: train, service: s, method: Find } ]
`,
    scripts: { "s/Last": { fail: "NOT_FOUND" } },
    at: (event) =>
      event.kind === "step_caught" ||
      event.kind === "attempt_started" &&
        (event.op === "compensate" || event.path.endsWith("train")) ||
      event.kind === "run_ended",
  });
  await t.assertSnapshot(trees.join("\n\n"));
  await t.assertSnapshot(lines);
});

const VERIFIED = `  - id: charge
    service: s
    method: Do
    retry: { attempts: 1 }
    verify: { method: Find }
    compensate: { method: Undo }
`;

for (const [what, find] of [["did", OK], ["did not", { fail: "NOT_FOUND" }]] as const) {
  Deno.test(`a step in doubt is verified: it ${what} happen`, async (t) => {
    const { trees, lines, said } = await watch({
      text: VERIFIED,
      scripts: { "s/Do": { fail: "UNAVAILABLE" }, "s/Find": find },
      at: (event) =>
        event.kind === "attempt_ended" && event.op === "action" ||
        event.kind === "attempt_started" && event.op === "verify" || event.kind === "run_ended",
    });
    await t.assertSnapshot(trees.join("\n\n"));
    await t.assertSnapshot(`${lines}\n${said}`);
  });
}

Deno.test("a step whose verification is denied waits for an operator", async (t) => {
  const { trees, lines, said } = await watch({
    text: VERIFIED,
    scripts: { "s/Do": { fail: "UNAVAILABLE" }, "s/Find": { fail: "PERMISSION_DENIED" } },
    at: (event) => event.kind === "attention_raised",
  });
  await t.assertSnapshot(trees.join("\n\n"));
  await t.assertSnapshot(`${lines}\n${said}`);
});

Deno.test("past the pivot a failed step waits for an operator, who is told what can be done", async (t) => {
  const { trees, lines, said } = await watch({
    text: `  - { id: hold, service: s, method: Do, compensate: { method: Undo } }
  - { id: pay, service: s, method: Find, pivot: true }
  - { id: ship, service: s, method: Last, input: { to: "{{ .input.to }}" } }
`,
    input: { to: "DE" },
    scripts: { "s/Last": { fail: "FAILED_PRECONDITION" } },
    at: (event) => event.kind === "attention_raised",
  });
  await t.assertSnapshot(trees.join("\n\n"));
  await t.assertSnapshot(lines);
  await t.assertSnapshot(said);
});

const CHILD = {
  "invoice.yaml": `name: invoice
services: { s: { endpoint: "s:1", circuit_breaker: false } }
steps:
  - { id: written, service: s, method: Do, compensate: { method: Undo } }
  - { id: sent, service: s, method: Last }
`,
};
const INVOICE = "  - { id: invoice, workflow: invoice.yaml }\n";

Deno.test("a child run shows its steps while it is under way, and when it has failed", async (t) => {
  const { trees, lines, said } = await watch({
    text: INVOICE,
    files: CHILD,
    scripts: { "s/Last": { fail: "ABORTED", after: 100 } },
    at: (event) =>
      event.kind === "attempt_started" && event.path === "sent" ||
      event.kind === "step_failed" && event.path === "",
  });
  await t.assertSnapshot(trees.join("\n\n"));
  await t.assertSnapshot(`${lines}\n${said}`);
});

Deno.test("a child run that is rolled back, and gets stuck there, parks its parent", async (t) => {
  const { trees, lines, said } = await watch({
    text: INVOICE + "  - { fail: { code: ABORTED, message: Enough } }\n",
    files: CHILD,
    scripts: { "s/Undo": { fail: "PERMISSION_DENIED" } },
    at: (event) =>
      event.kind === "attempt_started" && event.op === "compensate" ||
      event.kind === "attention_raised",
  });
  await t.assertSnapshot(trees.join("\n\n"));
  await t.assertSnapshot(`${lines}\n${said}`);
});
