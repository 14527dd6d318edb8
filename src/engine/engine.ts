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
import type { Json } from "../workflow/json.ts";
import type { Workflow } from "../workflow/model.ts";
import { toJson } from "../workflow/value.ts";
import { readSecret } from "./attempts.ts";
import { Beginnings } from "./beginnings.ts";
import { childId } from "./children.ts";
import { systemClock } from "./clock.ts";
import { type Command, perform } from "./commands.ts";
import { definitionOf } from "./definition.ts";
import type {
  Claim,
  Clock,
  CommandAnswer,
  KeptText,
  Method,
  NewRun,
  Posted,
  Secrets,
  Target,
  TypeLookup,
} from "./doors.ts";
import type { EngineOptions, StartOptions } from "./engine_options.ts";
import { decodeFact } from "./fact_codec.ts";
import type { Happening } from "./happening.ts";
import { newRunId, newTraceparent } from "./ids.ts";
import { envText, schemasOf } from "./kept_texts.ts";
import { LiveRun, type LiveRunOptions, type Resolution } from "./live_run.ts";
import { type AttentionReport, reportOf, type RunReport, type RunStatus } from "./report.ts";
import { Run } from "./run.ts";
import { Seat } from "./seat.ts";
import { type Breaker, Services } from "./services.ts";
import { Shown } from "./shown.ts";
import { type Sleeper, Sleepers } from "./sleepers.ts";
import { checkEndpoints, checkId, checkRunId, endpointsFor, validInput } from "./start_checks.ts";
import { targetsOf } from "./targets.ts";
import { Watchdog } from "./watchdog.ts";
import { WorkflowMethods } from "./workflow_methods.ts";

/** How often it is looked whether another process has answered, in milliseconds. */
const ANSWER_EVERY = 50;

/** How long a child run may take to follow its parent, in milliseconds. */
const ARRIVES_WITHIN = 1_000;

/** How much later a run is woken that could not be, in milliseconds. */
const WAKE_AGAIN = 10_000;

/** Why a run could not be woken that may be later. */
const PASSING: ReadonlySet<string> = new Set([
  "INPUT_INVALID",
  "EXPRESSION_ERROR",
  "SCHEMA_UNAVAILABLE",
  "WORKFLOW_INVALID",
]);

