import type { Fact } from "../machines/facts.ts";
import { foldOf } from "./stored_runs.ts";

/** A step waits for an operator from now on. */
export type Parked = Extract<Fact, { readonly kind: "attention_raised" }>;

/** Which of a run's steps wait for an operator where its facts end: those facts that say so. */
export function stillParked(facts: readonly Fact[]): readonly Parked[] {
  const parked = facts.filter((fact) => fact.kind === "attention_raised");
  if (parked.length === 0) return [];
  const { attention, records, end } = foldOf(facts);
  if (end !== null) return [];
  const waiting = new Set([...attention].map((key) => records.get(key)?.attention?.seq));
  return parked.filter(({ seq }) => waiting.has(seq));
}
