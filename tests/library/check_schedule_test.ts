import assert from "node:assert/strict";
import { checkWorkflow } from "../../src/library/check.ts";
import { tempFiles } from "../support/temp_files.ts";

Deno.test("checkWorkflow() finds that a schedule's input does not fit the workflow's", async () => {
  const text = (input: string) =>
    `name: nightly
schedule:
  cron: "0 3 * * *"${input}
input: { type: object, required: [days], properties: { days: { type: integer } } }
steps: [ { set: { n: "{{ .input.days }}" } } ]
`;
  await using files = await tempFiles({
    "right.yaml": text("\n  input: { days: 1 }"),
    "wrong.yaml": text('\n  input: { days: "one" }'),
    "none.yaml": text(""),
  });
  const found = async (name: string) =>
    (await checkWorkflow(files.path(name))).problems.map(({ line, column, code, message }) =>
      [line, column, code, message].join(" ")
    );
  assert.deepEqual(await found("right.yaml"), []);
  assert.deepEqual(await found("wrong.yaml"), [
    "4 3 input Schedule: input.days must be a whole number",
  ]);
  assert.deepEqual(await found("none.yaml"), ["2 1 input Schedule: input.days is missing"]);
});
