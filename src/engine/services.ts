/**
 * Documented by its package: for npm's types `deno doc --lint` would have us export all of them.
 *
 * @internal
 */
import type { InspectionEvent } from "xstate";
import { type Actor, createActor } from "xstate";
import type { ServiceRef } from "../machines/board.ts";
import { RetryBudget } from "../machines/budget.ts";
import { serviceMachine } from "../machines/service.ts";
import type { BreakerState } from "../machines/service_events.ts";
import { viewOf } from "../machines/service_events.ts";
import { Turnstile } from "../machines/turnstile.ts";
import { CallCounter, type CallFigures } from "./call_figures.ts";
import type { Caller, Clock, Target } from "./doors.ts";

/** What the runs that reach one service share. */
export interface ServiceParts {
  /**
   * The breaker that a call of this method passes; `null`: turned off.
   *
   * @param method gives the full name (`acme.v1.Payments/Charge`) where it is known
   */
  readonly breaker: (method: () => string) => ServiceRef | null;
  /** What its retries are taken from; `null`: they are not counted. */
  readonly budget: RetryBudget | null;
  /** Where its calls go through one by one. */
  readonly turnstile: Turnstile;
  /** What came of its calls. */
  readonly calls: CallCounter;
}

/** What a service has to do now, whether or not it has a breaker. */
export interface ServiceLoad {
  /** Its name in the workflow that reached it first. */
  readonly service: string;
  /** Where it is reached, without secrets. */
  readonly endpoint: string;
  /** Calls that are under way. */
  readonly inFlight: number;
  /** Calls that queue for `max_concurrent` or `rate_limit`. */
  readonly queued: number;
}

/** One circuit breaker as it stood when it was asked for, with an operator's two verbs. */
export interface Breaker extends ServiceLoad {
  /** With `scope: method`, the method it is for; `null`: all of them. */
  readonly method: string | null;
  /** Whether it lets calls through. */
  readonly state: BreakerState;
  /** When an open one lets trial calls through, in milliseconds since the epoch; `null`: no timer runs. */
  readonly openUntil: number | null;
  /** The results it goes by: those of its `window`. */
  readonly window: {
    /** Finished calls, without those that say nothing about the service. */
    readonly calls: number;
    /** Those of them that failed. */
    readonly failures: number;
    /** Those of them that were slow. */
    readonly slow: number;
  };
  /** Calls that wait for it. */
  readonly waiting: number;
  /** What came of the service's calls, over all of its methods. */
  readonly calls: CallFigures;
  /** What the service said last of its own health; `null`: nothing, or it is not asked. */
  readonly serving: boolean | null;
  /** Holds all calls back, as `on_open` says, until {@linkcode Breaker.reset}. */
  forceOpen(): void;
  /** Closes it, whatever its state, and forgets the results and the longer waits so far. */
  reset(): void;
}

/** What services are made with. */
export interface ServicesOptions {
  readonly caller: Pick<Caller, "watchHealth">;
  readonly clock: Clock;
  /** Hears of every breaker, as XState's inspection protocol has it. */
  readonly inspect?: ((event: InspectionEvent) => void) | undefined;
}

/** The services that this process calls: those with the same endpoint and settings are one, in all runs. */
export class Services {
  readonly #options: ServicesOptions;
  readonly #parts = new Map<string, Parts>();

  constructor(options: ServicesOptions) {
    this.#options = options;
  }

