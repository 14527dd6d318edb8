import { type Actor, createActor, type InspectionEvent } from "xstate";
import { MaestroError } from "../errors.ts";
import type { Board, Notice } from "../machines/board.ts";
import type { Fact, Op } from "../machines/facts.ts";
import { recordKey, recordOf, type RunState, type StepRecord } from "../machines/records.ts";
import { missesPivot, pivotOf } from "../machines/pivot.ts";
import { runMachine } from "../machines/run.ts";
import { startChild } from "../machines/start_child.ts";
import type { Json } from "../workflow/json.ts";
import type { Workflow } from "../workflow/model.ts";
import type { Value } from "../workflow/value.ts";
import { makeAttempt } from "./attempts.ts";
import { Children, type ChildStarter, type ChildWatcher } from "./children.ts";
import type { Caller, Claim, Clock, Journal, Method, Secrets, Target } from "./doors.ts";
import { definitionOf } from "./definition.ts";
import { Ledger } from "./ledger.ts";
import { methodKey } from "./methods.ts";
import { reportOf, type RunReport } from "./report.ts";
import type { ServiceParts } from "./services.ts";
import type { Shown } from "./shown.ts";
import type { Watchdog } from "./watchdog.ts";

/** What happens in a run: its facts, once they are durable, and notices in between. */
export type Happening = Fact | Notice;

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
  readonly journal: Journal;
  readonly caller: Caller;
  readonly clock: Clock;
  readonly random: () => number;
  readonly secrets: Secrets;
  readonly watchdog: Watchdog;
  /** Hears of every actor below the run, as XState's inspection protocol has it. */
  readonly inspect: ((event: InspectionEvent) => void) | undefined;
  /** What is shared of each service, by name. */
  readonly services: ReadonlyMap<string, ServiceParts>;
  /** `null`: nobody listens. */
  readonly onHappening: ((event: Happening) => void) | null;
  /** Makes the runs of its child workflows. */
  readonly children: ChildStarter<LiveRun>;
  /** The run needs no actor any more. */
  readonly onGone: () => void;
}

/** What an operator decides about a parked step. */
export interface Resolution {
  /** The step's path. */
  readonly step: string;
  /** Which of the step's calls is parked. @default the one that is */
  readonly op?: Op;
  /** `retry` tries again; `skip` leaves it undone and goes on; `abort` ends the rollback here. */
  readonly action: "retry" | "skip" | "abort";
  /** With `retry`: another request. */
  readonly input?: Json;
  /** With `skip`, where the action itself is parked: what it is taken to have answered. */
  readonly output?: Json;
  /** Who decided, for the record. */
  readonly by?: string;
  /** Why, for the record. */
  readonly reason: string;
}

/** Most runs are followed by nobody: they share this. */
const NOBODY: ReadonlySet<never> = new Set();

/** One run under way: its actor, its pen, and those who follow it. */
export class LiveRun {
  /** It had ended when it was taken up: there was nothing to go on with. */
  readonly hadEnded: boolean;
  readonly #options: LiveRunOptions;
  readonly #ledger: Ledger;
  #followers: ReadonlySet<(event: Happening) => void> = NOBODY;
  readonly #children: Children<LiveRun>;
  /** The parent run, where there is one. */
  #watchers: ReadonlySet<ChildWatcher> = NOBODY;
  #actor: Actor<typeof runMachine> | null = null;
  #stopped: MaestroError | null = null;
  #settled = Promise.withResolvers<RunReport>();
  /** Those who waited have been told: who waits now is told of what comes. */
  #isSettled = false;

