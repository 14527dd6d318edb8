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
