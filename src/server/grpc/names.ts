import { fieldError } from "./field_error.ts";

/** The resource name of a run. */
export function runName(runId: string): string {
  return `runs/${runId}`;
}

/** A run's id from its resource name. @throws {MaestroError} `USAGE` */
export function runIdOf(name: string): string {
  return idOf(name, "runs", "name");
}

/** The resource name of a workflow, in one of its versions. */
export function workflowName(workflow: string, version: string | null): string {
  return version === null ? `workflows/${workflow}` : `workflows/${workflow}@${version}`;
}

/** What a workflow's resource name says. */
export interface WorkflowRef {
  readonly workflow: string;
  /** Left out: the newest. */
  readonly version?: string;
}

/**
 * A workflow from its resource name; no workflow's own name has an `@` (AIP-162).
 *
 * @param field of the request that has it
 * @throws {MaestroError} `USAGE`
 */
export function workflowOf(name: string, field: string): WorkflowRef {
  const id = idOf(name, "workflows", field);
  const at = id.indexOf("@");
  return at === -1 ? { workflow: id } : { workflow: id.slice(0, at), version: id.slice(at + 1) };
}

/** The resource name of a service. */
export function serviceName(id: string): string {
  return `services/${id}`;
}

/** A service's id from its resource name. @throws {MaestroError} `USAGE` */
export function serviceIdOf(name: string): string {
  return idOf(name, "services", "name");
}

function idOf(name: string, collection: string, field: string): string {
  if (name.startsWith(`${collection}/`) && name.length > collection.length + 1) {
    return name.slice(collection.length + 1);
  }
  throw fieldError(
    field,
    name === ""
      ? `it is required, such as "${collection}/…"`
      : `${JSON.stringify(name)} is no resource name, such as "${collection}/…"`,
  );
}
