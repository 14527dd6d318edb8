import { MaestroError } from "../errors.ts";
import type { Workflow } from "../workflow/model.ts";
import type { ParsedWorkflow } from "../workflow/parse.ts";
import { readText } from "./read_text.ts";

/**
 * Reads a workflow, with the files that it includes, and checks all that can be known without its
 * services.
 *
 * @example
 * ```ts
 * import { loadWorkflow } from "@maestro/maestro";
 *
 * const workflow = await loadWorkflow("examples/order_saga/workflow.yaml");
 * console.log(workflow.name, workflow.steps.length);
 * ```
 *
 * @param path relative to the working directory, or absolute
 * @throws {MaestroError} `WORKFLOW_INVALID`; its `problems` hold every mistake with its place,
 * warnings included
 */
export async function loadWorkflow(path: string): Promise<Workflow> {
  const { workflow, problems } = await parseFile(path);
  if (workflow !== null) return workflow;
  const errors = problems.filter(({ severity }) => severity === "error");
  const lines = errors.map(({ file, line, column, message }) =>
    `${[file, line, column].filter((part) => part !== null).join(":")}: ${message}`
  );
  throw new MaestroError("WORKFLOW_INVALID", lines.join("\n"), { problems });
}

/** Parses a workflow's file; one that can't be read is a problem like any other. */
export async function parseFile(path: string): Promise<ParsedWorkflow> {
  // Only those who read files need YAML, the schema and the expressions' checks.
  const { loadWorkflow } = await import("../workflow/parse.ts");
  return loadWorkflow(path, readText);
}
