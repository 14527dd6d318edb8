/**
 * Facts to what a journal keeps, and back. The values among a fact's parts are tagged, so that
 * ints, bytes, times and messages come back as what they were.
 *
 * @module
 */
import { MaestroError } from "../errors.ts";
import type { Fact } from "../machines/facts.ts";
import { tag, untag } from "../workflow/value.ts";
import type { Value } from "../workflow/value.ts";
import type { StoredFact, TypeLookup } from "./doors.ts";
import { envText } from "./kept_texts.ts";

/** The parts of a fact that hold values of expressions; all others are JSON as they are. */
const VALUES = ["input", "output", "request", "payload"] as const;

/** The newest version of a fact's shape that this program reads. */
const VERSION = 1;

/** A fact as a journal keeps it; of the environment only the digest: it is kept once. */
export function encodeFact(fact: Fact): StoredFact {
  if (!VALUES.some((key) => key in fact)) {
    return fact as unknown as StoredFact; // it holds no values: JSON data as it is
  }
  const stored: Record<string, unknown> = { ...fact };
  for (const key of VALUES) {
    if (stored[key] !== undefined) stored[key] = tag(stored[key] as Value);
  }
  if (fact.kind === "run_started") stored["env"] = envText(fact.env).digest;
  return stored as StoredFact; // every part besides the tagged ones is declared as JSON data
}

/**
 * A fact from what a journal kept; of `run_started` with the environment's digest in its place.
 *
 * @throws {MaestroError} `STORE_FAILED` where it was written by a newer Maestro
 */
export function decodeFact(stored: StoredFact, types: TypeLookup): Fact {
  if (stored.v > VERSION) {
    throw new MaestroError(
      "STORE_FAILED",
      `Cannot read a fact of version ${stored.v}: a newer Maestro wrote it; go on with that one`,
    );
  }
  const fact: Record<string, unknown> = { ...stored };
  for (const key of VALUES) {
    const part = stored[key];
    if (part !== undefined) fact[key] = untag(part, types);
  }
  return fact as Fact; // written by `encodeFact`
}
