import type { Step } from "./model.ts";
import { isRecord } from "./schema_parts.ts";
import { loopBindings } from "./scope.ts";

const LISTS = ["steps", "parallel", "repeat", "catch", "switch"] as const;

/**
 * The names that steps with a mistake of their own would bind. That those names are missing is no
 * second problem.
 *
 * @param root the file's data
 * @param known the steps that could be made
 */
export function forgivenNames(root: unknown, known: readonly Step[]): ReadonlySet<string> {
  const names = new Set<string>();
  if (isRecord(root)) collect(root["steps"], names);
  const bound = known.flatMap((step) => [
    step.id,
    step.output ?? "",
    ...(step.kind === "set" ? Object.keys(step.values) : []),
    ...(step.kind === "foreach" ? loopBindings(step).map(([name]) => name) : []),
  ]);
  for (const name of bound) names.delete(name);
  return names;
}

function collect(list: unknown, names: Set<string>): void {
  if (!Array.isArray(list)) return;
  for (const step of list) {
    if (!isRecord(step)) continue;
    for (const key of ["id", "output"]) {
      const name = step[key];
      if (typeof name === "string") names.add(name);
    }
    if ("foreach" in step) {
      const item = typeof step["as"] === "string" ? step["as"] : "item";
      [item, `${item}_index`].forEach((name) => names.add(name));
    }
    if (isRecord(step["set"])) Object.keys(step["set"]).forEach((name) => names.add(name));
    for (const key of LISTS) collect(step[key], names);
    const compensate = step["compensate"];
    if (isRecord(compensate)) collect(compensate["steps"], names);
  }
}