  constructor(options: LiveRunOptions) {
    this.#options = options;
    this.hadEnded = options.shown.ended;
    this.#ledger = new Ledger({
      ...options,
      onDurable: (facts) => this.#hear(facts),
      onBroken: (error) => this.stop(error),
    });
    this.#children = new Children(this.id, options.children, {
      changed: () => this.#change(),
      stopped: (error) => this.stop(error),
    }, (callback) => this.#ledger.whenDurable(callback));
    this.#settled.promise.catch(() => {}); // nobody may be waiting
  }

  /** The run's id. */
  get id(): string {
    return this.#options.claim.runId;
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

  /** Resolves when the run has ended, or waits for an operator. */
  result(): Promise<RunReport> {
    return this.#settled.promise;
  }

  /** Calls back with everything that happens from now on; the returned function ends that. */
  follow(listener: (event: Happening) => void): () => void {
    this.#followers = new Set([...this.#followers, listener]);
    return () => {
      this.#followers = new Set([...this.#followers].filter((other) => other !== listener));
    };
  }

  /** Tells a parent run what it has to know; the returned function ends that. */
  watch(watcher: ChildWatcher): () => void {
    if (this.#stopped !== null) watcher.stopped(this.#stopped);
    this.#watchers = new Set([...this.#watchers, watcher]);
    return () => {
      this.#watchers = new Set([...this.#watchers].filter((other) => other !== watcher));
    };
  }

  /** Sets the run in motion, from wherever its facts end. */
  go(): void {
    const { state, inspect } = this.#options;
    if (state.started !== null) this.#options.shown.begin(state.started);
    this.#settle();
    const actor = createActor(runMachine, {
      id: `run:${this.id}`,
      input: { board: this.#board() },
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
    if (this.#stopped !== null) throw this.#stopped;
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
   * @throws {MaestroError} `RUN_NOT_ACTIVE` where none is parked there; why the run was stopped
   */
  resolve(resolution: Resolution): void {
    if (this.#stopped !== null) throw this.#stopped;
    const { step, action, input, output, by, reason } = resolution;
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
      ...(input !== undefined && { input }),
      ...(output !== undefined && { output }),
    });
    this.#actor?.send({ type: "resolved" });
  }

  /** Which call of a step is parked, where it is not said. */
  #parkedOp(step: string): Op {
    const ops = ["compensate", "verify", "action"] as const;
    return ops.find((op) => this.#waitsFor(recordKey(step, op))) ?? "compensate";
  }

  #goOn(): void {
    if (!this.#isSettled) return; // who waits still does
    this.#isSettled = false;
    this.#settled = Promise.withResolvers<RunReport>();
    this.#settled.promise.catch(() => {});
  }

  /** Ends the run's actor where it stands; its facts remain, and it can be resumed from them. */
  stop(error: MaestroError): void {
    if (this.#actor === null) return;
    this.#stopped = error;
    this.#ledger.abandon(error);
    this.#settled.reject(error);
    this.#leave();
    for (const watcher of this.#watchers) watcher.stopped(error);
  }

  #leave(): void {
    this.#actor?.stop();
    this.#actor = null;
    this.#options.onGone();
  }

  #hear(facts: readonly Fact[]): void {
    const { shown } = this.#options;
    shown.add(facts);
    const { ended } = shown;
    this.#settle();
    for (const fact of facts) this.#tell(fact);
    if (ended) this.#leave();
    const { workflow } = this.#options;
    const missed = facts.some((fact) => missesPivot(workflow, fact));
    if (missed) this.#actor?.send({ type: "pivot_settled" });
    if (ended || missed || this.#watchers.size > 0 && facts.some(mattersToParents)) {
      this.#tellParents();
    }
  }

  /** Something has changed in a child run. */
  #change(): void {
    this.#settle();
    this.#actor?.send({ type: "pivot_settled" });
    this.#tellParents();
  }

  #tellParents(): void {
    for (const watcher of this.#watchers) watcher.changed();
  }

  #settle(): void {
    if (!this.#options.shown.ended && !this.rests) return;
    this.#isSettled = true;
    this.#settled.resolve(this.report());
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

  /** Tells those who listen; what one of them throws is its own affair, and stops neither run nor others. */
  #tell(event: Happening): void {
    const { onHappening } = this.#options;
    if (onHappening !== null) tell(onHappening, event);
    for (const follower of this.#followers) tell(follower, event);
  }

  #partsOf(service: string): ServiceParts {
    const parts = this.#options.services.get(service);
    if (parts === undefined) throw new Error(`There is no service "${service}"`);
    return parts;
  }

  #board(): Board {
    const { workflow, state, clock, methods } = this.#options;
    const { visible, locator } = definitionOf(workflow);
    const names = { workflow, state, visible };
    const whenDurable = (callback: () => void) => this.#ledger.whenDurable(callback);
    const attempts = { ...this.#options, names, whenDurable };
    return {
      ...names,
      record: (fact) => this.#ledger.record(fact),
      // After the facts before it, or it would seem to be about what came earlier.
      notice: (notice) => whenDurable(() => this.#tell(notice)),
      service: (target) => {
        const { budget, turnstile, breaker } = this.#partsOf(target.service);
        const method = () => methods.get(methodKey(target))?.name ?? target.method;
        return { budget, turnstile, breaker: breaker(method) };
      },
      start: startChild,
      locate: (path) => locator.find(path),
      around: (path) => locator.around(path),
      child: (child, told) => this.#children.begin(child, told),
      undoChild: (path, told) => {
        const revision = recordOf(state, path)?.revisions ?? 0;
        return this.#children.undo(path, revision, told);
      },
      isChildPastPivot: () => this.#children.passedPivot,
      encode: (target, input) => methods.get(methodKey(target))?.encode(input) ?? null,
      attempt: (attempt, answer) => makeAttempt(attempts, attempt, answer),
      wake: (dueAt, callback) => clock.at(dueAt, callback),
    };
  }
}

/** A child run is parked, goes on, or has passed its pivot. */
function mattersToParents(fact: Fact): boolean {
  return fact.kind.startsWith("attention_") || fact.kind === "pivot_passed" ||
    "pivot" in fact && fact.pivot === true;
}

/** Whether a step waits for what has a record of its own: its `verify`, or what its `catch` does. */
function isLeftToOthers(state: RunState, { path, op, caught }: StepRecord): boolean {
  if (caught !== null) return true;
  return op === "action" && recordOf(state, path, "verify")?.status === "running";
}

function tell(listener: (event: Happening) => void, event: Happening): void {
  try {
    listener(event);
  } catch { /* a run must not end because somebody could not hear of it */ }
}
