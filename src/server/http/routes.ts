import type { z } from "zod";
import { InvalidFields } from "../invalid_fields.ts";
import type { ListRunsQuery, ResolveStepRequest, SignalRunRequest } from "../operations.ts";
import { answering, type Asked, type Route, type StreamEvent, streaming } from "./route.ts";
import * as schemas from "./schemas.ts";

/** What is left out stays left out: none of these objects has a key without a value. */
type Given<T> = z.ZodType<T>;

const get = { method: "GET", query: schemas.noQuery, body: null } as const;
const post = { method: "POST", query: schemas.noQuery, body: schemas.nothing } as const;

/** Everything that the API does. */
export const ROUTES: readonly Route[] = [
  answering({
    ...post,
    path: "/runs",
    operation: "startRun",
    summary: "Starts a run; it is durable when this answers, and is started once for each run_id",
    body: schemas.startRun as Given<
      Parameters<Asked<unknown, unknown>["operations"]["startRun"]>[0]
    >,
    answer: schemas.run,
    does: ({ operations, body, who }) => operations.startRun(body, who),
  }),
  answering({
    ...get,
    path: "/runs",
    operation: "listRuns",
    summary: "The runs that fit, the newest first, a page at a time",
    query: schemas.listRuns as Given<ListRunsQuery>,
    answer: schemas.runPage,
    does: ({ operations, query }) => operations.listRuns(query),
  }),
  answering({
    ...get,
    path: "/runs:counts",
    operation: "countRuns",
    summary: "How many runs stand how",
    answer: schemas.runCounts,
    does: ({ operations }) => operations.countRuns(),
  }),
  answering({
    ...get,
    path: "/runs/{id}",
    operation: "getRun",
    summary: "Where a run stands",
    answer: schemas.run,
    does: ({ operations, id }) => operations.getRun(id),
  }),
  answering({
    ...get,
    path: "/runs/{id}/definition",
    operation: "getRunDefinition",
    summary: "What a run was started with: its input, and its steps for a graph",
    answer: schemas.runDefinition,
    does: ({ operations, id }) => operations.getRunDefinition(id),
  }),
  answering({
    ...get,
    path: "/runs/{id}/summary",
    operation: "findRun",
    summary: "A run in few words, as lists have it; also a child run",
    answer: schemas.runSummary,
    does: ({ operations, id }) => operations.findRun(id),
  }),
  answering({
    ...get,
    path: "/runs/{id}/facts",
    operation: "getRunFacts",
    summary: "A run's facts as the journal keeps them, for programs that fold them themselves",
    query: schemas.runEvents,
    answer: schemas.runFacts,
    does: async ({ operations, id, query }) => ({
      facts: await operations.runFacts(id, query.after),
    }),
  }),
  answering({
    ...get,
    path: "/runs/{id}/text",
    operation: "getRunText",
    summary: "A text that a run's facts name by its digest",
    query: schemas.runTextQuery,
    answer: schemas.runText,
    does: async ({ operations, id, query }) => ({
      text: await operations.runText(id, query.digest),
    }),
  }),
  streaming({
    path: "/runs/{id}/events",
    operation: "watchRun",
    summary: "What happened in a run and what happens, until it has ended",
    query: schemas.runEvents,
    answer: schemas.event,
    async does({ operations, id, query, lastEventId }, signal) {
      const after = afterOf(lastEventId) ?? query.after; // who comes back says both
      await operations.findRun(id);
      return withSeq(operations.runEvents(id, { ...(after !== undefined && { after }), signal }));
    },
  }),
  streaming({
    path: "/events",
    operation: "watchRuns",
    summary: "What happens in all runs; from now on, or after an event",
    query: schemas.allEvents,
    answer: schemas.event,
    does: ({ operations, query, lastEventId }, signal) => {
      const after = lastEventId || query.after; // who comes back says both
      return withCursor(operations.allEvents({ ...(after !== undefined && { after }), signal }));
    },
  }),
  answering({
    ...post,
    path: "/runs/{id}:cancel",
    operation: "cancelRun",
    summary: "Stops a run and rolls it back",
    answer: schemas.run,
    does: ({ operations, id, who }) => operations.cancelRun(id, who),
  }),
  answering({
    ...post,
    path: "/runs/{id}:signal",
    operation: "signalRun",
    summary: "Hands a signal in",
    body: schemas.signalRun as Given<SignalRunRequest>,
    answer: schemas.run,
    does: ({ operations, id, body, who }) => operations.signalRun(id, body, who),
  }),
  answering({
    ...post,
    path: "/runs/{id}:resolve",
    operation: "resolveStep",
    summary: "Gets a parked step going again",
    body: schemas.resolveStep as Given<ResolveStepRequest>,
    answer: schemas.run,
    does: ({ operations, id, body, who }) => operations.resolveStep(id, body, who),
  }),
  answering({
    ...post,
    path: "/runs/{id}:resume",
    operation: "resumeRun",
    summary: "Has a run go on here that was left open",
    answer: schemas.run,
    does: ({ operations, id, who }) => operations.resumeRun(id, who),
  }),
  answering({
    ...post,
    path: "/runs:resume",
    operation: "resumeRuns",
    summary: "Has all runs go on here that were left open, as the server does every minute",
    answer: schemas.resumedRuns,
    does: ({ operations, who }) => operations.resumeRuns(who),
  }),
  answering({
    ...post,
    path: "/runs:prune",
    operation: "pruneRuns",
    summary: "Drops runs that ended long ago, so many at a time",
    body: schemas.pruneRuns,
    answer: schemas.prunedRuns,
    does: ({ operations, body, who }) => operations.pruneRuns(body, who),
  }),
  answering({
    ...get,
    path: "/workflows",
    operation: "listWorkflows",
    summary: "The workflows that there are, and what is wrong with their files",
    answer: schemas.workflows,
    does: ({ operations }) => ({ workflows: operations.listWorkflows() }),
  }),
  answering({
    ...post,
    path: "/workflows:validate",
    operation: "validateWorkflow",
    summary: "Finds every problem of a workflow's text",
    body: schemas.validateWorkflow,
    answer: schemas.problems,
    does: ({ operations, body }) => operations.validate(body.text),
  }),
  answering({
    ...get,
    path: "/workflows/{name}",
    operation: "getWorkflow",
    summary: "A workflow: its text, the schema of its input, and its steps for a graph",
    query: schemas.workflowVersion,
    answer: schemas.workflow,
    does: ({ operations, id, query }) => operations.getWorkflow(id, query.version),
  }),
  answering({
    ...get,
    path: "/services",
    operation: "listServices",
    summary: "The circuit breakers of the services that runs have reached",
    answer: schemas.services,
    does: ({ operations }) => ({ services: operations.listServices() }),
  }),
  answering({
    ...post,
    path: "/services/{id}:forceOpen",
    operation: "forceServiceOpen",
    summary: "Holds all calls of a service back",
    answer: schemas.service,
    does: ({ operations, id, who }) => operations.forceOpen(id, who),
  }),
  answering({
    ...post,
    path: "/services/{id}:reset",
    operation: "resetService",
    summary: "Closes a breaker and forgets the results so far",
    answer: schemas.service,
    does: ({ operations, id, who }) => operations.reset(id, who),
  }),
];

function afterOf(lastEventId: string | null): number | undefined {
  if (lastEventId === null || lastEventId === "") return undefined;
  if (/^\d{1,15}$/.test(lastEventId)) return Number(lastEventId);
  throw new InvalidFields([{ field: "Last-Event-ID", description: "it is no id of an event" }]);
}

async function* withSeq(
  events: ReturnType<Asked<unknown, unknown>["operations"]["runEvents"]>,
): AsyncIterable<StreamEvent> {
  for await (const event of events) yield { id: String(event.seq), data: event };
}

async function* withCursor(
  events: ReturnType<Asked<unknown, unknown>["operations"]["allEvents"]>,
): AsyncIterable<StreamEvent> {
  for await (const { cursor, event } of events) yield { id: cursor, data: event };
}
