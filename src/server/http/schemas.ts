/**
 * What the HTTP API takes and gives, for its checks and its OpenAPI document.
 *
 * @module
 */
import { z } from "zod";
import { LARGEST_PAGE, PAGE_SIZE } from "../page_size.ts";
import { RUN_STATUSES } from "../../engine/run_statuses.ts";

/** The schemas that the document names. */
export const named = z.registry<{ id: string }>();

function name<T extends z.ZodType>(id: string, schema: T): T {
  named.add(schema, { id });
  return schema;
}

const json = z.unknown().describe("Any JSON");
const time = z.string().describe("RFC 3339");
const runStatus = name("RunStatus", z.enum(RUN_STATUSES));
const outcome = z.enum(["completed", "not_sent", "rejected", "unknown"]);

/** `google.rpc.Status`. */
export const status = name(
  "Status",
  z.object({
    code: z.int().describe("A google.rpc.Code"),
    message: z.string(),
    details: z.array(z.looseObject({ "@type": z.string() })),
  }),
);

/** The body of a start. */
export const startRun = name(
  "StartRunRequest",
  z.strictObject({
    workflow: z.string().min(1).describe("A workflow's name"),
    version: z.string().optional().describe("The newest where it is left out"),
    input: json.optional(),
    run_id: z.string().optional().describe(
      "Asked for twice with the same id, a run is started once",
    ),
    correlation_id: z.string().optional(),
    timeout: z.string().optional().describe("Such as 30s, for the forward part of the run"),
    traceparent: z.string().optional().describe("W3C trace context to go on with"),
  }),
);

/** The body of a signal. */
export const signalRun = name(
  "SignalRunRequest",
  z.strictObject({
    name: z.string().min(1),
    data: json.optional(),
    signal_id: z.string().min(1).optional().describe("A second signal with the same id is none"),
  }),
);

/** The body of a resolution. */
export const resolveStep = name(
  "ResolveStepRequest",
  z.strictObject({
    step: z.string().describe("The step's path, as the run's attention has it"),
    action: z.enum(["retry", "skip", "abort"]),
    input: json.optional().describe("With retry: another request"),
    output: json.optional().describe("With skip: what the step is taken to have answered"),
    reason: z.string().min(1),
    resolution_id: z.string().min(1).optional(),
  }),
);

/** The body of what needs none. */
export const nothing = name("Nothing", z.strictObject({}));

/** The body of a prune. */
export const pruneRuns = name(
  "PruneRunsRequest",
  z.strictObject({
    older_than: z.string().min(1).describe("Such as 30d: those that ended longer ago"),
  }),
);

/** What was dropped. */
export const prunedRuns = name(
  "PrunedRuns",
  z.object({
    dropped: z.int().describe("Without child runs; at most 5,000 at a time"),
    more: z.boolean().describe("There may be more to drop: ask again"),
  }),
);

/** What goes on. */
export const resumedRuns = name(
  "ResumedRuns",
  z.object({
    resumed: z.array(z.string()).describe("The ids of those that go on now"),
    sleeping: z.int().describe("How many more only wait"),
    failed: z.array(z.object({ run_id: z.string(), code: z.string(), message: z.string() }))
      .describe("Those that can't go on here"),
  }),
);

/** The body of a check. */
export const validateWorkflow = name(
  "ValidateWorkflowRequest",
  z.strictObject({ text: z.string().describe("The workflow's YAML") }),
);

/** What a list of runs is asked with. */
export const listRuns = z.strictObject({
  status: runStatus.optional(),
  workflow: z.string().optional(),
  since: time.optional(),
  until: time.optional(),
  text: z.string().max(256).optional().describe("In the id or the correlation id"),
  page_size: z.coerce.number<string>().int().min(0).optional().describe(
    `At most ${LARGEST_PAGE}; default ${PAGE_SIZE}`,
  ),
  page_token: z.string().optional(),
});

/** What a run's events are asked with. */
export const runEvents = z.strictObject({
  after: z.coerce.number<string>().int().min(0).optional().describe(
    "The seq of the last event heard; the header Last-Event-ID wins over it",
  ),
});

/** What all events are asked with. */
export const allEvents = z.strictObject({
  after: z.string().optional().describe(
    "The id of the last event heard; the header Last-Event-ID wins over it. Default: from now on",
  ),
});

/** Which version of a workflow is asked for. */
export const workflowVersion = z.strictObject({ version: z.string().optional() });

/** What is asked without a word. */
export const noQuery = z.strictObject({});

const failure = name("Failure", z.looseObject({ code: z.string(), message: z.string() }));

