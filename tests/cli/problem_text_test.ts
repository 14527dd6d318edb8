import assert from "node:assert/strict";
import type { Problem } from "../../src/errors.ts";
import { paintWith } from "../../src/cli/palette.ts";
import { problemsJson, problemText } from "../../src/cli/problem_text.ts";
import { tempFiles } from "../support/temp_files.ts";
import { maestro } from "./program.ts";

function problem(line: number, severity: Problem["severity"] = "error"): Problem {
  return { severity, code: "x", message: `No. ${line}`, file: "a.yaml", line, column: 1 };
}

function text(problems: readonly Problem[]): readonly string[] {
  return problemText(problems, new Map(), paintWith(false)).trimEnd().split("\n");
}

Deno.test("a hundred problems are shown, and how many more there are", () => {
  const problems = Array.from({ length: 102 }, (_, at) => problem(at + 1));
  assert.deepEqual(text(problems.slice(0, 100)).at(-1), "a.yaml:100:1: No. 100");
  assert.deepEqual(text(problems.slice(0, 101)).slice(-2), [
    "a.yaml:100:1: No. 100",
    "… and 1 more problem",
  ]);
  assert.deepEqual(text(problems).at(-1), "… and 2 more problems");
});

Deno.test("an error is shown however many warnings stand before it", () => {
  const warnings = Array.from({ length: 100 }, (_, at) => problem(at + 1, "warning"));
  const shown = text([...warnings, problem(500)]);
  assert.equal(shown[0], "a.yaml:500:1: No. 500");
  assert.equal(shown.length, 101);
});

Deno.test("programs get a thousand problems, and how many were left out", () => {
  const problems = Array.from({ length: 1_001 }, (_, at) => problem(at + 1));
  assert.deepEqual(problemsJson(problems.slice(1)), { problems: problems.slice(1) });
  assert.deepEqual(problemsJson(problems), { problems: problems.slice(0, 1_000), left_out: 1 });
});

Deno.test("a file of a hundred thousand problems is told of in few words", async () => {
  const steps = "  - {}\n".repeat(100_000);
  await using files = await tempFiles({ "many.yaml": `name: many\nsteps:\n${steps}` });
  const cwd = files.directory;
  const pretty = await maestro(["validate", "many.yaml"], { cwd });
  assert.equal(pretty.code, 2);
  assert.equal(pretty.stdout, "many.yaml: 100000 errors\n");
  assert.ok(pretty.stderr.endsWith("… and 99900 more problems\n"));
  for (const command of ["validate", "run"]) {
    const { stdout } = await maestro([command, "many.yaml", "--output", "json"], { cwd });
    const { problems, left_out } = JSON.parse(stdout);
    assert.deepEqual([problems.length, left_out], [1_000, 99_000]);
  }
});
