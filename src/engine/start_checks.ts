import { MaestroError } from "../errors.ts";
import { MAX_DURATION } from "../workflow/durations.ts";
import { serviceNames } from "../workflow/calls.ts";
import { checkInput } from "../workflow/input.ts";
import type { Json } from "../workflow/json.ts";
import type { Workflow } from "../workflow/model.ts";
import { rootIdOf } from "./ids.ts";

export async function validInput(workflow: Workflow, given: Json): Promise<Json> {
  const { value, problems } = await checkInput(workflow.input, given);
  if (problems.length === 0) return value;
  const message = problems.map((problem) => problem.message).join("; ");
  throw new MaestroError("INPUT_INVALID", message, { problems });
}

/** Of the endpoints that win over a workflow's, those that this one, its child, has. */
export function endpointsFor(
  workflow: Workflow,
  endpoints: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const given = Object.entries(endpoints);
  if (given.length === 0) return endpoints; // ten thousand children need not be searched for it
  const services = serviceNames(workflow);
  return Object.fromEntries(given.filter(([name]) => services.has(name)));
}

export function checkEndpoints(
  workflow: Workflow,
  endpoints: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const given = Object.keys(endpoints);
  const services = given.length === 0 ? new Set<string>() : serviceNames(workflow);
  for (const name of given) {
    if (services.has(name)) continue;
    const known = [...services].join(", ") || "none";
    throw new MaestroError(
      "USAGE",
      `Cannot set the endpoint of "${name}": the workflow's services are: ${known}`,
    );
  }
  return endpoints;
}

/** Ids travel in metadata and stand in logs and paths: visible ASCII, at most 128 characters. */
export function checkId(what: string, id: string): string {
  if (/^[!-~]{1,128}$/.test(id)) return id;
  throw new MaestroError(
    "USAGE",
    `Cannot use ${
      JSON.stringify(id)
    } as the ${what}: it has to be 1 to 128 visible ASCII characters, without spaces`,
  );
}

/** @throws {MaestroError} `USAGE`: a child run goes on with its root alone */
export function checkRoot(runId: string): void {
  const root = rootIdOf(runId);
  if (root === runId) return;
  throw new MaestroError(
    "USAGE",
    `Cannot resume "${runId}" alone: it is a child run, which goes on with "${root}"`,
  );
}

/** A "/" stands between a run's id and the steps of its child runs; "." and ".." can't stand in a URL's path. */
export function checkRunId(id: string): string {
  if (id === "." || id === "..") {
    throw new MaestroError("USAGE", `Cannot use "${id}" as the run id: no URL could name it`);
  }
  if (!id.includes("/")) return checkId("run id", id);
  throw new MaestroError("USAGE", `Cannot use ${JSON.stringify(id)} as the run id: it has a "/"`);
}

/** As in a workflow's file: more than nothing, and no moment that calendars don't have. */
export function checkTimeout(timeout: number | undefined): number | undefined {
  if (timeout === undefined || timeout > 0 && timeout <= MAX_DURATION) return timeout;
  throw new MaestroError(
    "USAGE",
    `Cannot use ${timeout} as the timeout: it has to be more than 0 and at most ${MAX_DURATION} milliseconds`,
  );
}
