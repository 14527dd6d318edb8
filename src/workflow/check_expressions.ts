import type { Problem } from "../errors.ts";
import type { TemplateUse } from "./build_steps.ts";
import type { CheckContext } from "./check_steps.ts";

/** Checks every expression. */
export function checkExpressions(_uses: readonly TemplateUse[], _context: CheckContext): readonly Problem[] {
  return [];
}
