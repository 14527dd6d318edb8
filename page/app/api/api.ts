import type {
  ListRunsQuery,
  ResolveStepRequest,
  RunDefinition,
  RunPage,
  ServiceView,
  SignalRunRequest,
  StartRunRequest,
  WorkflowDetail,
  WorkflowSummary,
} from "../../../src/server/operations.ts";
import type { RunReport, RunStatus } from "../../../src/engine/report.ts";
import type { JsonValue } from "./json.ts";
import { queryText, request } from "./request.ts";

const run = (runId: string) => `/runs/${encodeURIComponent(runId)}`;

/** A request's object as JSON: an interface has no index signature, though it holds nothing else. */
const body = (value: object) => value as JsonValue;

/** A page of the runs that fit. */
export function listRuns(query: ListRunsQuery, signal: AbortSignal): Promise<RunPage> {
  return request(`/runs${queryText({ ...query })}`, { signal });
}

/** How many runs stand how. */
export async function countRuns(
  signal: AbortSignal,
): Promise<Readonly<Partial<Record<RunStatus, number>>>> {
  return await request("/runs:counts", { signal });
}

/** Where a run stands. */
export function getRun(runId: string, signal: AbortSignal): Promise<RunReport> {
  return request(run(runId), { signal });
}

/** What a run was started with. */
export function getRunDefinition(runId: string, signal: AbortSignal): Promise<RunDefinition> {
  return request(`${run(runId)}/definition`, { signal });
}

/** The path of a run's events. */
export function runEventsPath(runId: string): string {
  return `${run(runId)}/events`;
}

/** Starts a run. */
export function startRun(request_: StartRunRequest): Promise<RunReport> {
  return request("/runs", { body: body(request_) });
}

/** Stops a run and rolls it back. */
export function cancelRun(runId: string): Promise<RunReport> {
  return request(`${run(runId)}:cancel`, { body: {} });
}

/** Hands a signal in. */
export function signalRun(runId: string, signal: SignalRunRequest): Promise<RunReport> {
  return request(`${run(runId)}:signal`, { body: body(signal) });
}

/** Gets a parked step going again. */
export function resolveStep(runId: string, resolution: ResolveStepRequest): Promise<RunReport> {
  return request(`${run(runId)}:resolve`, { body: body(resolution) });
}

/** The workflows that can be started, and those whose file is broken. */
export async function listWorkflows(signal: AbortSignal): Promise<readonly WorkflowSummary[]> {
  const { workflows } = await request<{ workflows: readonly WorkflowSummary[] }>("/workflows", {
    signal,
  });
  return workflows;
}

/** One workflow. */
export function getWorkflow(
  name: string,
  version: string | null,
  signal: AbortSignal,
): Promise<WorkflowDetail> {
  return request(`/workflows/${encodeURIComponent(name)}${queryText({ version })}`, { signal });
}

/** The services that runs have reached. */
export async function listServices(signal: AbortSignal): Promise<readonly ServiceView[]> {
  const { services } = await request<{ services: readonly ServiceView[] }>("/services", { signal });
  return services;
}

/** Holds all calls of a service back, or lets them through again. */
export function steerService(id: string, verb: "forceOpen" | "reset"): Promise<ServiceView> {
  return request(`/services/${encodeURIComponent(id)}:${verb}`, { body: {} });
}
