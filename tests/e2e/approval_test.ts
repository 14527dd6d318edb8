// examples/approval against services in Deno: by the library and by the real program, with and without
// a signal.

import assert from "node:assert/strict";
import { type Json, loadWorkflow, openEngine, type Run } from "../../mod.ts";
import { maestro } from "../cli/program.ts";
import { type ExampleServices, exampleTest } from "../support/example_services.ts";
import { fromFileUrl } from "../support/paths.ts";
import { tempFiles } from "../support/temp_files.ts";

const FOLDER = fromFileUrl(new URL("../../examples/approval", import.meta.url));
const SERVICES = ["inventory", "payments", "shipping"];

Deno.test("approval is right, without a warning", async () => {
  const { code, stderr } = await maestro(["validate", "--strict", "workflow.yaml"], {
    cwd: FOLDER,
  });
  assert.equal(code, 0, stderr);
});

/** Starts the purchase that has to be approved, lets `act` act on it, and sees it end. */
async function buy(examples: ExampleServices, runId: string, act: (run: Run) => Promise<void>) {
  const engine = openEngine();
  try {
    const run = await engine.start(await loadWorkflow(`${FOLDER}/workflow.yaml`), {
      runId,
      input: JSON.parse(await Deno.readTextFile(`${FOLDER}/input.json`)),
      endpoints: Object.fromEntries(
        SERVICES.map((name) => [name, examples.services.endpoints[name] ?? ""]),
      ),
    });
    await act(run);
    const report = await run.result();
    return { report, done: await doneIn(examples, runId) };
  } finally {
    await engine.close();
  }
}

async function doneIn(examples: ExampleServices, runId: string): Promise<string[]> {
  const entries = await examples.ledger(runId);
  return entries.map(({ state, method }) => `${state} ${method.replace(/^.*\//, "")}`);
}

/** Resolves once the run waits for its signal. */
function waiting(run: Run): Promise<void> {
  const waits = () =>
    run.report().steps.some(({ id, status }) => id === "decision" && status === "waiting");
  return new Promise((resolve) => {
    const look = () => {
      if (!waits()) return;
      stop();
      resolve();
    };
    const stop = run.follow(look);
    look();
  });
}

const verdict = (answer: string): Json => ({ verdict: answer, by: "Grace", why: "one is enough" });

exampleTest("approval against services in deno", ["deno"], async (examples, t) => {
  await t.step("buys once the signal says so, and not before", async () => {
    const { report, done } = await buy(examples, "approved", async (run) => {
      await waiting(run);
      assert.deepEqual(await doneIn(examples, "approved"), ["DONE Reserve"]);
      run.signal("decision", verdict("approve"));
    });
    assert.equal(report.status, "completed");
    const { tracking_number, ...output } = report.output as Record<string, Json>;
    assert.deepEqual(output, {
      approved_by: "Grace",
      charged: { currency_code: "EUR", minor_units: "44950" },
    });
    assert.match(String(tracking_number), /^tr_./);
    assert.deepEqual(done, ["DONE Reserve", "DONE Charge", "DONE Ship"]);
  });

  await t.step("takes a signal that came before the step", async () => {
    const { report } = await buy(examples, "early", (run) => {
      run.signal("decision", verdict("approve"));
      return Promise.resolve();
    });
    assert.equal(report.status, "completed");
  });

  await t.step("puts the goods back when the answer is no", async () => {
    const { report, done } = await buy(examples, "rejected", async (run) => {
      await waiting(run);
      run.signal("decision", verdict("reject"));
    });
    assert.equal(report.status, "compensated");
    assert.equal(report.error?.message, "Rejected by Grace: one is enough");
    assert.deepEqual(done, ["DONE Reserve", "UNDONE Release"]);
  });

  await t.step("is not approved by a signal that does not say so", async () => {
    const { report } = await buy(examples, "empty", async (run) => {
      await waiting(run);
      run.signal("decision");
    });
    assert.equal(report.status, "compensated");
  });

  await t.step("ends by itself where nobody signals", async () => {
    // The same with less patience.
    const text = await Deno.readTextFile(`${FOLDER}/workflow.yaml`);
    assert.match(text, /timeout: 30s/);
    await using files = await tempFiles({
      "workflow.yaml": text.replace("timeout: 30s", "timeout: 1s"),
    });
    const { code, stdout } = await maestro([
      "run",
      files.path("workflow.yaml"),
      "--input",
      "@input.json",
      "--store",
      "memory",
      ...examples.endpoints(SERVICES),
    ], { cwd: FOLDER });
    assert.equal(code, 1);
    const report = JSON.parse(stdout);
    assert.equal(report.status, "compensated");
    assert.equal(report.error.message, "Nobody approved the purchase in time");
    assert.deepEqual(await doneIn(examples, report.run_id), ["DONE Reserve", "UNDONE Release"]);
  });

  await t.step("buys once the command line says so, from another process", async () => {
    await using files = await tempFiles({});
    const store = ["--store", `sqlite:${files.path("runs.db")}`];
    const args = [
      ...["run", "workflow.yaml", "--input", "@input.json", "--run-id", "typed", ...store],
      ...examples.endpoints(SERVICES),
    ];
    const running = maestro(args, { cwd: FOLDER });
    const data = JSON.stringify(verdict("approve"));
    const signal = ["runs", "signal", "typed", "decision", "--data", data, ...store];
    let sent = await maestro(signal, { cwd: FOLDER });
    for (let more = 50; sent.code !== 0 && more > 0; more--) { // it has not started yet
      sent = await maestro(signal, { cwd: FOLDER });
    }
    assert.equal(sent.code, 0, sent.stderr);
    const { code, stdout, stderr } = await running;
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout).output.approved_by, "Grace");
  });

  await t.step("asks nobody about what is cheap", async () => {
    const { code, stdout } = await maestro([
      "run",
      "workflow.yaml",
      "--input",
      "@input_small.json",
      "--store",
      "memory",
      ...examples.endpoints(SERVICES),
    ], { cwd: FOLDER });
    assert.equal(code, 0);
    const report = JSON.parse(stdout);
    assert.equal(report.output.approved_by, "nobody had to");
    const decision = report.steps.find(({ id }: { id: string }) => id === "decision");
    assert.equal(decision.status, "skipped");
  });
});
