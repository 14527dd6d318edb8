import { MaestroError } from "../errors.ts";
import type { ChildRun } from "../machines/board.ts";
import { earliest } from "../machines/call_moves.ts";
import type { Fact } from "../machines/facts.ts";
import type { Workflow } from "../workflow/model.ts";
import { toJson } from "../workflow/value.ts";
import { Beginnings } from "./beginnings.ts";
import { systemClock } from "./clock.ts";
import { type Command, notActive, perform } from "./commands.ts";
import { definitionOf } from "./definition.ts";
import type { Claim, Clock, KeptText, NewRun } from "./doors.ts";
import type { EngineOptions, RunOrigin } from "./engine_options.ts";
import type { Happening } from "./happening.ts";
import { isChildId } from "./ids.ts";
import { envText } from "./kept_texts.ts";
import { LiveRun, type LiveRunOptions } from "./live_run.ts";
import { type RunStart, runStarted } from "./run_start.ts";
import { Seat } from "./seat.ts";
import type { Breaker, ServiceLoad } from "./services.ts";
import { Shown } from "./shown.ts";
import { type Sleeper, Sleepers } from "./sleepers.ts";
import { endpointsFor, validInput } from "./start_checks.ts";
import { tellStillParked } from "./still_parked.ts";
import { StoredFacts } from "./stored_facts.ts";
import { foldOf } from "./stored_runs.ts";
import { type Reach, Surroundings, typesOf } from "./surroundings.ts";
import { Watchdog } from "./watchdog.ts";

/** How often it is looked whether a child run has come, in milliseconds. */
const LOOK_EVERY = 20;

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

/** The runs that one engine has: awake, asleep, or on their way. */
export class Roster {
  readonly #options: EngineOptions;
  readonly #clock: Clock;
  readonly #owner: string;
  readonly #watchdog: Watchdog;
  readonly #surroundings: Surroundings;
  readonly #beginnings: Beginnings;
  /** The facts of the runs that are stored. */
  readonly facts: StoredFacts;
  /** By id, those that are awake. What has gone is taken out of its holder too: see {@linkcode Bag}. */
  readonly #live = new Map<string, { run: LiveRun | null }>();
  #underWay = 0;
  readonly #sleepers: Sleepers;
  /** The ids of root runs that were stopped here before their end. */
  readonly #stopped = new Set<string>();
  readonly #resuming = new Map<string, Promise<LiveRun>>();
  /** Those who wait until nothing is under way. */
  #waiting: (() => void)[] = [];
  #isClosed = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#owner = options.owner ?? crypto.randomUUID();
    this.#watchdog = new Watchdog(this.#clock);
    this.#surroundings = new Surroundings(options, this.#clock);
    const { caller, journal } = options;
    this.#beginnings = new Beginnings(journal);
    this.facts = new StoredFacts(journal, caller.types?.bind(caller), this.#beginnings);
    this.#sleepers = new Sleepers(this.#clock, (sleeper) => this.#wakeUp(sleeper));
  }

  /** Every breaker there is by now. */
  breakers(): readonly Breaker[] {
    return this.#surroundings.breakers();
  }

  /** What every service has to do now. */
  serviceLoads(): readonly ServiceLoad[] {
    return this.#surroundings.serviceLoads();
  }

  /** A run that is awake. */
  awake(runId: string): LiveRun | null {
    return this.#live.get(runId)?.run ?? null;
  }

  /** How many runs are awake, child runs not counted. */
  get underWay(): number {
    return this.#underWay;
  }

  /** The place of a run that is to be here. */
  seatOf(
    runId: string,
    workflow: Workflow,
    { correlationId, traceparent }: RunOrigin,
    hear?: (event: Happening) => void,
  ): Seat {
    const { onHappening: onAny, onStopped } = this.#options;
    const origin = { correlationId, traceparent };
    const onHappening = onAny && ((event: Happening) => onAny(runId, workflow, event, origin));
    return new Seat(runId, hear ?? null, { onHappening, onStopped });
  }

