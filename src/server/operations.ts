/**
 * What a server can be asked to do: HTTP, gRPC, the page and the schedules all go through this.
 * Names are those of the APIs, which pass these objects on as they are.
 *
 * Every operation throws {@linkcode MaestroError}; `status.ts` has what the APIs make of it.
 *
 * @module
 */
import type { StoredFact } from "../engine/doors.ts";
import type { RunReport, RunStatus } from "../engine/report.ts";
import type { ErrorCode, Problem } from "../errors.ts";
import type { BreakerState } from "../machines/service_events.ts";
import type { Json } from "../workflow/json.ts";
import type { StepNode } from "./step_tree.ts";

/** What somebody may do; each may do all that those before it may. */
export type Role = "viewer" | "operator" | "admin";

/** Who asks. */
export interface Caller {
  /** As the list of tokens has it; for the record. */
  readonly name: string;
  /** `viewer` looks, `operator` acts on runs, `admin` also on services, which all runs share. */
  readonly role: Role;
}

/** How a run is started. */
export interface StartRunRequest {
  /** A workflow's name. */
  readonly workflow: string;
  /** @default the newest version there is */
  readonly version?: string;
  /** @default `{}` */
  readonly input?: Json;
  /** Asked for twice with the same one, a run is started once. @default a new UUID of version 7 */
  readonly run_id?: string;
  /** What services see as `x-correlation-id`. @default the run's id */
  readonly correlation_id?: string;
  /** For the forward part of the run, such as `30s`. @default the workflow's own */
  readonly timeout?: string;
  /** W3C trace context to go on with. @default a new trace */
  readonly traceparent?: string;
}

/** Which runs are listed. */
export interface ListRunsQuery {
  /** Those that stand so. @default all */
  readonly status?: RunStatus;
  /** Those of this workflow. @default all */
  readonly workflow?: string;
  /** Those that started at or after this time, as RFC 3339. @default all */
  readonly since?: string;
  /** Those that started before this time, as RFC 3339. @default all */
  readonly until?: string;
  /** Those with this text in their id or correlation id. @default all */
  readonly text?: string;
  /** At most so many, up to 1,000. @default 50 */
  readonly page_size?: number;
  /** Of the page before, with the same filters. @default the first page */
  readonly page_token?: string;
}

/** A run in a list. Times are RFC 3339. */
export interface RunSummaryJson {
  /** Its id. */
  readonly run_id: string;
  /** Its workflow's name. */
  readonly workflow: string;
  /** Its workflow's version. */
  readonly version: string | null;
  /** What services see as `x-correlation-id`. */
  readonly correlation_id: string;
  /** Where it stands. */
  readonly status: RunStatus;
  /** When its first fact was recorded. */
  readonly started_at: string;
  /** `null` until it has ended. */
  readonly finished_at: string | null;
  /** `null` until it has ended. */
  readonly duration_ms: number | null;
  /** When it goes on by itself, where it only waits for a time. */
  readonly sleeps_until: string | null;
  /** It does nothing until a time, a signal or an operator's word comes. */
  readonly sleeps: boolean;
  /** A live server, or another process, goes on with it. */
  readonly owned: boolean;
}

/** A page of runs, the newest first. */
export interface RunPage {
  /** A page may hold fewer than were asked for, and yet not be the last. */
  readonly runs: readonly RunSummaryJson[];
  /** `""`: there are no more. */
  readonly next_page_token: string;
}

/** One fact of a run, as `--output events` prints it. */
export interface EventJson {
  /** The run's id; of a child run, its parent's, `/` and the path of its step. */
  readonly run_id: string;
  /** 1, 2, 3, … within the run. */
  readonly seq: number;
  /** When it was recorded. */
  readonly at: string;
  /** Such as `run_started`, `attempt_ended`, `attention_raised`. */
  readonly kind: string;
  readonly [key: string]: Json;
}

/** How a parked step is to go on. */
export interface ResolveStepRequest {
  /** The step's path, as the run's `attention` has it. */
  readonly step: string;
  /** `retry` tries again, `skip` leaves it as it is and goes on, `abort` ends the rollback here. */
  readonly action: "retry" | "skip" | "abort";
  /** With `retry`: another request. */
  readonly input?: Json;
  /** With `skip`, where the step itself is parked: what it is taken to have answered. */
  readonly output?: Json;
  /** Why, for the record. */
  readonly reason: string;
  /** Tells resolutions apart: a second one with the same id is none. */
  readonly resolution_id?: string;
}