  /** What is shared of a service, made when it is first asked for. */
  of(target: Target): ServiceParts {
    let parts = this.#parts.get(target.key);
    if (parts === undefined) {
      parts = new Parts(target, this.#options);
      this.#parts.set(target.key, parts);
    }
    return parts;
  }

  /** Every breaker there is by now. */
  breakers(): readonly Breaker[] {
    return [...this.#parts.values()].flatMap((parts) => parts.list());
  }

  /** What every service has to do now. */
  loads(): readonly ServiceLoad[] {
    return [...this.#parts.values()].map((parts) => parts.load());
  }

  /** Stops breakers and health watches. */
  close(): void {
    for (const parts of this.#parts.values()) parts.close();
    this.#parts.clear();
  }
}

/** One service. */
class Parts implements ServiceParts {
  readonly budget: RetryBudget | null;
  readonly turnstile: Turnstile;
  readonly calls = new CallCounter();
  readonly #target: Target;
  readonly #options: ServicesOptions;
  /** By method; `null` is the breaker of all methods. */
  readonly #breakers = new Map<string | null, Actor<typeof serviceMachine>>();
  /** What the service last said of its health; `null`: nothing. */
  #serving: boolean | null = null;
  readonly #endWatch: () => void;

  constructor(target: Target, options: ServicesOptions) {
    const { budget, pool, rateLimit } = target.service;
    const { clock } = options;
    this.#target = target;
    this.#options = options;
    this.budget = budget === null ? null : new RetryBudget(budget);
    this.turnstile = new Turnstile(pool, rateLimit, {
      now: () => clock.now(),
      wake: (dueAt, callback) => clock.at(dueAt, callback),
      soon,
    });
    this.#endWatch = this.#watch();
  }

  readonly breaker = (method: () => string): ServiceRef | null => {
    const rule = this.#target.service.breaker;
    if (rule === null) return null;
    const key = rule.scope === "method" ? method() : null;
    return this.#breakers.get(key) ?? this.#early(key) ?? this.#make(key, rule);
  };

  /** The breaker that was made for a method before its full name was known, as `Charge`. */
  #early(method: string | null): ServiceRef | null {
    const bare = method?.slice(method.lastIndexOf("/") + 1) ?? null;
    const actor = bare === null ? undefined : this.#breakers.get(bare);
    if (actor === undefined) return null;
    this.#breakers.delete(bare);
    this.#breakers.set(method, actor);
    return actor;
  }

  load(): ServiceLoad {
    const { service, endpoint, shown = endpoint } = this.#target;
    const { inFlight, waiting: queued } = this.turnstile;
    return { service: service.name, endpoint: shown, inFlight, queued };
  }

  list(): Breaker[] {
    const load = this.load();
    const now = this.#options.clock.now();
    const calls = this.calls.figures();
    return [...this.#breakers].map(([method, actor]) => {
      const { state, openUntil, window, waiting } = viewOf(actor.getSnapshot(), now);
      return {
        ...load,
        method,
        state,
        openUntil,
        window,
        waiting,
        calls,
        serving: this.#serving,
        forceOpen: () => actor.send({ type: "force_open" }),
        reset: () => actor.send({ type: "reset" }),
      };
    });
  }

  close(): void {
    this.#endWatch();
    for (const actor of this.#breakers.values()) actor.stop();
  }

  #make(method: string | null, rule: NonNullable<Target["service"]["breaker"]>) {
    const { clock, inspect } = this.#options;
    const { name } = this.#target.service;
    const wake = (dueAt: number, callback: () => void) => clock.at(dueAt, callback);
    const actor = createActor(serviceMachine, {
      id: method === null ? `service:${name}` : `service:${name}:${method}`,
      input: { board: { wake, soon }, rule },
      ...(inspect && { inspect }),
    }).start();
    this.#breakers.set(method, actor);
    if (this.#serving !== null) actor.send({ type: "health", serving: this.#serving });
    return actor;
  }

  /** A watch is of one server or a balancer: over many servers one of them speaks for itself only (semantics.md §2). */
  #watch(): () => void {
    const { health, breaker, loadBalancing } = this.#target.service;
    if (health === null || breaker === null || loadBalancing === "round_robin") return () => {};
    const hear = (serving: boolean) => {
      this.#serving = serving;
      for (const actor of this.#breakers.values()) actor.send({ type: "health", serving });
    };
    return this.#options.caller.watchHealth?.(this.#target, health.service, hear) ?? (() => {});
  }
}

/** Actors say all that they have to say to each other at once, and before this. */
function soon(callback: () => void): void {
  queueMicrotask(callback);
}
