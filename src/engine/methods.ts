import { MaestroError, type Problem } from "../errors.ts";
import { eachTarget } from "../workflow/calls.ts";
import type { Place, Service, Workflow } from "../workflow/model.ts";
import { type Caller, type KeptText, type Method, type Target, Unreachable } from "./doors.ts";

/** The methods that a workflow calls, as far as they could be found. */
export interface FoundMethods {
  /** By {@linkcode methodKey}; one whose service could not be reached is left out. */
  readonly methods: Map<string, Method>;
  /** No method is left out. */
  readonly complete: boolean;
  /** What is missing or ambiguous, in file order. */
  readonly problems: readonly Problem[];
}

/** Schemas as a journal keeps them, by the name of their service. */
export type KeptSchemas = ReadonlyMap<string, KeptText>;

/** The key of a method of a service, as a step writes it. */
export function methodKey(use: { readonly service: string; readonly method: string }): string {
  return `${use.service}/${use.method}`;
}

/**
 * Finds every method that a workflow calls, all services at the same time.
 *
 * @param kept the schemas that a run began with, by service: these services are not asked again
 */
export async function findMethods(
  workflow: Workflow,
  targets: ReadonlyMap<string, Target>,
  caller: Caller,
  kept?: KeptSchemas,
): Promise<FoundMethods> {
  const methods = new Map<string, Method>();
  let complete = true;
  const problems: Problem[] = [];
  const uses = [...eachTarget(workflow.steps)];
  await Promise.all(
    [...new Map(uses.map((use) => [methodKey(use), use]))].map(async ([key, use]) => {
      const target = targets.get(use.service);
      if (target === undefined) return; // its schema is not at hand
      try {
        const schema = kept?.get(use.service);
        methods.set(key, await caller.method(target, use.method, schema && { schema }));
      } catch (thrown) {
        complete = false;
        if (thrown instanceof Unreachable) return; // each attempt asks again
        const { code, message } = MaestroError.from(thrown);
        for (const { methodPlace } of uses.filter((other) => methodKey(other) === key)) {
          const place = placeOf(code, target.service) ?? methodPlace;
          problems.push({ severity: "error", code: code.toLowerCase(), message, ...place });
        }
      }
    }),
  );
  return { methods, complete, problems: distinct(problems) };
}

/** Where to mend what is the service's, and not one method's: its schema, its endpoint, its TLS files. */
function placeOf(code: string, { schema, place }: Service): Place | null {
  if (code === "USAGE") return place;
  if (code !== "SCHEMA_UNAVAILABLE") return null;
  return schema.kind === "reflection" ? place : schema.place;
}

/** A schema that is missing is one problem, however many steps need it. */
function distinct(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return [...seen.values()].sort((a, b) =>
    (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)
  );
}
