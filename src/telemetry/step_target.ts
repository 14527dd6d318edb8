import { definitionOf } from "../engine/definition.ts";
import type { Op } from "../machines/facts.ts";
import type { CallTarget, Workflow } from "../workflow/model.ts";

/** What a step calls, in whatever round: itself, to be undone, or to find out whether it happened. */
export function targetOf(workflow: Workflow, path: string, op: Op): CallTarget | null {
  const step = definitionOf(workflow).locator.find(path)?.step;
  if (step === undefined) return null;
  if (op === "compensate" && "compensate" in step && step.compensate?.kind === "call") {
    return step.compensate;
  }
  if (step.kind !== "call") return null;
  return op === "verify" && step.verify !== null ? step.verify : step;
}
