import { type Actor, createActor, type InspectionEvent } from "xstate";
import { MaestroError } from "../errors.ts";
import type { Fact, Op } from "../machines/facts.ts";
import { isLeftToOthers, recordKey, recordOf, type RunState } from "../machines/records.ts";
import { missesPivot, pivotOf } from "../machines/pivot.ts";
import { runMachine } from "../machines/run.ts";
import type { Workflow } from "../workflow/model.ts";
import type { Value } from "../workflow/value.ts";
import { Alarms } from "./alarms.ts";
import { Children, type ChildStarter, type ChildWatcher } from "./children.ts";
import type {
  Caller,
  Claim,
  Clock,
  Journal,
  KeptText,
  Method,
  Secrets,
  Standing,
  Target,
  TracedCall,
} from "./doors.ts";
import { Ledger } from "./ledger.ts";
import { reportOf, type RunReport, statusOf } from "./report.ts";
import type { Resolution } from "./resolution.ts";
import { boardOf } from "./run_board.ts";
import type { Hold, Seat } from "./seat.ts";
import type { ServiceParts } from "./services.ts";
import type { Shown } from "./shown.ts";
import { NAP, sleepsUntil } from "./sleep.ts";
import type { Watchdog } from "./watchdog.ts";

/** What a run is made with. */
export interface LiveRunOptions {
  readonly workflow: Workflow;
  readonly claim: Claim;
  /** Where the run stands. */
  readonly state: RunState;
  /** Where the run stands by the facts that are durable: all that is reported. Begins like `state`. */
  readonly shown: Shown;
  readonly targets: ReadonlyMap<string, Target>;
  readonly methods: Map<string, Method>;
  /** The schemas that its facts name, by service; more are added as they are found. */
  readonly kept: Map<string, KeptText>;
  readonly journal: Journal;
  readonly caller: Caller;
  readonly clock: Clock;
  readonly random: () => number;
  readonly secrets: Secrets;
  /** Gives the trace context of a call; left out: the run's own. */
  readonly traceparent: ((call: TracedCall) => string) | undefined;
  readonly watchdog: Watchdog;
  /** Hears of every actor below the run, as XState's inspection protocol has it. */
  readonly inspect: ((event: InspectionEvent) => void) | undefined;
  /** What is shared of each service, by name. */
  readonly services: ReadonlyMap<string, ServiceParts>;
  /** Those who wait for it and follow it. */
  readonly seat: Seat;
  /** Its actors may go while it only waits; not those of a child run, whose parent is told of what happens. */
  readonly maySleep: boolean;
  /** Makes the runs of its child workflows. */
  readonly children: ChildStarter<LiveRun>;
  /** The run needs no actor any more. */
  readonly onGone: () => void;
  /** The run only waits: its actors are gone, until it is taken up again from its facts. */
  readonly onAsleep: (hold: Hold, dueAt: number | null, parked: boolean) => void;
  /** It has come to rest, or goes on. */
  readonly onRest: () => void;
}

/** Most runs have no parent: they share this. */
const NOBODY: ReadonlySet<never> = new Set();

/** One run under way: its actor, its pen, and those who follow it. */
export class LiveRun {
  /** It had ended when it was taken up: there was nothing to go on with. */
  readonly hadEnded: boolean;
  readonly #options: LiveRunOptions;
  readonly #ledger: Ledger;
  readonly #children: Children<LiveRun>;
  /** The parent run, where there is one. */
  #watchers: ReadonlySet<ChildWatcher> = NOBODY;
  #actor: Actor<typeof runMachine> | null = null;
  /** Takes back that it is to doze. */
  #stayAwake = () => {};
  readonly #alarms: Alarms;

