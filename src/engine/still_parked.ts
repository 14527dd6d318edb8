import type { Fact } from "../machines/facts.ts";
import type { Workflow } from "../workflow/model.ts";
import type { HearAll, RunOrigin } from "./engine_options.ts";
import { foldOf } from "./stored_runs.ts";

/** A step waits for an operator from now on. */
export type Parked = Extract<Fact, { readonly kind: "attention_raised" }>;

/** Tells of each step of a run that waits for an operator where its facts end. */
export function tellStillParked(
  hear: HearAll,
  runId: string,
  workflow: Workflow,
  { correlationId, traceparent }: RunOrigin,
  facts: readonly Fact[],
): void {
  for (const fact of stillParked(facts)) {
    hear(runId, workflow, fact, { correlationId, traceparent });
  }
}

/** The facts that say so. */
function stillParked(facts: readonly Fact[]): readonly Parked[] {
  const parked = facts.filter((fact) => fact.kind === "attention_raised");
  if (parked.length === 0) return [];
  const { attention, records, end } = foldOf(facts);
  if (end !== null) return [];
  const waiting = new Set([...attention].map((key) => records.get(key)?.attention?.seq));
  return parked.filter(({ seq }) => waiting.has(seq));
}
