import type { Problem } from "../errors.ts";
import type { Caller, Method, Target } from "../engine/doors.ts";
import { eachChild } from "../workflow/calls.ts";
import type { Service, Workflow } from "../workflow/model.ts";
import { parseFile } from "./load.ts";

/** What was found in a workflow's file. */
export interface CheckedWorkflow {
  /** `null` where there is an error among the problems that keeps it from being one. */
  readonly workflow: Workflow | null;
  /** Errors and warnings in file order. */
  readonly problems: readonly Problem[];
  /** The texts of the files, by name. */
  readonly texts: ReadonlyMap<string, string>;
}

/**
 * Finds every problem of a workflow and of the child workflows that it starts, warnings included, and
 * those of methods whose service has its schema in files. Opens no connection.
 *
 * @example
 * ```ts
 * import { checkWorkflow } from "@maestro/maestro";
 *
 * const { problems } = await checkWorkflow("examples/order_saga/workflow.yaml");
 * for (const { file, line, column, message } of problems) {
 *   console.log(`${file}:${line}:${column}: ${message}`);
 * }
 * ```
 */
export async function checkWorkflow(path: string): Promise<CheckedWorkflow> {
  const { workflow, problems: parsed, texts } = await parseFile(path);
  if (workflow === null) return { workflow, problems: parsed, texts };
  const problems = [...parsed, ...await scheduleProblems(workflow)];
  const described = [workflow, ...eachChild(workflow)]
    .map((each) => ({ each, targets: describedTargets(each) }))
    .filter(({ targets }) => targets.size > 0);
  if (described.length === 0) return { workflow, problems, texts };
  const [{ findMethods }, { repeatWarnings }, { sortProblems }, caller] = await Promise.all([
    import("../engine/methods.ts"),
    import("./repeats.ts"),
    import("../workflow/problems.ts"),
    offlineCaller(),
  ]);
  const found = await Promise.all(described.map(async ({ each, targets }) => {
    const { methods, problems } = await findMethods(each, targets, caller);
    return [...problems, ...repeatWarnings(each, methods)];
  }));
  return {
    workflow,
    problems: sortProblems([...problems, ...found.flat()], [...texts.keys()]),
    texts,
  };
}

/** What of a schedule's input does not fit the workflow's own schema. */
async function scheduleProblems({ schedule, input }: Workflow): Promise<readonly Problem[]> {
  if (schedule === null || input === null) return [];
  const [{ checkInput }, { problemAt }] = await Promise.all([
    import("../workflow/input.ts"),
    import("../workflow/problems.ts"),
  ]);
  const { problems } = await checkInput(input, schedule.input);
  return problems.map(({ code, message }) =>
    problemAt(schedule.place, code, `Schedule: ${message}`)
  );
}

/** The services whose schema is at hand. */
function describedTargets({ services }: Workflow): ReadonlyMap<string, Target> {
  return new Map(
    Object.values(services)
      .filter(({ schema }) => schema.kind !== "reflection")
      .map((service) => [service.name, targetOf(service)]),
  );
}

/** A target that is only asked for its schema, which no endpoint is needed for. */
function targetOf(service: Service): Target {
  return { service, endpoint: service.endpoint, key: service.name };
}

/** A Caller that knows methods from files and can't call them. */
async function offlineCaller(): Promise<Caller> {
  const { describeMethod } = await import("../grpc/offline.ts");
  const refuse = () => {
    throw new Error("This method is only described");
  };
  return {
    async method({ service }, name): Promise<Method> {
      const described = await describeMethod(service, name);
      if (described === undefined) return refuse();
      const { idempotency, types } = described;
      return { name: described.name, idempotency, types, encode: refuse, call: refuse };
    },
    close: () => Promise.resolve(),
  };
}
