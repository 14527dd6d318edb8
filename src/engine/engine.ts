/**
 * Documented by its package: for npm's types `deno doc --lint` would have us export all of them.
 *
 * @internal
 */
import { MaestroError } from "../errors.ts";
import type { ChildRun } from "../machines/board.ts";
import { earliest } from "../machines/call_moves.ts";
import type { Fact } from "../machines/facts.ts";
import { applyFact } from "../machines/fold.ts";
import { emptyState, type RunState } from "../machines/records.ts";
import type { Workflow } from "../workflow/model.ts";
import { toJson } from "../workflow/value.ts";
import { readSecret } from "./attempts.ts";
import { systemClock } from "./clock.ts";
import type { Claim, Clock, Method, Secrets, StoredFact, Target, TypeLookup } from "./doors.ts";
import { definitionOf } from "./definition.ts";
import { decodeFact } from "./fact_codec.ts";
import { newRunId, newTraceparent } from "./ids.ts";
import { type Happening, LiveRun, type LiveRunOptions } from "./live_run.ts";
import { reportOf, type RunReport } from "./report.ts";
import { Run } from "./run.ts";
import { type Breaker, Services } from "./services.ts";
import { Shown } from "./shown.ts";
import { targetsOf } from "./targets.ts";
import { Watchdog } from "./watchdog.ts";
import { WorkflowMethods } from "./workflow_methods.ts";
import type { EngineOptions, StartOptions } from "./engine_options.ts";
import { checkEndpoints, checkId, endpointsFor, validInput } from "./start_checks.ts";

