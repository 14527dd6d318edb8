import { MaestroError, type Problem } from "../errors.ts";
import { eachTarget } from "../workflow/calls.ts";
import type { Workflow } from "../workflow/model.ts";
import { type Caller, type Method, type Target, Unreachable } from "./doors.ts";

/** The methods that a workflow calls, as far as they could be found. */
export interface FoundMethods {
  /** By {@linkcode methodKey}; one whose service could not be reached is left out. */
  readonly methods: Map<string, Method>;
  /** What is missing or ambiguous, in file order. */
  readonly problems: readonly Problem[];
}

/** The key of a method of a service, as a step writes it. */
export function methodKey(use: { readonly service: string; readonly method: string }): string {
  return `${use.service}/${use.method}`;
}

/** Finds every method that a workflow calls, all services at the same time. */
export async function findMethods(
  workflow: Workflow,
  targets: ReadonlyMap<string, Target>,
  caller: Caller,
): Promise<FoundMethods> {
  const methods = new Map<string, Method>();
  const problems: Problem[] = [];
  const lookups = new Map<string, Promise<Method>>();
  for (const use of eachTarget(workflow.steps)) {
    const target = targets.get(use.service);
    if (target === undefined) continue; // its schema is not at hand
    const key = methodKey(use);
    let lookup = lookups.get(key);
    if (lookup === undefined) lookups.set(key, lookup = caller.method(target, use.method));
    try {
      methods.set(key, await lookup);
    } catch (thrown) {
      if (thrown instanceof Unreachable) continue; // each attempt asks again
      const { code, message } = MaestroError.from(thrown);
      const place = code === "SCHEMA_UNAVAILABLE" && target.service.schema.kind !== "reflection"
        ? target.service.schema.place
        : use.methodPlace;
      problems.push({ severity: "error", code: code.toLowerCase(), message, ...place });
    }
  }
  return { methods, problems: distinct(problems) };
}

/** A schema that is missing is one problem, however many steps need it. */
function distinct(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return [...seen.values()].sort((a, b) =>
    (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)
  );
}
