import type { Problem } from "../errors.ts";
import type { Workflow } from "./model.ts";
import type { Path, Places } from "./source.ts";

/** Where things stand. */
export interface LintContext {
  readonly places: Places;
  readonly at: ReadonlyMap<string, Path>;
  readonly used: ReadonlySet<string>;
}

/** Warnings. */
export function lintWorkflow(_workflow: Workflow, _context: LintContext): readonly Problem[] {
  return [];
}
