import type { Fact, FactBody } from "../machines/facts.ts";
import type { Workflow } from "../workflow/model.ts";
import { definitionOf } from "./definition.ts";
import type { KeptText } from "./doors.ts";

/** What the one who starts a run decides. */
export type RunStart = Pick<
  Extract<Fact, { readonly kind: "run_started" }>,
  "correlationId" | "traceparent" | "input" | "endpoints" | "deadline"
>;

/** The first fact of a run. */
export function runStarted(
  runId: string,
  workflow: Workflow,
  { env, schemas, ...start }: RunStart & {
    readonly env: Readonly<Record<string, string>>;
    readonly schemas: ReadonlyMap<string, KeptText>;
  },
): FactBody {
  return {
    kind: "run_started",
    runId,
    workflow: workflow.name,
    version: workflow.version,
    definition: definitionOf(workflow).digest,
    env,
    schemas: Object.fromEntries([...schemas].map(([name, { digest }]) => [name, digest])),
    ...start,
  };
}
