import type { Method } from "../engine/doors.ts";
import { methodKey } from "../engine/methods.ts";
import type { Problem } from "../errors.ts";
import { eachStep } from "../workflow/calls.ts";
import type { Workflow } from "../workflow/model.ts";
import { warningAt } from "../workflow/problems.ts";
import { onlyReads } from "../workflow/reads.ts";

/**
 * Warns of calls that are retried though nobody says that they may be repeated: neither the step
 * (`idempotent:`) nor the method's schema (`idempotency_level`), nor a name that only reads.
 *
 * @param methods those whose schema is at hand; of the others nothing is said
 */
export function repeatWarnings(
  workflow: Workflow,
  methods: ReadonlyMap<string, Pick<Method, "idempotency">>,
): readonly Problem[] {
  return [...eachStep(workflow.steps, false)].flatMap((step): Problem[] => {
    if (step.kind !== "call" || step.idempotentStated || step.retry.attempts === 1) return [];
    const idempotency = methods.get(methodKey(step))?.idempotency;
    if (idempotency !== "unknown" || onlyReads(step.method)) return [];
    const message = `"${step.method}" is retried, and may then be done twice: nothing says that ` +
      'it is idempotent. Write "idempotent: true" on the step if the service takes care of the ' +
      'idempotency-key, "idempotent: false" if not, or give the method an idempotency_level';
    return [warningAt(step.methodPlace, "maybe_repeated", message)];
  });
}
