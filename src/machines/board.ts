import type { ActorRef, EventObject } from "xstate";
import type { Visible } from "../workflow/scope.ts";
import type { CallTarget, Workflow } from "../workflow/model.ts";
import type { Value } from "../workflow/value.ts";
import type { AttemptFailure } from "./failure.ts";
import type { FactBody, Op } from "./facts.ts";
import type { RunState } from "./fold.ts";
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
  /** Calls back at a moment, in milliseconds since the epoch; the returned function takes that back. */
  wake(dueAt: number, callback: () => void): () => void;
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
  /** The key of {@linkcode Board.visible} by which the metadata's expressions are read. */
  readonly scope: string;
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
