/** What `validate --explain` says, to people and to programs. */
import assert from "node:assert/strict";
import { explainRollback } from "../../src/workflow/explain_rollback.ts";
import { paintWith } from "../../src/cli/palette.ts";
import { rollbackText } from "../../src/cli/rollback_text.ts";
import { valid } from "../support/parsing.ts";
import { fromFileUrl } from "../support/paths.ts";
import { SAGA_FILES, SAGAS, sagaText } from "../support/sagas.ts";
import { FULL, FULL_FILES } from "../support/workflows.ts";
import { maestro } from "./program.ts";

const root = fromFileUrl(new URL("../../", import.meta.url));

for (const [shape, steps] of Object.entries(SAGAS)) {
  Deno.test(`what would be undone is explained: ${shape}`, async (t) => {
    const workflow = valid(sagaText(steps), SAGA_FILES);
    await t.assertSnapshot(rollbackText(workflow, explainRollback(workflow), paintWith(false)));
  });
}

Deno.test("what would be undone is explained: everything there is", async (t) => {
  const workflow = valid(FULL, FULL_FILES);
  await t.assertSnapshot(rollbackText(workflow, explainRollback(workflow), paintWith(false)));
});

const GO = "{ service: s, method: Do }";
const RETURN = "{ return: 1 }";
const FAIL = "{ fail: { code: ABORTED, message: no } }";
const SOMETIMES = 'when: "{{ .input.x }}"';

for (
  const [how, steps] of [
    ["the run goes on", [GO]],
    ["the run goes on", [`{ steps: [ ${FAIL} ], catch: [ { codes: [ABORTED] } ] }`]],
    ["the run ends as completed", [GO, RETURN]],
    ["the run ends as completed", [`{ steps: [ ${GO}, { steps: [ ${RETURN} ] } ] }`]],
    ["the run ends as completed", [
      `{ switch: [ { ${SOMETIMES}, steps: [ ${RETURN} ] }, { steps: [ ${RETURN} ] } ] }`,
    ]],
    ["the run ends as completed", [`{ steps: [ ${FAIL} ], catch: [ { steps: [ ${RETURN} ] } ] }`]],
    ["the run goes on or ends as completed", [`{ ${SOMETIMES}, return: 1 }`, GO]],
    ["the run goes on or ends as completed", [
      `{ switch: [ { ${SOMETIMES}, steps: [ ${RETURN} ] } ] }`,
    ]],
    ["the run goes on or ends as completed", [
      `{ repeat: [ { ${SOMETIMES}, return: 1 } ], until: "{{ true }}", max_rounds: 1 }`,
    ]],
    ["that fails", [GO, FAIL]],
    ["that fails", [`{ parallel: [ ${GO}, ${FAIL} ] }`]],
    ["that fails", [`{ steps: [ ${FAIL} ], catch: [ { codes: [NOT_FOUND] }, { reason: GONE } ] }`]],
    ["the run goes on, unless that fails", [
      `{ ${SOMETIMES}, fail: { code: ABORTED, message: no } }`,
    ]],
    ["the run goes on, unless that fails", [`{ foreach: "{{ .input.x }}", steps: [ ${FAIL} ] }`]],
    ["the run goes on, unless that fails", [`{ steps: [ ${FAIL} ], catch: [ { ${SOMETIMES} } ] }`]],
    ["the run ends as completed, unless that fails", [
      `{ ${SOMETIMES}, fail: { code: ABORTED, message: no } }`,
      RETURN,
    ]],
    ["the run goes on or ends as completed, unless that fails", [
      `{ switch: [ { ${SOMETIMES}, steps: [ ${RETURN} ] }, { ${SOMETIMES}, steps: [ ${FAIL} ] } ] }`,
    ]],
  ] as const
) {
  Deno.test(`what a catch does leads to this: ${how}: ${steps.join(", ")}`, () => {
    const workflow = valid(
      sagaText(
        `  - { id: it, service: s, method: Do, catch: [ { steps: [ ${steps.join(", ")} ] } ] }`,
      ),
    );
    const [line = ""] = rollbackText(workflow, explainRollback(workflow), paintWith(false))
      .split("\n").filter((line) => line.includes("caught by it.catch[0]"));
    assert.equal(line.slice(line.lastIndexOf("; ") + 2), how);
  });
}

const EXAMPLES = ["user_onboarding", "order_saga", "travel_booking", "invoice_batch", "approval"];

for (const name of EXAMPLES) {
  const file = `examples/${name}/workflow.yaml`;

  Deno.test(`maestro validate --explain ${file}`, async (t) => {
    const { code, stdout, stderr } = await maestro(["validate", "--explain", file], { cwd: root });
    assert.equal(code, 0);
    assert.equal(stderr, "");
    await t.assertSnapshot(stdout);
  });
}

Deno.test("validate --explain --output json adds the same, in the shape of docs/cli.md", async (t) => {
  const file = "examples/order_saga/workflow.yaml";
  const args = ["validate", "--explain", "--output", "json", file];
  const { code, stdout } = await maestro(args, { cwd: root });
  assert.equal(code, 0);
  const { problems, rollback } = JSON.parse(stdout);
  assert.deepEqual(problems, []);
  assert.deepEqual(rollback.map(({ file }: { file: string }) => file), [file]);
  assert.deepEqual(Object.keys(rollback[0]), ["file", "workflow", "version", "steps"]);
  await t.assertSnapshot(rollback[0].steps.at(-1));
});

Deno.test("a workflow with an error is not explained", async () => {
  const cwd = await Deno.makeTempDir({ prefix: "maestro_explain_" });
  try {
    await Deno.writeTextFile(`${cwd}/wrong.yaml`, "name: wrong\nstesp: []\n");
    const args = ["validate", "--explain", "--output", "json", "wrong.yaml"];
    const { code, stdout } = await maestro(args, { cwd });
    assert.equal(code, 2);
    assert.deepEqual(JSON.parse(stdout).rollback, []);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
});