/** What came of having all go on that was left open. */
export interface ResumedRuns {
  /** The ids of those that go on here now, the oldest first. */
  readonly resumed: readonly string[];
  /** How many more only wait: the server wakes them at their moment. */
  readonly sleeping: number;
  /** Those that can't go on here. */
  readonly failed: readonly UnresumedRun[];
}

/** A run that can't go on here. */
export interface UnresumedRun {
  /** Its id. */
  readonly run_id: string;
  /** Maestro's own code. */
  readonly code: ErrorCode;
  /** Why. */
  readonly message: string;
}

/** Which runs are dropped. */
export interface PruneRunsRequest {
  /** Those that ended longer ago than this, such as `30d`. */
  readonly older_than: string;
}

/** What was dropped. */
export interface PrunedRuns {
  /** How many runs, without their child runs: at most 5,000 at a time. */
  readonly dropped: number;
  /** There may be more to drop: ask again. */
  readonly more: boolean;
}

/** A signal for a run. */
export interface SignalRunRequest {
  /** The name that the run's `await_signal` has. */
  readonly name: string;
  /** @default `{}` */
  readonly data?: Json;
  /** Tells signals apart: a second one with the same id is none. @default a new one */
  readonly signal_id?: string;
}

/** When a workflow starts by itself. */
export interface ScheduleView {
  /** As the file has it. */
  readonly cron: string;
  /** An IANA name. */
  readonly timezone: string;
  /** Whether a run starts while the one before is under way. */
  readonly overlap: "skip" | "allow";
  /** The next few times, as RFC 3339. */
  readonly next_times: readonly string[];
}

/** A workflow that can be started, or that could, were its file mended. */
export interface WorkflowSummary {
  /** Its name; of a file that never was right, the file's. */
  readonly name: string;
  /** `null` where its file says none. */
  readonly version: string | null;
  /** For people. */
  readonly description: string | null;
  /** Where it is, relative to the folder of workflows. */
  readonly file: string;
  /** `false`: its file never was right, so it can't be started. */
  readonly startable: boolean;
  /** What is wrong with the file by now; with an error among it, the last good one is still there. */
  readonly problems: readonly Problem[];
  /** When the good one was read, as RFC 3339; `null` where none was. */
  readonly loaded_at: string | null;
  /** `null`: it is started by hand only. */
  readonly schedule: ScheduleView | null;
}

/** A workflow with what it says. */
export interface WorkflowDetail extends WorkflowSummary {
  /** The file's text: the good one's. */
  readonly text: string;
  /** JSON Schema (2020-12) of a run's input; `null`: any input fits. */
  readonly input_schema: Json;
  /** Its steps, for a graph. */
  readonly steps: readonly StepNode[];
}

/** What one run goes by: the definition that it was started with. */
export interface RunDefinition {
  /** The workflow's name. */
  readonly workflow: string;
  /** The workflow's version. */
  readonly version: string | null;
  /** What the run was started with. */
  readonly input: Json;
  /** Its steps, for a graph. */
  readonly steps: readonly StepNode[];
}

/** A circuit breaker and what is under way behind it. */
export interface ServiceView {
  /** Names it in the operations on it; the same as long as the server lives. */
  readonly id: string;
  /** The service's name in the workflow that reached it first. */
  readonly service: string;
  /** Where it is reached, without secrets. */
  readonly endpoint: string;
  /** With `scope: method`, the method it is for; `null`: all of them. */
  readonly method: string | null;
  /** Whether calls are let through. */
  readonly state: BreakerState;
  /** When an open one lets trial calls through, as RFC 3339; `null`: no timer runs. */
  readonly open_until: string | null;
  /** The results it goes by. */
  readonly window: {
    /** Finished calls, without those that say nothing about the service. */
    readonly calls: number;
    /** Those of them that failed. */
    readonly failures: number;
    /** Those of them that were slow. */
    readonly slow: number;
  };
  /** Calls that wait for the breaker. */
  readonly waiting: number;
  /** Calls that are under way. */
  readonly in_flight: number;
  /** Calls that queue for `max_concurrent` or `rate_limit`. */
  readonly queued: number;
  /** What came of the service's calls since the server first reached it, over all of its methods. */
  readonly calls: {
    /** How many were made. */
    readonly made: number;
    /** Those of them that were not answered with OK. */
    readonly failed: number;
    /** How long half of the latest 256 took at most, in milliseconds; `null`: none was made. */
    readonly p50_ms: number | null;
    /** How long all but the slowest hundredth of them took; `null`: none was made. */
    readonly p99_ms: number | null;
  };
  /** What the service said last of its own health; `null`: nothing, or it is not asked. */
  readonly serving: boolean | null;
}

