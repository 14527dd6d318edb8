// examples/invoice_batch, by the real program, against services in every language.

import assert from "node:assert/strict";
import { maestro } from "../cli/program.ts";
import { type ExampleServices, exampleTest } from "../support/example_services.ts";
import { fromFileUrl } from "../support/paths.ts";

const FOLDER = fromFileUrl(new URL("../../examples/invoice_batch", import.meta.url));
const SERVICES = ["inventory", "payments", "mail"];

/** Runs the example. @returns its exit code, its report, and what the services did, by child run */
async function post(examples: ExampleServices, runId: string, input: string) {
  const { code, stdout, stderr } = await maestro(
    [
      "run",
      "workflow.yaml",
      "--input",
      `@${input}`,
      "--run-id",
      runId,
      "--store",
      "memory",
      "--output",
      "json",
      ...examples.endpoints(SERVICES),
    ],
    { cwd: FOLDER },
  );
  assert.notEqual(stdout, "", stderr);
  const done: Record<string, string[]> = {};
  for (const { state, method, actionKey } of await examples.ledger()) {
    const [run, step = ""] = actionKey.split("/");
    if (run === runId) (done[step] ??= []).push(`${state} ${method.replace(/^.*\//, "")}`);
  }
  return { code, report: JSON.parse(stdout), done };
}

const PAID = ["DONE Reserve", "DONE Charge", "DONE SendWelcome"];

Deno.test("invoice_batch is right, without a warning", async () => {
  const { code, stderr } = await maestro(
    ["validate", "--strict", "workflow.yaml", "invoice.yaml"],
    { cwd: FOLDER },
  );
  assert.equal(code, 0, stderr);
});

for (const languages of [["deno"], ["python", "go", "node"]] as const) {
  exampleTest(`invoice_batch against services in ${languages.join(", ")}`, languages, async (
    examples,
    t,
  ) => {
    await t.step(
      "posts what can be paid, and lists what can't, in the order of the input",
      async () => {
        const { code, report, done } = await post(examples, "batch", "input.json");
        assert.equal(code, 0);
        const paid = (invoice_id: string, minor_units: string) => ({
          invoice_id,
          status: "paid",
          amount: { currency_code: "EUR", minor_units },
        });
        assert.deepEqual(report.output, {
          invoices: [
            paid("2026-001", "8990"),
            { invoice_id: "2026-002", status: "unpaid", reason: "CARD_DECLINED" },
            { invoice_id: "2026-003", status: "unpaid", reason: "OUT_OF_STOCK" },
            paid("2026-004", "2950"),
            paid("2026-005", "26970"),
          ],
          paid: 3,
          unpaid: ["2026-002", "2026-003"],
        });
        assert.deepEqual(done, {
          "each[0].post": PAID,
          // The child run that failed has taken back its own step by itself.
          "each[1].post": ["DONE Reserve", "UNDONE Release"],
          "each[3].post": PAID,
          "each[4].post": PAID,
        });
      },
    );

    await t.step("takes back every invoice of the batch at something unforeseen", async () => {
      const { code, report, done } = await post(examples, "broken", "input_failing.json");
      assert.equal(code, 1);
      assert.equal(report.status, "compensated");
      assert.equal(report.error.code, "CHILD_FAILED");
      assert.equal(report.error.step, "each[4].post");
      assert.match(report.error.message, /NOT_FOUND: Cannot find SKU: GRAMOPHONE/);
      assert.equal(done["each[4].post"], undefined, "it was refused before anything was done");
      const undo: Readonly<Record<string, string>> = {
        "DONE Reserve": "UNDONE Release",
        "DONE Charge": "UNDONE Refund",
        "DONE SendWelcome": "UNDONE SendCancellation",
      };
      for (const [invoice, lines] of Object.entries(done)) {
        // Each as far as it came: done in order, undone in reverse.
        const forth = PAID.slice(0, lines.length / 2);
        assert.deepEqual(
          lines,
          [...forth, ...forth.toReversed().map((line) => undo[line])],
          invoice,
        );
      }
    });
  });
}
