import type { Journal, StoredFact } from "../engine/doors.ts";
import type { Engine } from "../engine/engine.ts";
import type { StartOptions } from "../engine/engine_options.ts";
import type { RunReport, RunStatus } from "../engine/report.ts";
import type { Run } from "../engine/run.ts";
import { runExists } from "../engine/run_exists.ts";
import { RUN_STATUSES } from "../engine/run_statuses.ts";
import { checkRoot, checkRunId, validInput } from "../engine/start_checks.ts";
import { type ReadTypes, StoredFacts } from "../engine/stored_facts.ts";
import { MaestroError } from "../errors.ts";
import { canonicalJson } from "../workflow/digest.ts";
import type { Workflow } from "../workflow/model.ts";
import { type ParsedWorkflow, parseWorkflow } from "../workflow/parse.ts";
import { Admission } from "./admission.ts";
import type { AuditEntry } from "./audit.ts";
import { Deeds } from "./deeds.ts";
import { eventsOfAll, eventsOfRun, type EventSource } from "./events.ts";
import { MomentReader } from "./moment_reader.ts";
import type {
  Caller,
  ListRunsQuery,
  Operations,
  PrunedRuns,
  PruneRunsRequest,
  ResolveStepRequest,
  ResumedRuns,
  RunDefinition,
  RunPage,
  RunSummaryJson,
  ServiceView,
  SignalRunRequest,
  StartRunRequest,
  UnresumedRun,
} from "./operations.ts";
import { durationOf, traceparentOf } from "./request_parts.ts";
import { listRuns } from "./run_list.ts";
import { RunFeed } from "./run_feed.ts";
import { summaryJson } from "./run_summary.ts";
import { breakerOf, breakersById, viewOf } from "./service_views.ts";
import { statusOf } from "./status.ts";
import { stepTree } from "./step_tree.ts";
import { Turns } from "./turns.ts";
import type { WorkflowFolder } from "./workflow_folder.ts";

/** What the operations act on. */
export interface OperationsOptions {
  /** Runs the workflows; it tells the operations of what happens by {@linkcode EngineOperations.wake}. */
  readonly engine: Engine;
  /** The engine's own. */
  readonly journal: Journal;
  /** What can be started. */
  readonly workflows: Pick<WorkflowFolder, "list" | "find" | "detail">;
  /** Reads the messages of services in stored runs. @default they can't be read */
  readonly readTypes?: ReadTypes;
  /** How many runs may be under way at a time. @default 1,000 */
  readonly maxRuns?: number;
  /** Hears of everything that somebody did, or was refused. */
  readonly audit?: (entry: AuditEntry) => void;
}

const NO_RUNS = Object.fromEntries(RUN_STATUSES.map((status) => [status, 0])) as Readonly<
  Record<RunStatus, number> // every status has its number
>;

/** How long a count may be used again, in milliseconds. */
const COUNT_AGAIN = 1_000;

/** Who starts runs by the clock. */
const SCHEDULE: Caller = { name: "schedule", role: "operator" };

/** How many facts are given at once. */
const MOST_FACTS = 1_000;

/** How many problems of a text are told: more would be megabytes, which nobody reads, and many clients refuse. */
const MOST_PROBLEMS = 1_000;

/** How many runs are dropped at once: a request must not go on for minutes. */
const MOST_DROPPED = 5_000;

/** The operations over an engine of this process. */
export class EngineOperations implements Operations {
  readonly #engine: Engine;
  readonly #journal: Journal;
  readonly #workflows: OperationsOptions["workflows"];
  readonly #deeds: Deeds;
  readonly #events: EventSource;
  readonly #admission: Admission;
  /** By run id. */
  readonly #starts = new Turns();
  #counted: { readonly at: number; readonly counts: Promise<Readonly<Record<RunStatus, number>>> } =
    { at: -Infinity, counts: Promise.resolve(NO_RUNS) };

