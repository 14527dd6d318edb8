import type { Workflow } from "../src/workflow/model.ts";
import { parseWorkflow } from "../src/workflow/parse.ts";

/** A workflow from its text and those of its children, by file. */
export function loadText(text: string, files: Readonly<Record<string, string>>): Workflow {
  const { workflow, problems } = parseWorkflow({ file: "workflow.yaml", text }, (file) => {
    const other = files[file];
    if (other === undefined) throw new Error(`There is no ${file}`);
    return other;
  });
  if (workflow !== null) return workflow;
  throw new Error(problems.map(({ message }) => message).join("; "));
}
