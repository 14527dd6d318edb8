import { formatProblem } from "../../src/workflow/problems.ts";
import type { Workflow } from "../../src/workflow/model.ts";
import { type ParsedWorkflow, parseWorkflow } from "../../src/workflow/parse.ts";

/** Parses text as `workflow.yaml`; `files` can be included, or started as child workflows. */
export function parse(
  text: string,
  files: Readonly<Record<string, string>> = {},
  file = "workflow.yaml",
): ParsedWorkflow {
  return parseWorkflow({ file, text }, (path) => {
    const found = Object.hasOwn(files, path) ? files[path] : undefined;
    if (found === undefined) throw new Error("No such file");
    return found;
  });
}

/** A workflow that must be right. */
export function valid(text: string, files?: Readonly<Record<string, string>>): Workflow {
  const { workflow, problems } = parse(text, files);
  if (workflow === null) {
    throw new Error(problems.map((problem) => formatProblem(problem)).join("\n"));
  }
  return workflow;
}

/** `line:column code` of every problem. */
export function places(text: string, files?: Readonly<Record<string, string>>): readonly string[] {
  return parse(text, files).problems.map(({ line, column, code }) => `${line}:${column} ${code}`);
}

/** Every problem as a user sees it. */
export function shown(text: string, files?: Readonly<Record<string, string>>): string {
  const { problems, texts } = parse(text, files);
  return problems.map((problem) => formatProblem(problem, texts.get(problem.file ?? ""))).join(
    "\n",
  );
}

/** A workflow with these steps and two services; the steps begin at line 5. */
export function withSteps(steps: string): string {
  return `name: test
services:
  pay: { endpoint: "pay:1" }
steps:
${steps}`;
}
