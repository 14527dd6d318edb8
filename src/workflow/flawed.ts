import type { z } from "zod";
import type { Path } from "./source.ts";

/**
 * The steps with a mistake in what is written of them, or in a step inside, by their paths in the tree.
 * They were made without it: what they seem to lack is no second problem.
 *
 * @param at where each step stands in the file's data
 */
export function flawedSteps(
  issues: readonly z.core.$ZodIssue[],
  at: ReadonlyMap<string, Path>,
): ReadonlySet<string> {
  const around = new Set<string>();
  for (const { path } of issues) {
    for (let length = 1; length <= path.length; length++) around.add(key(path.slice(0, length)));
  }
  return new Set([...at].filter(([, path]) => around.has(key(path))).map(([step]) => step));
}

function key(path: Path): string {
  return JSON.stringify(path);
}
