import { definitionOf } from "../engine/definition.ts";
import type { Op } from "../machines/facts.ts";
import type { CallTarget, Step, Workflow } from "../workflow/model.ts";

/** A step as reports name it: `ship[3].label`, or `invoice/written`, which is a step of a child run. */
export interface Found {
  readonly step: Step;
  /** The workflow that it is a step of. */
  readonly workflow: Workflow;
}

/** Finds a step by its path in a run; `undefined` where there is none, as for a round of a loop. */
export function findStep(workflow: Workflow, path: string): Found | undefined {
  let within = workflow;
  const parts = path.split("/");
  for (const [index, part] of parts.entries()) {
    const step = definitionOf(within).locator.find(part)?.step;
    if (step === undefined) return undefined;
    if (index === parts.length - 1) return { step, workflow: within };
    if (step.kind !== "workflow") return undefined;
    within = step.workflow;
  }
  return undefined;
}

/** What a step calls to do its work, to be undone, or to find out whether it happened; `null`: nothing. */
export function targetOf(step: Step, op: Op): CallTarget | null {
  if (op === "verify") return step.kind === "call" ? step.verify : null;
  const compensate = "compensate" in step ? step.compensate : null;
  // A step inside a compensation has none of its own: what it calls undoes.
  if (op === "compensate" && compensate !== null) {
    return compensate.kind === "call" ? compensate : null;
  }
  return step.kind === "call" ? step : null;
}
