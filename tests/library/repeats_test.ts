import assert from "node:assert/strict";
import type { Method } from "../../src/engine/doors.ts";
import { checkWorkflow } from "../../src/library/check.ts";
import { repeatWarnings } from "../../src/library/repeats.ts";
import { valid } from "../support/parsing.ts";

const RETRIED = "retry: {}";

/** The step, what its method's schema says, and whether it is warned of. */
const ROWS: readonly (readonly [string, Method["idempotency"] | "not at hand", boolean])[] = [
  [`method: Charge, ${RETRIED}`, "unknown", true],
  [`method: acme.v1.Payments/Charge, ${RETRIED}`, "unknown", true],
  ["method: Charge", "unknown", false],
  ["method: Charge, retry: { attempts: 1 }", "unknown", false],
  [`method: Charge, ${RETRIED}`, "idempotent", false],
  [`method: Charge, ${RETRIED}`, "no_side_effects", false],
  [`method: Charge, ${RETRIED}`, "not at hand", false],
  [`method: Charge, ${RETRIED}, idempotent: true`, "unknown", false],
  [`method: Charge, ${RETRIED}, idempotent: false`, "unknown", false],
  [`method: GetCharge, ${RETRIED}`, "unknown", false],
];

for (const [step, idempotency, warned] of ROWS) {
  Deno.test(`repeatWarnings() ${warned ? "warns" : "does not warn"} of { ${step} }, ${idempotency}`, () => {
    const workflow = valid(`name: test
services: { pay: { endpoint: "pay:1" } }
steps: [{ service: pay, ${step} }]`);
    const [, method = ""] = /method: ([\w./]+)/.exec(step) ?? [];
    const methods = new Map(
      idempotency === "not at hand" ? [] : [[`pay/${method}`, { idempotency }]],
    );
    const found = repeatWarnings(workflow, methods);
    assert.deepEqual(found.map(({ code }) => code), warned ? ["maybe_repeated"] : []);
  });
}

Deno.test("repeatWarnings() finds calls in blocks, not those of compensations", () => {
  const workflow = valid(`name: test
services: { pay: { endpoint: "pay:1", retry: {} } }
steps:
  - parallel:
      - { service: pay, method: Charge, compensate: { method: Refund } }
      - switch: [{ steps: [{ service: pay, method: Book, compensate: { steps: [{ service: pay, method: Free }] } }] }]`);
  const methods = new Map(
    ["Charge", "Refund", "Book", "Free"].map((name) =>
      [`pay/${name}`, { idempotency: "unknown" }] as const
    ),
  );
  assert.deepEqual(repeatWarnings(workflow, methods).map(({ line }) => line), [5, 6]);
});

Deno.test("checkWorkflow() warns of what may be repeated, in file order, where a schema is at hand", async () => {
  const folder = await Deno.makeTempDir({ prefix: "maestro_repeats_" });
  try {
    await Deno.writeTextFile(
      `${folder}/pay.proto`,
      `syntax = "proto3"; package pay;
service Pay {
  rpc Charge(M) returns (M);
  rpc Book(M) returns (M) { option idempotency_level = IDEMPOTENT; }
}
message M {}`,
    );
    await Deno.writeTextFile(
      `${folder}/pay.yaml`,
      `name: pay
services:
  pay: { endpoint: "pay:1", proto: [pay.proto], retry: {} }
  idle: { endpoint: "idle:1" }
steps:
  - { service: pay, method: Book }
  - { service: pay, method: Charge }
  - { service: pay, method: Charge, output: last, timeout: 100ms }
`,
    );
    const { workflow, problems } = await checkWorkflow(`${folder}/pay.yaml`);
    assert.equal(workflow?.name, "pay");
    assert.deepEqual(problems.map(({ code, line }) => [line, code]), [
      [4, "unused_service"],
      [7, "maybe_repeated"],
      [8, "maybe_repeated"],
      [8, "timeout_too_short"],
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
