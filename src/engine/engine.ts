import type { MaestroError } from "../errors.ts";
import type { Fact } from "../machines/facts.ts";
import type { Json } from "../workflow/json.ts";
import type { Workflow } from "../workflow/model.ts";
import { toJson } from "../workflow/value.ts";
import { systemClock } from "./clock.ts";
import { type Command, notActive } from "./commands.ts";
import type { EngineOptions, StartOptions } from "./engine_options.ts";
import { Errands } from "./errands.ts";
import type { Happening } from "./happening.ts";
import { newRunId, newTraceparent } from "./ids.ts";
import type { Resolution } from "./resolution.ts";
import type { RunReport } from "./report.ts";
import { Roster } from "./roster.ts";
import { Run } from "./run.ts";
import type { Seat } from "./seat.ts";
import type { Breaker, ServiceLoad } from "./services.ts";
import { checkEndpoints, checkId, checkRunId, checkTimeout, validInput } from "./start_checks.ts";
import { StoredRuns } from "./stored_runs.ts";

/** Runs workflows. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #roster: Roster;
  readonly #errands: Errands;
  readonly #stored: StoredRuns;
  #closing: Promise<void> | null = null;

  /** Mostly made by {@linkcode openEngine}, which puts the doors in place. */
  constructor(options: EngineOptions) {
    const { journal } = options;
    this.#options = options;
    this.#roster = new Roster(options);
    this.#errands = new Errands(journal, this.#roster);
    this.#stored = new StoredRuns(journal, this.#roster.facts);
  }

  /**
   * Starts a run; that it has started is durable when this resolves. Nothing has been called when it
   * throws.
   *
   * @throws {MaestroError} `INPUT_INVALID`, `WORKFLOW_INVALID` (a method is missing or ambiguous),
   * `USAGE` (an id or endpoint that can't be one), `RUN_EXISTS`, `STORE_FAILED`, `ENGINE_CLOSED`
   */
  async start(workflow: Workflow, options: StartOptions = {}): Promise<Run> {
    this.#roster.checkOpen();
    const now = (this.#options.clock ?? systemClock).now();
    const input = await validInput(workflow, options.input ?? {});
    const endpoints = checkEndpoints(workflow, options.endpoints ?? {});
    const runId = checkRunId(options.runId ?? newRunId(now));
    const correlationId = checkId("correlation id", options.correlationId ?? runId);
    const origin = { correlationId, traceparent: options.traceparent ?? newTraceparent() };
    const seat = this.#roster.seatOf(runId, workflow, origin, options.onHappening);
    const timeout = checkTimeout(options.timeout) ?? workflow.timeout;
    const live = await this.#roster.begin(workflow, seat, {
      ...origin,
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
    this.#roster.checkOpen();
    const live = await this.#roster.takeUp(runId, onHappening);
    if (!live.hadEnded) return this.#runOf(live.seat);
    throw notActive(runId, live.report().status);
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
    this.#roster.checkOpen();
    const { awake, sleeping } = await this.#roster.adopt(onFailed);
    return { runs: awake.map(({ seat }) => this.#runOf(seat)), sleeping };
  }

  /** Resolves once every run that this engine has is at its end, or waits for an operator. */
  settled(): Promise<void> {
    return this.#roster.settled();
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
    return this.#roster.awake(runId)?.report() ?? await this.#stored.report(runId);
  }

  /**
   * A run's facts so far, those after a number: whoever has the run.
   *
   * @throws {MaestroError} `RUN_NOT_FOUND`
   */
  facts(runId: string, after = 0): AsyncIterable<Fact> {
    return this.#stored.facts(runId, after);
  }

  /** What a stored run began with. @throws {MaestroError} `RUN_NOT_FOUND` */
  async beginning(
    runId: string,
  ): Promise<{ readonly definition: string; readonly input: Json; readonly workflow: Workflow }> {
    const { started, workflow } = await this.#stored.beginning(runId);
    return { definition: started.definition, input: toJson(started.input), workflow };
  }

  /**
   * The circuit breakers of the services that this engine's runs have reached so far, as they stand
   * now. Operators hold a service's calls back with {@linkcode Breaker.forceOpen}, and let them go
   * again with {@linkcode Breaker.reset}.
   */
  breakers(): readonly Breaker[] {
    return this.#roster.breakers();
  }

  /** What each service that this engine's runs have reached so far has to do now, also where it has no breaker. */
  serviceLoads(): readonly ServiceLoad[] {
    return this.#roster.serviceLoads();
  }

  /** How many runs do something now, child runs not counted: none that has ended, sleeps or is parked. */
  get underWay(): number {
    return this.#roster.underWay;
  }

  /** Stops every run where it stands, resumable, and closes the doors. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    this.#errands.close();
    await this.#roster.close();
    await this.#options.caller.close();
    await this.#options.journal.close();
  }

  #runOf(seat: Seat): Run {
    return new Run(seat, this.#options.journal, (command) => this.#roster.act(seat.id, command));
  }

  async #command(runId: string, command: Command): Promise<Run | null> {
    const live = await this.#errands.command(runId, command);
    return live === null ? null : this.#runOf(live.seat);
  }
}