/** What a server can be asked to do. */
export interface Operations {
  /**
   * Starts a run; it is durable when this resolves. With the id of a run that there is, of the same
   * workflow and input, it gives that one.
   */
  startRun(request: StartRunRequest, who: Caller): Promise<RunReport>;
  /** Where a run stands, also a child run. */
  getRun(runId: string): Promise<RunReport>;
  /** A run in few words, also a child run: cheap, whatever the run has done. */
  findRun(runId: string): Promise<RunSummaryJson>;
  /** What a run was started with. */
  getRunDefinition(runId: string): Promise<RunDefinition>;
  /**
   * A run's facts as the journal keeps them, those after a number, at most 1,000: what programs fold
   * that show a run as this one does. Without the environment that its expressions saw.
   */
  runFacts(runId: string, after?: number): Promise<readonly StoredFact[]>;
  /** A text that a run's facts name by its digest: its definition, or the schema of a service. */
  runText(runId: string, digest: string): Promise<string>;
  /** The runs that fit, the newest first, without child runs. */
  listRuns(query: ListRunsQuery): Promise<RunPage>;
  /** How many runs stand how, without child runs; as of a moment ago. */
  countRuns(): Promise<Readonly<Record<RunStatus, number>>>;
  /**
   * What happens in a run, in order: after a number, first what has happened, then what does. Ends
   * with the run, and when the signal aborts.
   */
  runEvents(
    runId: string,
    options: { readonly after?: number; readonly signal: AbortSignal },
  ): AsyncIterable<EventJson>;
  /**
   * What happens in all runs, in the order in which it became durable.
   *
   * @param options.after the cursor of the last event heard. Default: from now on
   */
  allEvents(
    options: { readonly after?: string; readonly signal: AbortSignal },
  ): AsyncIterable<{ readonly cursor: string; readonly event: EventJson }>;
  /** Stops a run and rolls it back. */
  cancelRun(runId: string, who: Caller): Promise<RunReport>;
  /** Hands a signal in. */
  signalRun(runId: string, request: SignalRunRequest, who: Caller): Promise<RunReport>;
  /** Gets a parked step going again. */
  resolveStep(runId: string, request: ResolveStepRequest, who: Caller): Promise<RunReport>;
  /** Has a run go on here that was left open; one that does so already is left alone. */
  resumeRun(runId: string, who: Caller): Promise<RunReport>;
  /** Has all go on here that was left open, as the server does by itself every minute. */
  resumeRuns(who: Caller): Promise<ResumedRuns>;
  /** Drops runs that ended long ago, with their child runs; never one of which a run is open. */
  pruneRuns(request: PruneRunsRequest, who: Caller): Promise<PrunedRuns>;
  /** Finds every problem of a workflow's text; of very many, the first. */
  validate(text: string): Promise<{ readonly problems: readonly Problem[] }>;
  /** The workflows of the folder, by name and version. */
  listWorkflows(): readonly WorkflowSummary[];
  /** One of them. @param version default: the newest */
  getWorkflow(name: string, version?: string): WorkflowDetail;
  /** The breakers of the services that runs have reached since the server started. */
  listServices(): readonly ServiceView[];
  /** Holds all calls of a service back. @returns how it stands then */
  forceOpen(id: string, who: Caller): ServiceView;
  /** Closes a breaker, whatever its state. @returns how it stands then */
  reset(id: string, who: Caller): ServiceView;
}