  /**
   * Takes over every run that is open and that no live process has. Those that only wait sleep on.
   *
   * @param onFailed hears of a run that can't go on; without it, the first such run ends the whole
   * @returns those that are awake, oldest first, and how many sleep
   */
  async adopt(
    onFailed?: (runId: string, error: MaestroError) => void,
  ): Promise<{ readonly awake: readonly LiveRun[]; readonly sleeping: number }> {
    const awake: LiveRun[] = [];
    let sleeping = 0;
    for await (const { claim, status, sleepsUntil } of this.#options.journal.adopt(this.#owner)) {
      const { runId } = claim;
      if (this.#live.has(runId) || this.#sleepers.has(runId)) continue;
      if (status === "running" && sleepsUntil !== undefined) {
        this.#sleepers.add({ claim, dueAt: sleepsUntil, parked: false, hold: null });
        sleeping++;
        continue;
      }
      try {
        // What this engine has stopped may have had a write under way: that one's claim must end.
        const held = this.#stopped.delete(runId) ? undefined : { claim };
        const live = await this.#once(runId, () => this.#resume(runId, held));
        if (!live.hadEnded) awake.push(live);
      } catch (thrown) {
        const error = MaestroError.from(thrown);
        if (error.code === "RUN_NOT_FOUND") continue; // the power was cut before its first fact
        if (onFailed === undefined || error.code === "ENGINE_CLOSED") throw error;
        onFailed(runId, error);
      }
    }
    return { awake, sleeping };
  }

  /** Resolves once every run that is here has ended, or waits for an operator. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#look();
    });
  }

  /** Starts a run, in the place that it is to have. */
  async begin(workflow: Workflow, seat: Seat, start: RunStart): Promise<LiveRun> {
    const runId = seat.id;
    const env = this.#surroundings.envOf(workflow);
    const reach = await this.#surroundings.of(workflow, env, start.endpoints);
    const { schemas } = reach;
    const definition = definitionOf(workflow);
    this.checkOpen();
    const claim = await this.#place({
      runId,
      workflow: workflow.name,
      version: workflow.version,
      correlationId: start.correlationId,
      texts: [definition, envText(env), ...schemas.values()],
    });
    const live = this.#makeLive(workflow, claim, seat, reach, new Map(schemas), []);
    live.ledger.record(runStarted(runId, workflow, { env, schemas, ...start }));
    live.go();
    return live;
  }

  #makeLive(
    workflow: Workflow,
    claim: Claim,
    seat: Seat,
    reach: Reach,
    kept: Map<string, KeptText>,
    facts: readonly Fact[],
  ): LiveRun {
    const { journal, caller, random = Math.random, inspect, traceparent } = this.#options;
    const { runId } = claim;
    const options: LiveRunOptions = {
      workflow,
      claim,
      state: foldOf(facts),
      shown: new Shown(facts),
      ...reach,
      kept,
      journal,
      caller,
      clock: this.#clock,
      random,
      secrets: this.#surroundings.secrets,
      traceparent,
      watchdog: this.#watchdog,
      inspect,
      seat,
      maySleep: !isChildId(runId),
      children: {
        start: (id, child) => this.#startChild(id, child, options),
        rollBack: (id) => this.#rollBackChild(id),
      },
      onGone: () => {
        if (seat.stopped !== null && !isChildId(runId)) this.#stopped.add(runId);
        this.#forget(runId);
      },
      onAsleep: (hold, dueAt, parked) => {
        this.#sleepers.add({ claim, dueAt, parked, hold });
        this.#forget(runId);
      },
      onRest: () => this.#look(),
    };
    const live = new LiveRun(options);
    this.#live.set(runId, { run: live });
    if (!isChildId(runId)) this.#underWay++;
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
    return await this.begin(workflow, this.seatOf(id, workflow, started), {
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
      if (!isChildId(run.runId) || MaestroError.from(thrown).code !== "RUN_EXISTS") throw thrown;
      const claim = await journal.claim(run.runId, this.#owner);
      for (const text of run.texts) await journal.keep(claim, text);
      return claim;
    }
  }

  /** A run from its facts, whether it has ended or not. */
  takeUp(id: string, hear?: (event: Happening) => void): Promise<LiveRun> {
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
    const reach = await this.#surroundings.of(workflow, started.env, started.endpoints, schemas);
    const rest = await this.facts.decode(id, stored.slice(1), typesOf(reach));
    this.checkOpen();
    const seat = held?.seat ?? this.seatOf(id, workflow, started, hear);
    const found = [...reach.schemas].filter(([service]) => !schemas.has(service));
    const kept = new Map([...schemas, ...found]);
    const facts = [started, ...rest];
    const live = this.#makeLive(workflow, claim, seat, reach, kept, facts);
    if (live.ended === null) {
      const { onStillParked } = this.#options;
      const hasSlept = held?.seat !== undefined; // then it was told when it was parked
      if (onStillParked && !hasSlept) tellStillParked(onStillParked, id, workflow, started, facts);
      live.go();
      live.dozeLater();
      for (const [service, schema] of found) void live.keepSchema(service, schema);
    } else this.#forget(id);
    return live;
  }

  async #rollBackChild(id: string): Promise<LiveRun> {
    const live = await this.takeUp(id);
    if (live.rollBack()) this.#live.set(id, { run: live });
    return live;
  }

  /** Does what is wanted of a run that is here, awake or asleep; resolves once that is durable. */
  async act(runId: string, command: Command): Promise<void> {
    const sleeper = this.#sleepers.take(runId);
    if (sleeper !== undefined) await this.#once(runId, () => this.#awaken(sleeper));
    const live = this.#live.get(runId)?.run ?? await this.#arrival(runId);
    if (live === null) {
      if (command.kind === "cancel") return; // there is nothing to stop
      const { status } = await this.#options.journal.find(runId);
      throw notActive(runId, status);
    }
    await perform(live, command).ledger.durable();
  }

  /** A run that is on its way here: a child run is taken up by its parent, a moment later. `null`: it is not. */
  async #arrival(runId: string): Promise<LiveRun | null> {
    const resuming = this.#resuming.get(runId);
    if (resuming !== undefined) return await resuming;
    if (!isChildId(runId)) return null;
    for (let waited = 0; waited < ARRIVES_WITHIN; waited += LOOK_EVERY) {
      const live = this.#live.get(runId)?.run;
      if (live) return live;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
    }
    return null;
  }

  /** A run's moment is near. */
  #wakeUp(sleeper: Sleeper): Promise<LiveRun> {
    return this.#once(sleeper.claim.runId, () => this.#awaken(sleeper));
  }

  async #awaken(sleeper: Sleeper, hear?: (event: Happening) => void): Promise<LiveRun> {
    const { claim, hold } = sleeper;
    const seat = hold?.seat ?? null;
    try {
      return await this.#resume(claim.runId, { claim, seat }, hear);
    } catch (thrown) {
      const error = MaestroError.from(thrown);
      // Such as a secret that is not there now.
      if (PASSING.has(error.code)) {
        if (!sleeper.told) this.#options.onStopped?.(claim.runId, error);
        // Who waits until nothing is under way does not wait for what an operator has to bring.
        const dueAt = this.#clock.now() + WAKE_AGAIN;
        this.#sleepers.add({ ...sleeper, dueAt, parked: true, told: true });
      } else if (error.code !== "ENGINE_CLOSED") {
        this.#stopAsleep(sleeper, error);
      }
      throw error;
    }
  }

  #stopAsleep({ claim, hold }: Sleeper, error: MaestroError): void {
    const seat = hold?.seat ?? null;
    if (seat === null) this.#options.onStopped?.(claim.runId, error);
    else seat.stop(error);
  }

  /** @throws {MaestroError} `ENGINE_CLOSED` */
  checkOpen(): void {
    if (this.#isClosed) throw new MaestroError("ENGINE_CLOSED", "The engine is closed");
  }

  /** Stops every run where it stands, resumable. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const error = new MaestroError(
      "ENGINE_CLOSED",
      "The engine was closed; the run can be resumed",
    );
    const runs = [...this.#live.values()].flatMap(({ run }) => run ?? []);
    await Promise.allSettled(runs.map((live) => live.ledger.durable())); // the moment's facts still reach the store
    for (const live of runs) live.stop(error);
    for (const sleeper of this.#sleepers.clear()) this.#stopAsleep(sleeper, error);
    for (const resolve of this.#waiting) resolve();
    this.#surroundings.close();
  }

  #forget(runId: string): void {
    const holder = this.#live.get(runId);
    if (holder !== undefined) holder.run = null;
    if (this.#live.delete(runId) && !isChildId(runId)) {
      this.#underWay--;
      this.#options.onRest?.(runId);
    }
    this.#look();
  }

  /** Tells those who wait, where nothing is under way. */
  #look(): void {
    if (this.#waiting.length === 0 || this.#resuming.size > 0 || this.#sleepers.waiting > 0) return;
    for (const { run } of this.#live.values()) if (run !== null && !run.rests) return;
    for (const resolve of this.#waiting) resolve();
    this.#waiting = [];
  }
}
