import type { Beginnings } from "../engine/beginnings.ts";
import type { StoredFact } from "../engine/doors.ts";
import { decodeFact } from "../engine/fact_codec.ts";
import type { Fact } from "../machines/facts.ts";

/** A run's stored fact, whole: what its first one only names is looked up. */
export async function readFact(
  beginnings: Beginnings,
  runId: string,
  stored: StoredFact,
): Promise<Fact> {
  if (stored.seq === 1) return (await beginnings.of(runId, [stored])).started;
  return decodeFact(stored, () => undefined);
}
