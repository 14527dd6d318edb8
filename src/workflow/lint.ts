/**
 * Warnings: what only the whole workflow can tell, and what is legal but likely
 * to hurt.
 *
 * @module
 */
import type { Problem } from "../errors.ts";
import type { LintContext } from "./check_context.ts";
import { lintCatches } from "./lint_catches.ts";
import { lintCompensations } from "./lint_compensations.ts";
import { lintNames } from "./lint_names.ts";
import { lintTimeouts } from "./lint_timeouts.ts";
import type { Workflow } from "./model.ts";
import { warningAt } from "./problems.ts";

/** Every warning about a workflow that has no errors, or as far as it has none. */
export function lintWorkflow(workflow: Workflow, context: LintContext): readonly Problem[] {
  return [
    ...unusedServices(workflow, context),
    ...lintNames(workflow, context),
    ...lintCompensations(workflow, context),
    ...lintTimeouts(workflow, context),
    ...lintCatches(workflow, context),
  ];
}

/** Included files may hold services that others use. */
function unusedServices({ services }: Workflow, { used, where }: LintContext): Problem[] {
  return Object.values(services)
    .filter(({ name }) => !used.has(name) && where.places.get(["services", name]) !== undefined)
    .map(({ name, place }) => warningAt(place, "unused_service", `No step calls "${name}"`));
}
