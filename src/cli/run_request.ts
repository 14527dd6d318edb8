import type { StartOptions } from "../engine/engine_options.ts";
import type { Secrets } from "../engine/doors.ts";
import { parseFile } from "../library/load.ts";
import type { SecretMask } from "../telemetry/secret_mask.ts";
import { serviceNames } from "../workflow/calls.ts";
import type { Workflow } from "../workflow/model.ts";
import { readInput } from "./input_option.ts";
import { LocatedError } from "./located.ts";
import { parseEndpoints, parseId, parseRunId, parseTimeout } from "./run_options.ts";
import { readSecrets } from "./secret_option.ts";
import { parseSpan } from "./span_option.ts";
import { parseStore } from "./store_option.ts";

/** The options of `run` that say what is run. */
export interface RequestFlags {
  readonly input?: string | undefined;
  readonly set?: readonly string[] | undefined;
  readonly endpoint?: readonly string[] | undefined;
  readonly secret?: readonly string[] | undefined;
  readonly runId?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly timeout?: string | undefined;
  readonly store: string;
  readonly retention?: string | undefined;
}

/** What is to be run. */
export interface RunRequest {
  readonly workflow: Workflow;
  readonly start: StartOptions;
  readonly secrets: Secrets;
  /** The workflow's files, by name: what problems point into. */
  readonly texts: ReadonlyMap<string, string>;
}

/**
 * Everything that `run` was asked for, read and checked. Nothing has been called yet.
 *
 * @throws {MaestroError} `USAGE` and others; {@linkcode LocatedError} where they have a place
 */
export async function readRequest(
  file: string,
  flags: RequestFlags,
  mask: SecretMask,
): Promise<RunRequest> {
  parseStore(flags.store);
  if (flags.retention !== undefined) parseSpan(flags.retention, "--retention");
  const timeout = flags.timeout === undefined ? undefined : parseTimeout(flags.timeout);
  const runId = flags.runId === undefined ? undefined : parseRunId(flags.runId);
  const correlationId = flags.correlationId === undefined
    ? undefined
    : parseId(flags.correlationId, "--correlation-id");
  const secrets = await readSecrets(flags.secret, mask);
  const { workflow, problems, texts } = await parseFile(file);
  if (workflow === null) throw new LocatedError("WORKFLOW_INVALID", problems, texts);
  const endpoints = parseEndpoints(flags.endpoint ?? [], [...serviceNames(workflow)]);
  await checkEndpoints(endpoints);
  const input = await readInput(flags.input, flags.set ?? []);
  return {
    workflow,
    secrets,
    texts,
    start: {
      input,
      endpoints,
      ...(timeout !== undefined && { timeout }),
      ...(runId !== undefined && { runId }),
      ...(correlationId !== undefined && { correlationId }),
    },
  };
}

async function checkEndpoints(endpoints: Readonly<Record<string, string>>): Promise<void> {
  if (Object.keys(endpoints).length === 0) return;
  const { parseEndpoint } = await import("../grpc/endpoint.ts");
  for (const [service, endpoint] of Object.entries(endpoints)) parseEndpoint(service, endpoint);
}
