// examples/order_saga, by the real program, against Python, Go and Node together.

import assert from "node:assert/strict";
import { maestro } from "../cli/program.ts";
import { type ExampleServices, exampleTest } from "../support/example_services.ts";
import { fromFileUrl } from "../support/paths.ts";

const FOLDER = fromFileUrl(new URL("../../examples/order_saga", import.meta.url));
const SERVICES = ["inventory", "payments", "shipping"];

async function order(examples: ExampleServices, runId: string, input: string) {
  const { code, stdout, stderr } = await maestro([
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
  ], { cwd: FOLDER });
  assert.notEqual(stdout, "", stderr);
  const entries = await examples.ledger(runId);
  return {
    code,
    stderr,
    report: JSON.parse(stdout),
    entries,
    work: entries.map(({ state, operation, method, actionKey }) =>
      `${state} ${operation} ${method} ${actionKey}`
    ),
  };
}

exampleTest(
  "order_saga over Python, Go and Node",
  ["python", "go", "node"],
  async (examples, t) => {
    await t.step("reserves, charges and ships, each under its step's key", async () => {
      const { code, report, work } = await order(examples, "order-fine", "input.json");
      assert.equal(code, 0);
      assert.equal(report.status, "completed");
      const { charge_id, tracking_number, estimated_delivery, ...output } = report.output;
      assert.deepEqual(output, {
        order_id: "order-order-fine",
        // 89.90 + 2 × 29.50, as Python reckons it, Go charges it and ProtoJSON spells an int64.
        charged: { currency_code: "EUR", minor_units: "14890" },
      });
      assert.match(charge_id, /^ch_./);
      assert.match(tracking_number, /./);
      assert.match(estimated_delivery, /^\d{4}-\d\d-\d\dT.*Z$/);
      assert.deepEqual(work, [
        "DONE ACTION inventory.v1.Inventory/Reserve order-fine/reserve/action",
        "DONE ACTION payments.v1.Payments/Charge order-fine/charge/action",
        "DONE ACTION shipping.v1.Shipping/Ship order-fine/ship/action",
      ]);
    });

    await t.step("gives the money back, then the goods, when no carrier takes it", async () => {
      const { code, report, stderr, work, entries } = await order(
        examples,
        "order-lost",
        "input_failing.json",
      );
      assert.equal(code, 1);
      assert.equal(report.status, "compensated");
      assert.equal(report.error.step, "ship");
      assert.equal(report.error.reason, "NO_CARRIER");
      assert.deepEqual(work, [
        "DONE ACTION inventory.v1.Inventory/Reserve order-lost/reserve/action",
        "DONE ACTION payments.v1.Payments/Charge order-lost/charge/action",
        "UNDONE COMPENSATE payments.v1.Payments/Refund order-lost/charge/action",
        "UNDONE COMPENSATE inventory.v1.Inventory/Release order-lost/reserve/action",
      ]);
      // Each by its own program's clock: none may begin before the one before it is done.
      const times = entries.map(({ time }) => time);
      assert.deepEqual(times, [...new Set(times)].sort((a, b) => a - b));
      const undone = report.steps.map(({ path, compensation }: {
        path: string;
        compensation: { status: string } | null;
      }) => [path, compensation?.status ?? null]);
      assert.deepEqual(undone, [
        ["steps[0]", null],
        ["reserve", "done"],
        ["charge", "done"],
        ["ship", null],
      ]);
      assert.match(stderr, /Undone: charge, reserve/);
    });
  },
);
