import type { ActorRef, EventObject } from "xstate";
import type { Rounds } from "../workflow/rounds.ts";
import type { Visible } from "../workflow/scope.ts";
import type { CallTarget, Workflow } from "../workflow/model.ts";
import type { Value } from "../workflow/value.ts";
import type { AttemptFailure } from "./failure.ts";
import type { FactBody, Op } from "./facts.ts";
import type { RunState } from "./records.ts";
import type { Child } from "./block_plan.ts";
import type { Located } from "./located.ts";
import type { Receiver, Scope as Turn } from "./machine.ts";
import type { ChildPivoted, ChildTold, Told } from "./told.ts";
import type { RetryBudget } from "./budget.ts";
import type { ServiceEvent, ServiceSnapshot } from "./service_events.ts";
import type { Turnstile } from "./turnstile.ts";

/**
 * What the actors of one run share, and their only way to the world: the definition, where the run
 * stands, and the ports by which things happen. A machine decides by `state` and moves it with
 * `record`; it never keeps a second account of what is recorded.
 */
export interface Board {
  readonly workflow: Workflow;
  readonly visible: ReadonlyMap<string, Visible>;
  readonly state: RunState;
  /** Adds a fact. */
  record(fact: FactBody): void;
  /** Says something that needs no journal: it is gone after a restart. */
  notice(notice: Notice): void;
  /** Starts the actor of a child of a block. A block can hold blocks: it can't know itself how. */
  start<E extends EventObject>(
    parent: Parent,
    child: Child,
    cancelled: boolean,
    turn: Turn<E>,
  ): Receiver<Told>;
  /** The step at a path of the run, with its rounds. */
  locate(path: string): Located | undefined;
  /** The steps around a path that have a `catch`, innermost first, each as it stands in its rounds. */
  around(path: string): readonly Located[];
  /** What a call has to pass on its way to its service. */
  service(target: CallTarget): Passage;
  /**
   * Checks and encodes a request; `null` where the method isn't known yet.
   *
   * @throws {MaestroError} `INVALID_REQUEST`
   */
  encode(target: CallTarget, input: Value): Request | null;
  /** Makes one attempt, once every fact so far is durable; the returned function cancels it. */
  attempt(attempt: Attempt, answer: (event: Answered) => void): () => void;
  /** Starts a child run, or takes it up again, once every fact so far is durable, and tells how it ends. */
  child(child: ChildRun, told: (event: ChildTold | ChildPivoted) => void): ChildHandle;
  /**
   * Rolls back the completed child run of a step, once every fact so far is durable; the returned
   * function stops listening.
   */
  undoChild(path: string, told: (event: ChildTold | ChildPivoted) => void): () => void;
  /** Whether a child run has passed its pivot, or is about to. */
  isChildPastPivot(): boolean;
  /** Calls back at a moment, in milliseconds since the epoch; the returned function takes that back. */
  wake(dueAt: number, callback: () => void): () => void;
}

/** From where expressions look: what a step, or a part of one, sees in a round. */
export interface Scope {
  /** A key of {@linkcode Board.visible}. */
  readonly key: string;
  readonly rounds: Rounds;
}

/** When what is around is out of time, in milliseconds since the epoch, as far as that is known now; `null`: never. */
export type Deadline = () => number | null;

/** What is never out of time. */
export const NEVER: Deadline = () => null;

/** A block, as what starts its children knows it. */
export interface Parent {
  readonly board: Board;
  readonly op: Op;
  /** The rounds of the loops around its steps. */
  readonly rounds: Rounds;
  /** The path of the action that compensating steps are about; `null`: each is its own. */
  readonly action: string | null;
  /** When it, or a block around it, is out of time. */
  readonly deadline: Deadline;
}

/** A child run to be started. */
export interface ChildRun {
  /** The path of its step. */
  readonly path: string;
  readonly op: Op;
  readonly workflow: Workflow;
  readonly input: Value;
  /** How often an operator had it tried again: each time it is another run. */
  readonly revision: number;
  /** When its step is out of time, in milliseconds since the epoch. */
  readonly deadline: number | null;
}

/** A child run under way. */
export interface ChildHandle {
  /** Asks it to stop and roll back. */
  readonly cancel: () => void;
  /** Stops listening; the run stays where it stands. */
  readonly leave: () => void;
}

/** What calls of a service share, over all runs. */
export interface Passage {
  /** `null`: turned off. */
  readonly breaker: ServiceRef | null;
  readonly turnstile: Turnstile;
  /** What retries are left; `null`: they are not counted. */
  readonly budget: RetryBudget | null;
}

/** A service's actor, as those who call it see it. */
export type ServiceRef = ActorRef<ServiceSnapshot, ServiceEvent, EventObject>;

/** An encoded request. The machines pass it on and never look inside. */
export type Request = NonNullable<unknown>;

/** One attempt to be made. */
export interface Attempt {
  readonly path: string;
  readonly op: Op;
  /** The path of the action it is about: its own, or the one it compensates. */
  readonly action: string;
  readonly number: number;
  /** How often an operator changed the request. */
  readonly revision: number;
  readonly target: CallTarget;
  /** `null` where the method wasn't known when the step started: encoded with the attempt. */
  readonly request: Request | null;
  readonly input: Value;
  /** From where the metadata's expressions look. */
  readonly scope: Scope;
  /** When step or run is out of time, in milliseconds since the epoch. */
  readonly deadline: number | null;
}

/** How an attempt ended. */
export interface Answered {
  readonly type: "answered";
  readonly result:
    | { readonly ok: true; readonly output: Value }
    | { readonly ok: false; readonly failure: AttemptFailure };
  readonly at: number;
  /** How long it took, in milliseconds. */
  readonly duration: number;
  /** It was granted less than its `attempt_timeout`, since step or run had no more left. */
  readonly cut: boolean;
  /** Uniform in [0, 1): the jitter of the next delay. */
  readonly random: number;
}

/** What followers of a run may want to show, besides its facts: a call waits, until its next fact says otherwise. */
export type Notice =
  | {
    /** It waits for its service's breaker. */
    readonly kind: "breaker_waiting";
    /** The call's step. */
    readonly path: string;
    /** What the call is for. */
    readonly op: Op;
    /** The service, by its name in the workflow. */
    readonly service: string;
    /** When the breaker may be asked again, in milliseconds since the epoch; `null`: nobody knows yet. */
    readonly until: number | null;
  }
  | {
    /** It queues: its service has as many calls as it may have. */
    readonly kind: "queueing";
    /** The call's step. */
    readonly path: string;
    /** What the call is for. */
    readonly op: Op;
    /** The service, by its name in the workflow. */
    readonly service: string;
  };