const step = name(
  "Step",
  z.object({
    path: z.string(),
    id: z.string(),
    kind: z.string().describe("call, wait, signal, child or set"),
    status: z.enum(["running", "waiting", "completed", "failed", "skipped", "cancelled"]),
    outcome: outcome.nullable(),
    attempts: z.int(),
    started_at: time,
    finished_at: time.nullable(),
    output: json,
    error: failure.nullable(),
    compensation: z.object({
      status: z.enum(["pending", "running", "done", "parked", "skipped"]),
      attempts: z.int(),
      error: failure.nullable(),
      started_at: time.nullable(),
      finished_at: time.nullable(),
    }).nullable(),
  }),
);

/** A run. */
export const run = name(
  "Run",
  z.object({
    run_id: z.string(),
    workflow: z.string(),
    version: z.string().nullable(),
    correlation_id: z.string(),
    status: runStatus,
    output: json,
    error: failure.nullable(),
    attention: z.array(z.object({
      step: z.string(),
      op: z.enum(["action", "compensate", "verify"]),
      error: failure,
      request: json,
    })),
    started_at: time,
    finished_at: time.nullable(),
    duration_ms: z.number().nullable(),
    steps: z.array(step),
  }),
);

/** A run in few words. */
export const runSummary = name(
  "RunSummary",
  z.object({
    run_id: z.string(),
    workflow: z.string(),
    version: z.string().nullable(),
    correlation_id: z.string(),
    status: runStatus,
    started_at: time,
    finished_at: time.nullable(),
    duration_ms: z.number().nullable(),
    sleeps_until: time.nullable(),
    sleeps: z.boolean().describe("It does nothing until a time, a signal or an operator comes"),
    owned: z.boolean().describe("A live process goes on with it"),
  }),
);

/** A run's facts. */
export const runFacts = name(
  "RunFacts",
  z.object({
    facts: z.array(z.looseObject({ v: z.int(), seq: z.int(), at: z.number(), kind: z.string() }))
      .describe("As the journal keeps them; at most 1000, and the last where there are none"),
  }),
);

/** Which text of a run is asked for. */
export const runTextQuery = z.strictObject({ digest: z.string() });

/** A text that a run's facts name. */
export const runText = name("RunText", z.object({ text: z.string() }));

/** A page of runs. */
export const runPage = name(
  "RunPage",
  z.object({
    runs: z.array(runSummary),
    next_page_token: z.string().describe("Empty: there are no more"),
  }),
);

/** How many runs stand how. */
export const runCounts = name("RunCounts", z.record(runStatus, z.int()));

/** One event, as the data of a server-sent event. */
export const event = name(
  "Event",
  z.looseObject({ run_id: z.string(), seq: z.int(), at: time, kind: z.string() }),
);

/** A step of a definition. */
export const stepNode = name(
  "StepNode",
  z.looseObject({ path: z.string(), id: z.string(), kind: z.string() }).describe(
    "With call, detail, when, needs, pivot, compensate; groups and catches hold the steps inside it",
  ),
);

/** What a run was started with. */
export const runDefinition = name(
  "RunDefinition",
  z.object({
    workflow: z.string(),
    version: z.string().nullable(),
    input: json,
    steps: z.array(stepNode),
  }),
);

/** One thing to mend in a file. */
const problem = name(
  "Problem",
  z.object({
    severity: z.enum(["error", "warning"]),
    code: z.string(),
    message: z.string(),
    file: z.string().nullable(),
    line: z.int().nullable(),
    column: z.int().nullable(),
  }),
);

/** What is wrong with a workflow. */
export const problems = name("Problems", z.object({ problems: z.array(problem) }));

const workflowSummary = z.object({
  name: z.string(),
  version: z.string().nullable(),
  description: z.string().nullable(),
  file: z.string(),
  startable: z.boolean(),
  problems: z.array(problem),
  loaded_at: time.nullable(),
  schedule: z.object({
    cron: z.string(),
    timezone: z.string(),
    overlap: z.enum(["skip", "allow"]),
    next_times: z.array(time),
  }).nullable(),
});

/** Every workflow there is. */
export const workflows = name(
  "Workflows",
  z.object({ workflows: z.array(name("WorkflowSummary", workflowSummary)) }),
);

/** A workflow with what it says. */
export const workflow = name(
  "Workflow",
  workflowSummary.extend({
    text: z.string(),
    input_schema: json,
    steps: z.array(stepNode),
  }),
);

/** A breaker. */
export const service = name(
  "Service",
  z.object({
    id: z.string(),
    service: z.string(),
    endpoint: z.string(),
    method: z.string().nullable(),
    state: z.string(),
    open_until: time.nullable(),
    window: z.object({ calls: z.int(), failures: z.int(), slow: z.int() }),
    waiting: z.int(),
    in_flight: z.int(),
    queued: z.int(),
    calls: z.object({
      made: z.int(),
      failed: z.int(),
      p50_ms: z.number().nullable(),
      p99_ms: z.number().nullable(),
    }),
    serving: z.boolean().nullable(),
  }),
);

/** Every breaker there is. */
export const services = name("Services", z.object({ services: z.array(service) }));