/** Runs workflows. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #clock: Clock;
  readonly #owner: string;
  readonly #secrets: Secrets;
  readonly #watchdog: Watchdog;
  readonly #services: Services;
  readonly #beginnings: Beginnings;
  /** By id, those that are awake. What has gone is taken out of its holder too: see {@linkcode Bag}. */
  readonly #live = new Map<string, { run: LiveRun | null }>();
  readonly #sleepers: Sleepers;
  readonly #methods: WorkflowMethods;
  readonly #resuming = new Map<string, Promise<LiveRun>>();
  readonly #stopListening: () => void;
  /** Those who wait until nothing is under way. */
  #waiting: (() => void)[] = [];
  #closing: Promise<void> | null = null;

  /** Mostly made by {@linkcode openEngine}, which puts the doors in place. */
  constructor(options: EngineOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#watchdog = new Watchdog(this.#clock);
    this.#owner = options.owner ?? crypto.randomUUID();
    this.#secrets = options.secrets ?? { read: () => Promise.resolve(undefined) };
    const { caller, inspect, journal } = options;
    this.#methods = new WorkflowMethods(caller, this.#clock);
    this.#services = new Services({ caller, clock: this.#clock, inspect });
    this.#beginnings = new Beginnings(journal);
    this.#sleepers = new Sleepers(this.#clock, (sleeper) => this.#wakeUp(sleeper));
    this.#stopListening = journal.listen((posted) => this.#perform(posted));
  }

  /**
   * Starts a run; that it has started is durable when this resolves. Nothing has been called when it
   * throws.
   *
   * @throws {MaestroError} `INPUT_INVALID`, `WORKFLOW_INVALID` (a method is missing or ambiguous),
   * `USAGE` (an id or endpoint that can't be one), `RUN_EXISTS`, `STORE_FAILED`, `ENGINE_CLOSED`
   */
  async start(workflow: Workflow, options: StartOptions = {}): Promise<Run> {
    this.#checkOpen();
    const input = await validInput(workflow, options.input ?? {});
    const endpoints = checkEndpoints(workflow, options.endpoints ?? {});
    const runId = checkRunId(options.runId ?? newRunId(this.#clock.now()));
    const correlationId = checkId("correlation id", options.correlationId ?? runId);
    const seat = this.#seatOf(runId, workflow, options.onHappening);
    const timeout = options.timeout ?? workflow.timeout;
    const now = this.#clock.now();
    const live = await this.#begin(workflow, seat, {
      correlationId,
      traceparent: options.traceparent ?? newTraceparent(),
      input,
      endpoints,
      deadline: timeout === null ? null : now + timeout,
    });
    await live.ledger.durable();
    return this.#runOf(seat);
  }

  /**
   * Goes on with a run from its facts: what is done is not done again.
   *
   * @throws {MaestroError} `RUN_NOT_FOUND`, `RUN_NOT_ACTIVE` (it has ended), `RUN_OWNED` (a live
   * process has it), `STORE_FAILED`, `ENGINE_CLOSED`
   */
  async resume(runId: string, onHappening?: (event: Happening) => void): Promise<Run> {
    this.#checkOpen();
    const live = await this.#takeUp(runId, onHappening);
    if (!live.hadEnded) return this.#runOf(live.seat);
    throw hasEnded(runId, live.report().status);
  }

  /**
   * Goes on with every run that has begun and not ended, and that no live process has. Those that only
   * wait, for long, sleep on: they wake at their moment, and cost next to nothing until then.
   *
   * @param onFailed hears of a run that can't go on; without it, the first such run ends the whole
   * @returns those that do something or wait for an operator, oldest first, and how many sleep
   */
  async resumeAll(
    onFailed?: (runId: string, error: MaestroError) => void,
  ): Promise<{ readonly runs: readonly Run[]; readonly sleeping: number }> {
    this.#checkOpen();
    const runs: Run[] = [];
    let sleeping = 0;
    for await (const { claim, status, sleepsUntil } of this.#options.journal.adopt(this.#owner)) {
      const { runId } = claim;
      if (this.#live.has(runId) || this.#sleepers.has(runId)) continue;
      if (status === "running" && sleepsUntil !== undefined) {
        this.#sleepers.add({ claim, dueAt: sleepsUntil, parked: false, seat: null });
        sleeping++;
        continue;
      }
      try {
        const live = await this.#once(runId, () => this.#resume(runId, { claim }));
        if (!live.hadEnded) runs.push(this.#runOf(live.seat));
      } catch (thrown) {
        const error = MaestroError.from(thrown);
        if (error.code === "RUN_NOT_FOUND") continue; // the power was cut before its first fact
        if (onFailed === undefined || error.code === "ENGINE_CLOSED") throw error;
        onFailed(runId, error);
      }
    }
    return { runs, sleeping };
  }

  /** Resolves once every run that this engine has is at its end, or waits for an operator. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#look();
    });
  }

  /**
   * Stops a run and rolls it back; has no effect once it does so. Where a live process has the run, it
   * is asked to; else the run is taken over.
   *
   * @returns the run, to follow it, where it is in this process; else `null`
   * @throws {MaestroError} `RUN_NOT_FOUND`; `RUN_NOT_ACTIVE` past its pivot, after which there is no
   * way back, and once it has ended
   */
  cancel(runId: string, by: string | null = null): Promise<Run | null> {
    return this.#command(runId, { kind: "cancel", by });
  }

  /**
   * Hands a signal in, for an `await_signal` of that name, also one that comes later; wherever the run
   * is, as with {@linkcode Engine.cancel}.
   *
   * @param id tells signals apart: a second one with the same id is none. Default: a new one
   * @throws {MaestroError} `RUN_NOT_FOUND`; `RUN_NOT_ACTIVE` once it has ended
   */
  signal(
    runId: string,
    name: string,
    payload: Json = {},
    id: string = crypto.randomUUID(),
  ): Promise<Run | null> {
    return this.#command(runId, { kind: "signal", name, payload, id });
  }

  /**
   * Gets a parked step going again, wherever the run is, as with {@linkcode Engine.cancel}.
   *
   * @throws {MaestroError} `RUN_NOT_FOUND`; `RUN_NOT_ACTIVE` where no such step waits for an operator
   */
  resolve(runId: string, resolution: Resolution): Promise<Run | null> {
    const id = resolution.id ?? crypto.randomUUID();
    return this.#command(runId, { kind: "resolve", resolution: { ...resolution, id } });
  }

  /** Where a run stands, also after its end, and where another process has it. @throws {MaestroError} `RUN_NOT_FOUND` */
  async report(runId: string): Promise<RunReport> {
    const live = this.#live.get(runId)?.run;
    if (live) return live.report();
    const { state, workflow } = await this.#stored(runId);
    const inChildren: AttentionReport[] = [];
    for (const key of state.underWay) {
      const record = state.records.get(key);
      if (record?.form !== "workflow") continue;
      const { path, revisions } = record;
      const child = await this.report(childId(runId, path, revisions)).catch(() => null);
      for (const one of child?.attention ?? []) {
        inChildren.push({ ...one, step: `${path}/${one.step}` });
      }
    }
    return reportOf(workflow, state, inChildren);
  }

  /**
   * A run's facts so far, those after a number: whoever has the run.
   *
   * @throws {MaestroError} `RUN_NOT_FOUND`
   */
  async *facts(runId: string, after = 0): AsyncIterable<Fact> {
    for await (const stored of this.#options.journal.read(runId, after)) {
      if (stored.seq === 1) yield (await this.#beginnings.of(runId, [stored])).started;
      else yield decodeFact(stored, () => undefined);
    }
  }

  /** What a stored run began with. @throws {MaestroError} `RUN_NOT_FOUND` */
  async beginning(
    runId: string,
  ): Promise<{ readonly definition: string; readonly input: Json; readonly workflow: Workflow }> {
    const { started, workflow } = (await this.#stored(runId)).beginning;
    return { definition: started.definition, input: toJson(started.input), workflow };
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
    this.#stopListening();
    const runs = [...this.#live.values()].flatMap(({ run }) => run ?? []);
    await Promise.allSettled(runs.map((live) => live.ledger.durable())); // the moment's facts still reach the store
    for (const live of runs) live.stop(error);
    for (const { seat } of this.#sleepers.clear()) seat?.stop(error);
    for (const resolve of this.#waiting) resolve();
    this.#services.close();
    await this.#options.caller.close();
    await this.#options.journal.close();
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw new MaestroError("ENGINE_CLOSED", "The engine is closed");
  }

  #runOf(seat: Seat): Run {
    return new Run(seat, this.#options.journal, (command) => this.#act(seat.id, command));
  }

  #seatOf(runId: string, workflow: Workflow, hear?: (event: Happening) => void): Seat {
    const { onHappening: onAny, onStopped } = this.#options;
    if (onAny === undefined) return new Seat(runId, hear ?? null, onStopped);
    return new Seat(runId, (event) => {
      onAny(runId, workflow, event);
      hear?.(event);
    }, onStopped);
  }

  /** Does what is wanted of a run, wherever it is. */
  async #command(runId: string, command: Command): Promise<Run | null> {
    this.#checkOpen();
    const { journal } = this.#options;
    let number: number | null = null;
    for (;;) {
      const { status, endedAt } = await journal.find(runId);
      if (endedAt !== null) throw hasEnded(runId, status);
      const rootId = rootOf(runId);
      const live = await this.#takeUp(rootId).catch((thrown) => {
        if (MaestroError.from(thrown).code !== "RUN_OWNED") throw thrown;
        return null;
      });
      if (live !== null && number === null) {
        await this.#act(runId, command);
        return this.#runOf(live.seat);
      }
      number ??= await journal.post(runId, command as unknown as Json);
      const answer = await this.#answerTo(number);
      if (answer === undefined) continue; // whoever has the run may have died
      if (answer !== "done") throw new MaestroError(answer.code, answer.message);
      return live === null ? null : this.#runOf(live.seat);
    }
  }

  /** What became of a command, as far as that is known within a second. */
  async #answerTo(number: number): Promise<CommandAnswer | undefined> {
    for (let waited = 0; waited < 1_000; waited += ANSWER_EVERY) {
      await new Promise((resolve) => setTimeout(resolve, ANSWER_EVERY));
      this.#checkOpen();
      const answer = await this.#options.journal.answerTo(number);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  /** Does what another process has asked for. */
  async #perform({ number, runId, command }: Posted): Promise<void> {
    const { journal } = this.#options;
    try {
      await this.#takeUp(rootOf(runId));
      await this.#act(runId, command as unknown as Command);
      await journal.answer(number, "done");
    } catch (thrown) {
      const { code, message } = MaestroError.from(thrown);
      // Who takes the run over hears of it again.
      if (code === "ENGINE_CLOSED" || code === "CLAIM_LOST" || code === "STORE_FAILED") return;
      await journal.answer(number, { code, message }).catch(() => {});
    }
  }

  /** Does what is wanted of a run that is here, awake or asleep; resolves once that is durable. */
  async #act(runId: string, command: Command): Promise<void> {
    const sleeper = this.#sleepers.take(runId);
    if (sleeper !== undefined) await this.#once(runId, () => this.#awaken(sleeper));
    const live = this.#live.get(runId)?.run ?? await this.#arrival(runId);
    if (live === null) {
      if (command.kind === "cancel") return; // there is nothing to stop
      const { status } = await this.#options.journal.find(runId);
      throw hasEnded(runId, status);
    }
    perform(live, command);
    await live.ledger.durable();
  }

  /** A run that is on its way here: a child run is taken up by its parent, a moment later. `null`: it is not. */
  async #arrival(runId: string): Promise<LiveRun | null> {
    const resuming = this.#resuming.get(runId);
    if (resuming !== undefined) return await resuming;
    if (rootOf(runId) === runId) return null;
    for (let waited = 0; waited < ARRIVES_WITHIN; waited += ANSWER_EVERY) {
      const live = this.#live.get(runId)?.run;
      if (live) return live;
      await new Promise((resolve) => setTimeout(resolve, ANSWER_EVERY));
    }
    return null;
  }

  /** A run's moment is near. */
  #wakeUp(sleeper: Sleeper): void {
    const { runId } = sleeper.claim;
    this.#once(runId, () => this.#awaken(sleeper)).catch(() => {}); // it was told, or is tried again
  }

  async #awaken(sleeper: Sleeper, hear?: (event: Happening) => void): Promise<LiveRun> {
    const { claim, seat } = sleeper;
    try {
      return await this.#resume(claim.runId, sleeper, hear);
    } catch (thrown) {
      const error = MaestroError.from(thrown);
      // Such as a secret that is not there now.
      if (PASSING.has(error.code)) {
        this.#sleepers.add({ ...sleeper, dueAt: this.#clock.now() + WAKE_AGAIN });
      } else if (error.code !== "ENGINE_CLOSED") {
        if (seat === null) this.#options.onStopped?.(claim.runId, error);
        else seat.stop(error);
      }
      throw error;
    }
  }

  /** Tells those who wait, where nothing is under way. */
  #look(): void {
    if (this.#waiting.length === 0 || this.#resuming.size > 0 || this.#sleepers.waiting > 0) return;
    for (const { run } of this.#live.values()) if (run !== null && !run.rests) return;
    for (const resolve of this.#waiting) resolve();
    this.#waiting = [];
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

  /** Starts a run, in the place that it is to have. */
  async #begin(workflow: Workflow, seat: Seat, start: RunStart): Promise<LiveRun> {
    const runId = seat.id;
    const env = this.#envOf(workflow);
    const targets = await this.#targets(workflow, env, start.endpoints);
    const methods = await this.#methods.of(workflow, targets);
    const definition = definitionOf(workflow);
    const schemas = schemasOf(methods);
    this.#checkOpen();
    const claim = await this.#place({
      runId,
      workflow: workflow.name,
      version: workflow.version,
      correlationId: start.correlationId,
      at: this.#clock.now(),
      texts: [definition, envText(env), ...schemas.values()],
    });
    const live = this.#makeLive(workflow, claim, seat, {
      targets,
      methods,
      kept: new Map(schemas),
      facts: [],
    });
    live.ledger.record({
      kind: "run_started",
      runId,
      workflow: workflow.name,
      version: workflow.version,
      definition: definition.digest,
      env,
      schemas: Object.fromEntries([...schemas].map(([name, { digest }]) => [name, digest])),
      ...start,
    });
    live.go();
    return live;
  }

  #makeLive(
    workflow: Workflow,
    claim: Claim,
    seat: Seat,
    { targets, methods, kept, facts }: {
      readonly targets: ReadonlyMap<string, Target>;
      readonly methods: Map<string, Method>;
      readonly kept: Map<string, KeptText>;
      readonly facts: readonly Fact[];
    },
  ): LiveRun {
    const { journal, caller, random = Math.random, inspect, traceparent } = this.#options;
    const { runId } = claim;
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
      kept,
      journal,
      caller,
      clock: this.#clock,
      random,
      secrets: this.#secrets,
      traceparent,
      watchdog: this.#watchdog,
      inspect,
      services,
      seat,
      maySleep: rootOf(runId) === runId,
      children: {
        start: (id, child) => this.#startChild(id, child, options),
        rollBack: (id) => this.#rollBackChild(id),
      },
      onGone: () => this.#forget(runId),
      onAsleep: (dueAt, parked) => {
        this.#sleepers.add({ claim, dueAt, parked, seat });
        this.#forget(runId);
      },
      onRest: () => this.#look(),
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
    const there = await this.#resumeBegun(id);
    if (there !== null) return there;
    const { workflow, deadline } = child;
    const input = await validInput(workflow, toJson(child.input));
    const own = workflow.timeout === null ? null : this.#clock.now() + workflow.timeout;
    return await this.#begin(workflow, this.#seatOf(id, workflow), {
      correlationId: started.correlationId,
      traceparent: started.traceparent,
      input,
      endpoints: endpointsFor(workflow, started.endpoints),
      deadline: earliest(own, deadline),
    });
  }

  /** A child run from its facts; `null` where there are none. */
  async #resumeBegun(id: string): Promise<LiveRun | null> {
    try {
      await this.#options.journal.find(id); // which costs less than a claim that finds nothing
      return await this.#resume(id);
    } catch (thrown) {
      if (MaestroError.from(thrown).code !== "RUN_NOT_FOUND") throw thrown;
      return null;
    }
  }

  /** Makes place for a run. A child's may be there from before the power was cut, without a fact. */
  async #place(run: NewRun): Promise<Claim> {
    const { journal } = this.#options;
    try {
      return await journal.create(run, this.#owner);
    } catch (thrown) {
      const isChild = rootOf(run.runId) !== run.runId;
      if (!isChild || MaestroError.from(thrown).code !== "RUN_EXISTS") throw thrown;
      const claim = await journal.claim(run.runId, this.#owner);
      for (const text of run.texts) await journal.keep(claim, text);
      return claim;
    }
  }

  /** A run from its facts, whether it has ended or not. */
  #takeUp(id: string, hear?: (event: Happening) => void): Promise<LiveRun> {
    return this.#once(id, () => {
      const sleeper = this.#sleepers.take(id);
      return sleeper === undefined
        ? this.#resume(id, undefined, hear)
        : this.#awaken(sleeper, hear);
    });
  }

  /** A run that is here, or is being taken up, or is taken up now: asked for twice at once, it goes on once. */
  #once(id: string, takeUp: () => Promise<LiveRun>): Promise<LiveRun> {
    const here = this.#live.get(id)?.run;
    if (here) return Promise.resolve(here);
    let resuming = this.#resuming.get(id);
    if (resuming === undefined) {
      resuming = takeUp().finally(() => {
        this.#resuming.delete(id);
        this.#look();
      });
      this.#resuming.set(id, resuming);
    }
    return resuming;
  }

  /** @param held the claim, where it is ours already, and the place, where somebody may hold it */
  async #resume(
    id: string,
    held?: { readonly claim: Claim; readonly seat?: Seat | null },
    hear?: (event: Happening) => void,
  ): Promise<LiveRun> {
    const claim = held?.claim ?? await this.#options.journal.claim(id, this.#owner);
    const stored = await Array.fromAsync(this.#options.journal.read(id));
    const { workflow, started, schemas } = await this.#beginnings.of(id, stored);
    const targets = await this.#targets(workflow, started.env, started.endpoints);
    const methods = await this.#methods.of(workflow, targets, schemas);
    this.#checkOpen();
    const rest = stored.slice(1).map((fact) => decodeFact(fact, typesOf(methods)));
    const seat = held?.seat ?? this.#seatOf(id, workflow, hear);
    const found = [...schemasOf(methods)].filter(([service]) => !schemas.has(service));
    const live = this.#makeLive(workflow, claim, seat, {
      targets,
      methods,
      kept: new Map([...schemas, ...found]),
      facts: [started, ...rest],
    });
    if (live.ended === null) {
      live.go();
      for (const [service, schema] of found) void live.keepSchema(service, schema);
    } else this.#forget(id);
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
    this.#look();
  }

  /** A run from what is stored of it, not to go on with. */
  async #stored(runId: string) {
    const stored = await Array.fromAsync(this.#options.journal.read(runId));
    const beginning = await this.#beginnings.of(runId, stored);
    const rest = stored.slice(1).map((fact) => decodeFact(fact, () => undefined));
    return { beginning, workflow: beginning.workflow, state: foldOf([beginning.started, ...rest]) };
  }
}

/** What the one who starts a run decides. */
type RunStart = Pick<
  Extract<Fact, { readonly kind: "run_started" }>,
  "correlationId" | "traceparent" | "input" | "endpoints" | "deadline"
>;

/** The run at the root of a child run's tree; of any other, itself. */
function rootOf(runId: string): string {
  const slash = runId.indexOf("/");
  return slash < 0 ? runId : runId.slice(0, slash);
}

function hasEnded(runId: string, status: RunStatus): MaestroError {
  return new MaestroError("RUN_NOT_ACTIVE", `Run "${runId}" has ended: ${status}`);
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
