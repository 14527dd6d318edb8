import type { z } from "zod";
import { isRecord } from "./schema_parts.ts";
import type { Path } from "./source.ts";
import { STAND_IN } from "./step_forms.ts";

const STEP_LISTS: ReadonlySet<PropertyKey> = new Set(["steps", "parallel", "repeat"]);
const ROUNDS = 8;
/** Beyond so many, a file is no workflow with mistakes, but something else. */
const MAX_REPAIRS = 500;

/**
 * Checks data by a schema; where it has issues, also makes what can be made of the rest: wrong
 * values count as not written, and steps that can't be used have a stand-in in their place. So the
 * names and expressions of a file with a mistake are checked like those of one without.
 *
 * @param missing what stands in for top-level keys that can't go missing
 */
export function checkAndRepair<T>(
  schema: z.ZodType<T>,
  data: unknown,
  missing: Readonly<Record<string, unknown>> = {},
): { readonly written: T | null; readonly issues: readonly z.core.$ZodIssue[] } {
  let result = schema.safeParse(data);
  if (result.success) return { written: result.data, issues: [] };
  const { issues } = result.error;
  let rest = data;
  for (let round = 0; round < ROUNDS && !result.success; round++) {
    const paths = spoilt(result.error.issues);
    if (paths.length > MAX_REPAIRS) break;
    for (const path of paths) rest = without(rest, path);
    if (isRecord(rest)) rest = { ...missing, ...rest };
    result = schema.safeParse(rest);
  }
  return { written: result.success ? result.data : null, issues };
}

function spoilt(issues: readonly z.core.$ZodIssue[]): readonly Path[] {
  return issues.flatMap((issue): readonly Path[] => {
    if (issue.code === "unrecognized_keys") return issue.keys.map((key) => [...issue.path, key]);
    return [issue.path];
  });
}

/** A copy without what stands at a path; what has no key of its own takes what it is in along. */
function without(value: unknown, path: Path): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return {};
  if (isRecord(value)) {
    const copy: Record<PropertyKey, unknown> = { ...value };
    const below = copy[key];
    if (rest.length === 0 || below === undefined || !isReachable(below, rest)) delete copy[key];
    else copy[key] = Array.isArray(below) ? withoutItem(below, key, rest) : without(below, rest);
    if (copy[key] === GONE) delete copy[key];
    return copy;
  }
  return value;
}

const GONE = Symbol("gone");

function withoutItem(list: readonly unknown[], name: PropertyKey, path: Path): unknown {
  const [at, ...rest] = path;
  const isSteps = STEP_LISTS.has(name);
  const item = list[Number(at)];
  const inside = rest.length > 0 && isRecord(item) && isReachable(item, rest);
  if (!inside) return isSteps ? list.with(Number(at), STAND_IN) : GONE;
  return list.with(Number(at), without(item, rest));
}

/** A key that is missing can't be taken away: then what it is missing from has to go. */
function isReachable(value: unknown, [key]: Path): boolean {
  if (key === undefined) return true;
  return typeof value === "object" && value !== null && Object.hasOwn(value, key);
}
