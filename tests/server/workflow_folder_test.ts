import assert from "node:assert/strict";
import { checkWorkflow } from "../../src/library/check.ts";
import { WorkflowFolder } from "../../src/server/workflow_folder.ts";
import { tempFiles } from "../support/temp_files.ts";

/** The first step, as long as not all of the file has been written. */
const HALF = `
name: greet
version: "1"
steps:
  - id: one
    await_signal: go
`;

const WHOLE = `${HALF}
  - id: two
    await_signal: go
`;

Deno.test("a file that is written while it is read is read again", async () => {
  await using files = await tempFiles({ "greet.yaml": HALF });
  let isWhole = false;
  const folder = await WorkflowFolder.open({
    folder: files.path("."),
    async check(path) {
      const read = await checkWorkflow(path);
      if (!isWhole) await Deno.writeTextFile(path, WHOLE);
      isWhole = true;
      return read;
    },
  });
  folder.close();
  assert.equal(folder.detail("greet").steps.length, 1);
  await folder.look();
  assert.equal(folder.detail("greet").steps.length, 2);
});

Deno.test("who asks for a workflow that is not there is told what may be meant", async () => {
  const broken = "name: order\nsteps: [ { id: a, service: nope, method: X } ]\n";
  const none = 'There is no workflow "order"';
  await using files = await tempFiles({
    "greet.yaml": HALF,
    ...Object.fromEntries([1, 2, 3, 4, 5].map((number) => [`b${number}.yaml`, broken])),
  });
  const folder = await WorkflowFolder.open({ folder: files.path("."), check: checkWorkflow });
  folder.close();
  const cases = [
    ["greets", undefined, 'There is no workflow "greets"; did you mean "greet"?'],
    ["greet", "2", 'There is no workflow "greet" of version "2"; there is 1'],
    [
      "order",
      undefined,
      `${none}; it may be in a file that has mistakes: b1.yaml, b2.yaml, b3.yaml and 2 more`,
    ],
  ] as const;
  for (const [name, version, message] of cases) {
    assert.throws(() => folder.find(name, version), { code: "WORKFLOW_NOT_FOUND", message });
  }
  for (const number of [1, 2, 3, 4, 5]) await Deno.remove(files.path(`b${number}.yaml`));
  await folder.look();
  assert.throws(() => folder.find("order"), { message: none });
});