  constructor(options: OperationsOptions) {
    const { engine, journal, workflows, audit, maxRuns = 1_000 } = options;
    this.#engine = engine;
    this.#journal = journal;
    this.#workflows = workflows;
    this.#deeds = new Deeds(audit);
    const facts = new StoredFacts(journal, options.readTypes);
    this.#events = {
      journal,
      feed: new RunFeed(journal),
      facts,
      moments: new MomentReader(journal, facts),
    };
    this.#admission = new Admission(maxRuns, () => engine.underWay);
  }

  /** Something has happened in the engine. */
  wake(): void {
    this.#events.feed.wake();
    this.#admission.look();
  }

  /** How many runs wait to be started. */
  get queued(): number {
    return this.#admission.waiting;
  }

  /** Starts nothing more, and tells nobody anything more. The engine stays open. */
  close(): void {
    this.#admission.close(new MaestroError("ENGINE_CLOSED", "The server is being stopped"));
    this.#events.feed.close();
  }

  async startRun(request: StartRunRequest, who: Caller): Promise<RunReport> {
    this.#deeds.allow(who, "operator", {
      action: "start",
      what: "start runs",
      runId: request.run_id,
    });
    const { input = {}, run_id: runId, correlation_id: correlationId, traceparent } = request;
    const timeout = request.timeout === undefined
      ? undefined
      : durationOf("timeout", request.timeout, 1);
    const options: StartOptions = {
      input,
      ...(runId !== undefined && { runId }),
      ...(correlationId !== undefined && { correlationId }),
      ...(traceparent !== undefined && { traceparent: traceparentOf(traceparent) }),
      ...(timeout !== undefined && { timeout }),
    };
    if (runId === undefined) return await this.#startNew(request, options, who);
    checkRunId(runId);
    // Asked for twice at once, the second finds what the first has made: until then it can't be read.
    return await this.#starts.take(runId, () => this.#startOnce(request, runId, options, who));
  }

  /** Starts a run because its moment has come. @throws {MaestroError} `RUN_EXISTS` where it has its run already */
  async startScheduled(workflow: Workflow, options: StartOptions): Promise<void> {
    await this.#start(workflow, options, SCHEDULE);
  }

  getRun(runId: string): Promise<RunReport> {
    return this.#engine.report(runId);
  }

  async findRun(runId: string): Promise<RunSummaryJson> {
    return summaryJson(await this.#journal.find(runId));
  }

  async runFacts(runId: string, after = 0): Promise<readonly StoredFact[]> {
    const facts: StoredFact[] = [];
    for await (const fact of this.#journal.read(runId, after)) {
      facts.push(fact.kind === "run_started" ? { ...fact, env: "" } : fact);
      if (facts.length === MOST_FACTS) break;
    }
    return facts;
  }

  async runText(runId: string, digest: string): Promise<string> {
    for await (const fact of this.#journal.read(runId)) {
      if (!namesText(fact, digest)) continue;
      const text = await this.#journal.kept(digest);
      if (text !== undefined) return text;
    }
    throw new MaestroError("USAGE", `Run "${runId}" has no text with the digest "${digest}"`);
  }

  async getRunDefinition(runId: string): Promise<RunDefinition> {
    const { workflow, input } = await this.#engine.beginning(runId);
    return {
      workflow: workflow.name,
      version: workflow.version,
      input,
      steps: stepTree(workflow),
    };
  }

  listRuns(query: ListRunsQuery): Promise<RunPage> {
    return listRuns(this.#journal, query);
  }

  countRuns(): Promise<Readonly<Record<RunStatus, number>>> {
    const now = Date.now();
    if (now - this.#counted.at >= COUNT_AGAIN || now < this.#counted.at) {
      const counts = this.#journal.counts().then((counts) => ({ ...NO_RUNS, ...counts }));
      this.#counted = { at: now, counts };
      counts.catch(() => this.#counted = { ...this.#counted, at: -Infinity });
    }
    return this.#counted.counts;
  }

  runEvents(runId: string, options: Parameters<Operations["runEvents"]>[1]) {
    return eventsOfRun(this.#events, runId, options);
  }

  allEvents(options: Parameters<Operations["allEvents"]>[0]) {
    return eventsOfAll(this.#events, options);
  }

  async cancelRun(runId: string, who: Caller): Promise<RunReport> {
    this.#deeds.allow(who, "operator", { action: "cancel", what: "cancel runs", runId });
    await this.#engine.cancel(runId, who.name);
    this.#deeds.record(who, "cancel", runId);
    return await this.#engine.report(runId);
  }

  async signalRun(runId: string, request: SignalRunRequest, who: Caller): Promise<RunReport> {
    this.#deeds.allow(who, "operator", { action: "signal", what: "signal runs", runId });
    const { name, data = {}, signal_id: id = crypto.randomUUID() } = request;
    await this.#engine.signal(runId, name, data, id);
    this.#deeds.record(who, "signal", runId, { signal: name, signal_id: id });
    return await this.#engine.report(runId);
  }

  async resolveStep(runId: string, request: ResolveStepRequest, who: Caller): Promise<RunReport> {
    this.#deeds.allow(who, "operator", { action: "resolve", what: "resolve steps", runId });
    const { resolution_id: id, ...resolution } = request;
    await this.#engine.resolve(runId, {
      ...resolution,
      by: who.name,
      ...(id !== undefined && { id }),
    });
    const { step, action, reason } = request;
    this.#deeds.record(who, "resolve", runId, { step, resolution: action, reason });
    return await this.#engine.report(runId);
  }

  async resumeRun(runId: string, who: Caller): Promise<RunReport> {
    this.#deeds.allow(who, "operator", { action: "resume", what: "resume runs", runId });
    checkRoot(runId);
    await this.#engine.resume(runId);
    this.#deeds.record(who, "resume", runId);
    return await this.#engine.report(runId);
  }

  async resumeRuns(who: Caller): Promise<ResumedRuns> {
    this.#deeds.allow(who, "operator", { action: "resume", what: "resume runs" });
    const failed: UnresumedRun[] = [];
    const { runs, sleeping } = await this.#engine.resumeAll((run_id, error) =>
      failed.push({ run_id, code: error.code, message: statusOf(error).body.message })
    );
    this.#deeds.record(who, "resume", null, {
      resumed: runs.length,
      sleeping,
      failed: failed.length,
    });
    return { resumed: runs.map(({ id }) => id), sleeping, failed };
  }

  async pruneRuns({ older_than: span }: PruneRunsRequest, who: Caller): Promise<PrunedRuns> {
    this.#deeds.allow(who, "admin", { action: "prune", what: "prune runs" });
    const endedBefore = Date.now() - durationOf("older_than", span, 0);
    const dropped = await this.#journal.prune(endedBefore, MOST_DROPPED);
    this.#deeds.record(who, "prune", null, { older_than: span, dropped });
    return { dropped, more: dropped >= MOST_DROPPED };
  }

  validate(text: string): Promise<Pick<ParsedWorkflow, "problems">> {
    const { problems } = parseWorkflow({ file: "workflow.yaml", text });
    return Promise.resolve({ problems: problems.slice(0, MOST_PROBLEMS) });
  }

  listWorkflows() {
    return this.#workflows.list();
  }

  getWorkflow(name: string, version?: string) {
    return this.#workflows.detail(name, version);
  }

  listServices(): readonly ServiceView[] {
    return [...breakersById(this.#engine.breakers())].map(([id, breaker]) => viewOf(id, breaker));
  }

  forceOpen(id: string, who: Caller): ServiceView {
    return this.#turn(id, who, "forceOpen");
  }

  reset(id: string, who: Caller): ServiceView {
    return this.#turn(id, who, "reset");
  }

  async #startOnce(
    request: StartRunRequest,
    runId: string,
    options: StartOptions,
    who: Caller,
  ): Promise<RunReport> {
    // First of all: it is there also where the folder has its workflow no longer.
    if (await runExists(this.#journal, runId)) return await this.#same(request, runId);
    try {
      return await this.#startNew(request, options, who);
    } catch (thrown) {
      if (MaestroError.from(thrown).code !== "RUN_EXISTS") throw thrown;
      return await this.#same(request, runId); // another process was asked at the same time
    }
  }

  async #startNew(
    { workflow, version }: StartRunRequest,
    options: StartOptions,
    who: Caller,
  ): Promise<RunReport> {
    return (await this.#start(this.#workflows.find(workflow, version), options, who)).report();
  }

  async #start(workflow: Workflow, options: StartOptions, who: Caller): Promise<Run> {
    const run = await this.#admission.enter(() => this.#engine.start(workflow, options));
    this.#deeds.record(who, "start", run.id, {
      workflow: workflow.name,
      version: workflow.version,
    });
    return run;
  }

  #turn(id: string, who: Caller, verb: "forceOpen" | "reset"): ServiceView {
    const what = verb === "reset" ? "reset breakers" : "force breakers open";
    this.#deeds.allow(who, "admin", { action: verb, what });
    const breaker = breakerOf(this.#engine.breakers(), id);
    breaker[verb]();
    const { service, endpoint } = breaker;
    this.#deeds.record(who, verb, null, { service_id: id, service, endpoint });
    return viewOf(id, breakerOf(this.#engine.breakers(), id));
  }

  /** Takes a run up that was left open by a process that has died since this server started. */
  async #goOn(runId: string): Promise<void> {
    const { owned, endedAt } = await this.#journal.find(runId);
    if (owned || endedAt !== null) return;
    try {
      await this.#engine.resume(runId);
    } catch (thrown) {
      const { code } = MaestroError.from(thrown);
      if (code !== "RUN_OWNED" && code !== "RUN_NOT_ACTIVE") throw thrown; // another one was faster
    }
  }

  /** The run that there is, if it is what was asked for. */
  async #same(request: StartRunRequest, runId: string): Promise<RunReport> {
    const { workflow, input } = await this.#engine.beginning(runId);
    const given = await validInput(workflow, request.input ?? {}).catch(() => null);
    const isSame = workflow.name === request.workflow &&
      (request.version === undefined || request.version === workflow.version) &&
      given !== null && canonicalJson(given) === canonicalJson(input);
    if (isSame) {
      await this.#goOn(runId);
      return await this.#engine.report(runId);
    }
    throw new MaestroError(
      "RUN_EXISTS",
      `There is a run "${runId}" already, of another workflow, version or input; use another id`,
    );
  }
}

/** Whether a fact names a definition or a schema by this digest: the environment is nobody's business. */
function namesText({ kind, definition, schemas, schema }: StoredFact, digest: string): boolean {
  if (kind === "schema_found") return schema === digest;
  if (kind !== "run_started") return false;
  return definition === digest || Object.values(schemas ?? {}).includes(digest);
}