/** Runs workflows. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #clock: Clock;
  readonly #owner: string;
  readonly #secrets: Secrets;
  readonly #watchdog: Watchdog;
  readonly #services: Services;
  /** By id. What has gone is taken out of its holder too: see {@linkcode Bag}. */
  readonly #live = new Map<string, { run: LiveRun | null }>();
  readonly #methods: WorkflowMethods;
  readonly #resuming = new Map<string, Promise<LiveRun>>();
  #closing: Promise<void> | null = null;

  /** Mostly made by {@linkcode openEngine}, which puts the doors in place. */
  constructor(options: EngineOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#watchdog = new Watchdog(this.#clock);
    this.#owner = options.owner ?? crypto.randomUUID();
    this.#secrets = options.secrets ?? { read: () => Promise.resolve(undefined) };
    const { caller, inspect } = options;
    this.#methods = new WorkflowMethods(caller, this.#clock);
    this.#services = new Services({ caller, clock: this.#clock, inspect });
  }

  /**
   * Starts a run. Nothing has been called when this throws. That it has started is durable with its
   * first happening, `run_started`.
   *
   * @throws {MaestroError} `INPUT_INVALID`, `WORKFLOW_INVALID` (a method is missing or ambiguous),
   * `USAGE` (an id or endpoint that can't be one), `RUN_EXISTS`, `STORE_FAILED`, `ENGINE_CLOSED`
   */
  async start(workflow: Workflow, options: StartOptions = {}): Promise<Run> {
    this.#checkOpen();
    const { journal } = this.#options;
    const input = await validInput(workflow, options.input ?? {});
    const env = this.#envOf(workflow);
    const endpoints = checkEndpoints(workflow, options.endpoints ?? {});
    const targets = await this.#targets(workflow, env, endpoints);
    const methods = await this.#methods.of(workflow, targets);
    const { digest, text } = definitionOf(workflow);
    await journal.keep(digest, text);
    const runId = checkId("run id", options.runId ?? newRunId(this.#clock.now()));
    const correlationId = checkId("correlation id", options.correlationId ?? runId);
    const claim = await journal.create(runId, this.#owner);
    this.#checkOpen();
    const live = this.#makeLive(workflow, claim, targets, methods, options.onHappening);
    const timeout = options.timeout ?? workflow.timeout;
    live.ledger.record({
      kind: "run_started",
      runId,
      workflow: workflow.name,
      version: workflow.version,
      definition: digest,
      correlationId,
      traceparent: options.traceparent ?? newTraceparent(),
      input,
      env,
      endpoints,
      deadline: timeout === null ? null : this.#clock.now() + timeout,
    });
    live.go();
    return new Run(live, journal);
  }

  /**
   * Goes on with a run from its facts: what is done is not done again.
   *
   * @throws {MaestroError} `RUN_NOT_FOUND`, `RUN_NOT_ACTIVE` (it has ended), `STORE_FAILED`
   */
  async resume(runId: string, onHappening?: (event: Happening) => void): Promise<Run> {
    this.#checkOpen();
    const live = await this.#takeUp(runId, onHappening);
    if (!live.hadEnded) return new Run(live, this.#options.journal);
    throw new MaestroError("RUN_NOT_ACTIVE", `Run "${runId}" has ended: ${live.report().status}`);
  }

  /**
   * Goes on with every run that has begun and not ended, oldest first.
   *
   * @param onFailed hears of a run that can't go on; without it, the first such run ends the whole
   */
  async resumeAll(onFailed?: (runId: string, error: MaestroError) => void): Promise<Run[]> {
    const runs: Run[] = [];
    for await (const runId of this.#options.journal.unfinished()) {
      try {
        runs.push(await this.resume(runId));
      } catch (thrown) {
        const error = MaestroError.from(thrown);
        // It ended meanwhile, or the power was cut before its first fact: there is nothing to do.
        if (error.code === "RUN_NOT_ACTIVE" || error.code === "RUN_NOT_FOUND") continue;
        if (onFailed === undefined || error.code === "ENGINE_CLOSED") throw error;
        onFailed(runId, error);
      }
    }
    return runs;
  }

  /** Where a run stands, also after its end. @throws {MaestroError} `RUN_NOT_FOUND` */
  async report(runId: string): Promise<RunReport> {
    const live = this.#live.get(runId)?.run;
    if (live) return live.report();
    const stored = await Array.fromAsync(this.#options.journal.read(runId));
    const { workflow } = await this.#beginningOf(runId, stored);
    return reportOf(workflow, foldOf(stored.map((fact) => decodeFact(fact, () => undefined))));
  }

  /**
   * The circuit breakers of the services that this engine's runs have reached so far, as they stand
   * now. Operators hold a service's calls back with {@linkcode Breaker.forceOpen}, and let them go
   * again with {@linkcode Breaker.reset}.
   */
  breakers(): readonly Breaker[] {
    return this.#services.breakers();
  }

  /** Stops every run where it stands, resumable, and closes the doors. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    const error = new MaestroError(
      "ENGINE_CLOSED",
      "The engine was closed; the run can be resumed",
    );
    const runs = [...this.#live.values()].flatMap(({ run }) => run ?? []);
    await Promise.allSettled(runs.map((live) => live.ledger.durable())); // the moment's facts still reach the store
    for (const live of runs) live.stop(error);
    this.#services.close();
    await this.#options.caller.close();
    await this.#options.journal.close();
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw new MaestroError("ENGINE_CLOSED", "The engine is closed");
  }

  #envOf({ env }: Workflow): Record<string, string> {
    return Object.fromEntries(env.flatMap((name) => {
      const value = this.#options.env?.(name);
      return value === undefined ? [] : [[name, value]];
    }));
  }

  async #targets(
    workflow: Workflow,
    env: Readonly<Record<string, string>>,
    endpoints: Readonly<Record<string, string>>,
  ): Promise<ReadonlyMap<string, Target>> {
    const secrets: Record<string, string> = {};
    for (const name of workflow.secrets) secrets[name] = await readSecret(this.#secrets, name);
    return targetsOf(workflow, { env, secrets, rotating: this.#secrets, endpoints });
  }

  #makeLive(
    workflow: Workflow,
    claim: Claim,
    targets: ReadonlyMap<string, Target>,
    methods: Map<string, Method>,
    onHappening?: (event: Happening) => void,
    stored: readonly StoredFact[] = [],
  ): LiveRun {
    const { journal, caller, random = Math.random, onHappening: onAny } = this.#options;
    const { runId } = claim;
    const facts = stored.map((fact) => decodeFact(fact, typesOf(methods)));
    const services = new Map(
      [...targets].map(([name, target]) => [name, this.#services.of(target)]),
    );
    const options: LiveRunOptions = {
      workflow,
      claim,
      state: foldOf(facts),
      shown: new Shown(facts),
      targets,
      methods,
      journal,
      caller,
      clock: this.#clock,
      random,
      secrets: this.#secrets,
      watchdog: this.#watchdog,
      inspect: this.#options.inspect,
      services,
      onHappening: onAny === undefined && onHappening === undefined ? null : (event) => {
        onAny?.(runId, workflow, event);
        onHappening?.(event);
      },
      children: {
        start: (id, child) => this.#startChild(id, child, options),
        rollBack: (id) => this.#rollBackChild(id),
      },
      onGone: () => this.#forget(runId),
    };
    const live = new LiveRun(options);
    this.#live.set(runId, { run: live });
    return live;
  }

  /** Starts a child run, or takes it up where it stands; one that has ended is given as it ended. */
  async #startChild(id: string, child: ChildRun, parent: LiveRunOptions): Promise<LiveRun> {
    await this.#resuming.get(id)?.catch(() => {}); // all that is unfinished is taken up, also a child
    return await this.#once(id, () => this.#beginChild(id, child, parent));
  }

  async #beginChild(id: string, child: ChildRun, parent: LiveRunOptions): Promise<LiveRun> {
    const { started } = parent.state;
    if (started === null) {
      throw new MaestroError("INTERNAL", "A run without a beginning has no child");
    }
    const { workflow, deadline } = child;
    const input = await validInput(workflow, toJson(child.input));
    let claim: Claim;
    try {
      claim = await this.#options.journal.create(id, this.#owner);
    } catch (thrown) {
      if (MaestroError.from(thrown).code !== "RUN_EXISTS") throw thrown;
      const there = await this.#resumeBegun(id);
      if (there !== null) return there;
      claim = await this.#options.journal.claim(id, this.#owner);
    }
    const env = this.#envOf(workflow);
    const endpoints = endpointsFor(workflow, started.endpoints);
    const targets = await this.#targets(workflow, env, endpoints);
    const methods = await this.#methods.of(workflow, targets);
    const { digest, text } = definitionOf(workflow);
    await this.#options.journal.keep(digest, text);
    this.#checkOpen();
    const live = this.#makeLive(workflow, claim, targets, methods);
    const own = workflow.timeout === null ? null : this.#clock.now() + workflow.timeout;
    live.ledger.record({
      kind: "run_started",
      runId: id,
      workflow: workflow.name,
      version: workflow.version,
      definition: digest,
      correlationId: started.correlationId,
      traceparent: started.traceparent,
      input,
      env,
      endpoints,
      deadline: earliest(own, deadline),
    });
    live.go();
    return live;
  }

  /** A child run from its facts; `null` where the power was cut before its first. */
  async #resumeBegun(id: string): Promise<LiveRun | null> {
    try {
      return await this.#resume(id);
    } catch (thrown) {
      if (MaestroError.from(thrown).code !== "RUN_NOT_FOUND") throw thrown;
      return null;
    }
  }

  /** A run from its facts, whether it has ended or not. */
  #takeUp(id: string, onHappening?: (event: Happening) => void): Promise<LiveRun> {
    return this.#once(id, () => this.#resume(id, onHappening));
  }

  /** A run that is here, or is being taken up, or is taken up now: asked for twice at once, it goes on once. */
  #once(id: string, takeUp: () => Promise<LiveRun>): Promise<LiveRun> {
    const here = this.#live.get(id)?.run;
    if (here) return Promise.resolve(here);
    let resuming = this.#resuming.get(id);
    if (resuming === undefined) {
      resuming = takeUp().finally(() => this.#resuming.delete(id));
      this.#resuming.set(id, resuming);
    }
    return resuming;
  }

  async #resume(id: string, onHappening?: (event: Happening) => void): Promise<LiveRun> {
    const claim = await this.#options.journal.claim(id, this.#owner);
    const stored = await Array.fromAsync(this.#options.journal.read(id));
    const { workflow, env, endpoints } = await this.#beginningOf(id, stored);
    const targets = await this.#targets(workflow, env, endpoints);
    const methods = await this.#methods.of(workflow, targets);
    this.#checkOpen();
    const live = this.#makeLive(workflow, claim, targets, methods, onHappening, stored);
    if (live.ended === null) live.go();
    else this.#forget(id);
    return live;
  }

  async #rollBackChild(id: string): Promise<LiveRun> {
    const live = await this.#takeUp(id);
    if (live.rollBack()) this.#live.set(id, { run: live });
    return live;
  }

  #forget(runId: string): void {
    const holder = this.#live.get(runId);
    if (holder !== undefined) holder.run = null;
    this.#live.delete(runId);
  }

  async #beginningOf(runId: string, stored: readonly StoredFact[]) {
    const first = stored[0];
    if (first === undefined || first.kind !== "run_started") {
      throw new MaestroError("RUN_NOT_FOUND", `Run "${runId}" never began`);
    }
    const fact = decodeFact(first, () => undefined);
    if (fact.kind !== "run_started") throw new MaestroError("STORE_FAILED", "Cannot happen");
    const text = await this.#options.journal.kept(fact.definition);
    if (text === undefined) {
      throw new MaestroError(
        "STORE_FAILED",
        `The definition of run "${runId}" is not in the store`,
      );
    }
    const workflow: Workflow = JSON.parse(text);
    return { workflow, env: fact.env, endpoints: fact.endpoints };
  }
}

function foldOf(facts: readonly Fact[]): RunState {
  const state = emptyState();
  for (const fact of facts) applyFact(state, fact);
  return state;
}

function typesOf(methods: ReadonlyMap<string, Method>): TypeLookup {
  return (name) => {
    for (const method of methods.values()) {
      const type = method.types(name);
      if (type !== undefined) return type;
    }
    return undefined;
  };
}