  constructor(options: LiveRunOptions) {
    this.#options = options;
    this.hadEnded = options.shown.ended;
    this.#ledger = new Ledger({
      ...options,
      standing: () => this.#standing(),
      onDurable: (facts) => this.#hear(facts),
      onBroken: (error) => this.stop(error),
    });
    this.#children = new Children(this.id, options.children, {
      changed: () => this.#change(),
      stopped: (error) => this.stop(error),
    }, (callback) => this.#ledger.whenDurable(callback));
    this.#alarms = new Alarms(options.clock);
    options.seat.wake(this);
  }

  /** The run's id. */
  get id(): string {
    return this.#options.claim.runId;
  }

  /** Its place. */
  get seat(): Seat {
    return this.#options.seat;
  }

  /** Adds facts from outside the machines. */
  get ledger(): Ledger {
    return this.#ledger;
  }

  /** Where the run stands, as far as it is durable. */
  report(): RunReport {
    const { workflow, shown, state } = this.#options;
    return reportOf(workflow, shown.upTo(state), this.#children.attention());
  }

  /** Where it stands, once that it has ended is durable; else `null`. */
  get ended(): RunState | null {
    return this.#options.shown.ended ? this.#options.state : null;
  }

  /** A pivot is behind it: a pivot that is only under way may still turn out not to have happened. */
  get hasPivoted(): boolean {
    return this.#options.state.pivot !== null;
  }

  /** The pivot that it, or a child of it, has passed or has under way. */
  get pivot(): string | null {
    const { state, workflow } = this.#options;
    return pivotOf({ state, workflow }) ?? (this.#children.passedPivot ? "a child run" : null);
  }

  /** Tells a parent run what it has to know; the returned function ends that. */
  watch(watcher: ChildWatcher): () => void {
    const { stopped } = this.#options.seat;
    if (stopped !== null) watcher.stopped(stopped);
    this.#watchers = new Set([...this.#watchers, watcher]);
    return () => {
      this.#watchers = new Set([...this.#watchers].filter((other) => other !== watcher));
    };
  }

  /** Keeps the schema of a service that could not be asked before, so that the run goes on with it. */
  async keepSchema(service: string, schema: KeptText): Promise<void> {
    const { journal, claim } = this.#options;
    try {
      await journal.keep(claim, schema);
      this.#ledger.record({ kind: "schema_found", service, schema: schema.digest });
      await this.#ledger.durable();
    } catch (thrown) {
      this.stop(MaestroError.from(thrown, "STORE_FAILED"));
    }
  }

  /** Sets the run in motion, from wherever its facts end. */
  go(): void {
    const { state, inspect } = this.#options;
    if (state.started !== null) this.#options.shown.begin(state.started);
    this.#settle();
    const actor = createActor(runMachine, {
      id: `run:${this.id}`,
      input: {
        board: boardOf(this.#options, {
          ledger: this.#ledger,
          children: this.#children,
          alarms: this.#alarms,
          onSchema: (service, schema) => this.keepSchema(service, schema),
        }),
      },
      ...(inspect && { inspect }),
    });
    this.#actor = actor;
    actor.subscribe({ error: (thrown) => this.stop(MaestroError.from(thrown)) });
    actor.start();
  }

  /**
   * Stops the run and rolls it back. Has no effect once it rolls back or has ended.
   *
   * @throws {MaestroError} `RUN_NOT_ACTIVE` past its pivot, after which there is no way back
   */
  cancel(by: string | null): void {
    if (this.#actor === null || this.#options.state.rollback !== null) return;
    const { pivot } = this;
    if (pivot !== null) {
      throw new MaestroError(
        "RUN_NOT_ACTIVE",
        `Cannot cancel run "${this.id}": it has reached its pivot, "${pivot}", after which there is no way back`,
      );
    }
    this.#actor.send({ type: "cancel", by });
  }

  /**
   * Rolls back a child run that has completed.
   *
   * @returns whether there is something to do: it is under way then
   */
  rollBack(): boolean {
    const { state, shown } = this.#options;
    if (this.#actor !== null) return false; // it does so already
    if (state.rollback === null) {
      this.#goOn();
      shown.reopen();
      this.#ledger.record({ kind: "rollback_started", reason: "parent" });
    } else if (state.end !== null) return false;
    this.go();
    return true;
  }

  /** Hands a signal in; a second one with the same id is none. */
  signal(name: string, payload: Value, id: string): void {
    this.#checkGoing();
    if (this.#actor === null) {
      throw new MaestroError("RUN_NOT_ACTIVE", `Run "${this.id}" has ended: it takes no signals`);
    }
    if (this.#options.state.signalIds?.has(id)) return;
    this.#ledger.record({ kind: "signal_received", name, id, payload });
    this.#actor.send({ type: "signalled" });
  }

  /**
   * Gets a parked step going again.
   *
   * @returns the run in which it is on record: this one, or the child run in which the step is
   * @throws {MaestroError} `RUN_NOT_ACTIVE` where none is parked there; why the run was stopped
   */
  resolve(resolution: Resolution): LiveRun {
    this.#checkGoing();
    const { step, action, input, output, by, reason, id } = resolution;
    if (id !== undefined && this.#options.state.resolutionIds?.has(id)) return this;
    const child = this.#children.find(step);
    if (child !== null) {
      this.#goOn();
      return child.live.resolve({ ...resolution, step: child.rest });
    }
    const op = resolution.op ?? this.#parkedOp(step);
    if (!this.#waitsFor(recordKey(step, op))) {
      throw new MaestroError(
        "RUN_NOT_ACTIVE",
        `No step "${step}" of run "${this.id}" waits for an operator`,
      );
    }
    this.#goOn();
    this.#ledger.record({
      kind: "attention_resolved",
      path: step,
      op,
      action,
      by: by ?? null,
      reason,
      ...(id !== undefined && { id }),
      ...(input !== undefined && { input }),
      ...(output !== undefined && { output }),
    });
    this.#actor?.send({ type: "resolved" });
    return this;
  }

  /** Which call of a step is parked, where it is not said. */
  #parkedOp(step: string): Op {
    const ops = ["compensate", "verify", "action"] as const;
    return ops.find((op) => this.#waitsFor(recordKey(step, op))) ?? "compensate";
  }

  #checkGoing(): void {
    const { stopped } = this.#options.seat;
    if (stopped !== null) throw stopped;
  }

  #goOn(): void {
    this.#options.seat.unsettle();
    this.#options.onRest();
  }

  /** Ends the run's actor where it stands; its facts remain, and it can be resumed from them. */
  stop(error: MaestroError): void {
    if (this.#actor === null) return;
    this.#ledger.abandon(error);
    this.#options.seat.stop(error);
    this.#leave();
    for (const watcher of this.#watchers) watcher.stopped(error);
  }

  #leave(): void {
    this.#stayAwake();
    this.#actor?.stop();
    this.#actor = null;
    this.#options.onGone();
  }

  #hear(facts: readonly Fact[]): void {
    const { shown, seat } = this.#options;
    shown.add(facts);
    const { ended } = shown;
    this.#settle();
    for (const fact of facts) seat.tell(fact);
    if (ended) this.#leave();
    const { workflow } = this.#options;
    const missed = facts.some((fact) => missesPivot(workflow, fact));
    if (missed) this.#actor?.send({ type: "pivot_settled" });
    if (ended || missed || this.#watchers.size > 0 && facts.some(mattersToParents)) {
      this.#tellParents();
    }
    if (this.#options.maySleep && !ended && this.#sleepsUntil !== undefined) {
      queueMicrotask(() => this.#fallAsleep());
    }
  }

  /** Something has changed in a child run. */
  #change(): void {
    this.#noteAttention();
    this.#settle();
    this.#ledger.stand();
    this.#actor?.send({ type: "pivot_settled" });
    this.#tellParents();
  }

  /** Time that a child run waits for an operator counts for nothing here, either. */
  #noteAttention(): void {
    let isNew = false;
    for (const [path, parked] of this.#children.attentions()) {
      const record = recordOf(this.#options.state, path);
      if (record?.status !== "running" || record.childParked === parked) continue;
      this.#ledger.record({ kind: "child_attention", path, op: "action", parked });
      isNew = true;
    }
    if (isNew) this.#actor?.send({ type: "resolved" }); // its blocks look at their clocks
  }

  #tellParents(): void {
    for (const watcher of this.#watchers) watcher.changed();
  }

  #settle(): void {
    if (!this.#options.shown.ended && !this.rests) return;
    this.#options.seat.settle();
    this.#options.onRest();
  }

  #standing(): Standing {
    const { state } = this.#options;
    const isParked = state.end === null && this.#children.parked;
    return {
      status: isParked ? "needs_attention" : statusOf(state),
      endedAt: state.end?.at ?? null,
      sleepsUntil: this.#sleepsUntil,
    };
  }

  /** See {@linkcode Standing}. */
  get #sleepsUntil(): number | null | undefined {
    const { state, clock } = this.#options;
    if (this.#children.size > 0) return undefined;
    return sleepsUntil(state, this.#alarms.next, clock.now());
  }

  /** Lets its actors go after a while, where it only waits then: it may have been woken for nothing. */
  dozeLater(): void {
    const { maySleep, clock } = this.#options;
    if (maySleep) this.#stayAwake = clock.at(clock.now() + NAP, () => this.#fallAsleep());
  }

  #fallAsleep(): void {
    const dueAt = this.#sleepsUntil;
    if (this.#actor === null || !this.#ledger.isIdle || dueAt === undefined) return;
    const report = this.report();
    this.#stayAwake();
    this.#actor?.stop();
    this.#actor = null;
    const hold = this.#options.seat.sleep(report);
    this.#options.onAsleep(hold, dueAt, this.#options.state.attention.size > 0);
  }

  /** Something waits for an operator, durably, and everything else has come to its end or waits too. */
  get rests(): boolean {
    const { state, shown } = this.#options;
    if (state.attention.size === 0 && this.#children.size === 0) return false;
    if (shown.ended || !this.parked || !this.#children.rest) return false;
    for (const key of state.underWay) {
      const record = state.records.get(key);
      if (record === undefined || record.attention !== null || isLeftToOthers(state, record)) {
        continue;
      }
      if (record.form !== "workflow" || !this.#children.isParked(record.path)) return false;
    }
    return true;
  }

  /** Something of it, or of a child of it, waits for an operator, durably. */
  get parked(): boolean {
    for (const key of this.#options.state.attention) if (this.#waitsFor(key)) return true;
    return this.#children.parked;
  }

  #waitsFor(key: string): boolean {
    const { state, shown } = this.#options;
    return state.attention.has(key) && shown.upTo(state).attention.has(key);
  }
}

/** A child run is parked, goes on, or has passed its pivot. */
function mattersToParents(fact: Fact): boolean {
  return fact.kind.startsWith("attention_") || fact.kind === "pivot_passed" ||
    "pivot" in fact && fact.pivot === true;
}
