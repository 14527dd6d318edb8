/**
 * Documented by its package: for npm's types `deno doc --lint` would have us export all of them.
 *
 * @internal
 */
import type { InspectionEvent } from "xstate";
import type { MaestroError } from "../errors.ts";
import type { Json } from "../workflow/json.ts";
import type { Workflow } from "../workflow/model.ts";
import type { Caller, Clock, Journal, Secrets, TracedCall } from "./doors.ts";
import type { Happening } from "./happening.ts";

/** What an engine runs on. It closes its doors when it is closed. */
export interface EngineOptions {
  /** The way to the services. */
  readonly caller: Caller;
  /** Where facts are kept, and runs are resumed from. */
  readonly journal: Journal;
  /** What tells the time and wakes. @default the machine's clock */
  readonly clock?: Clock;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number;
  /** Environment variables, for `.env`. @default none */
  readonly env?: (name: string) => string | undefined;
  /** For `.secrets`: read at a run's start, and for every attempt that sends them. @default none */
  readonly secrets?: Secrets;
  /** The name under which it claims runs. @default a random one */
  readonly owner?: string;
  /** Hears of everything that happens in every run. */
  readonly onHappening?: HearAll;
  /**
   * Hears of every step that waits for an operator already when its run is taken up here, by the fact
   * that says so: it was parked by another process, or before a restart.
   */
  readonly onStillParked?: HearAll;
  /**
   * Hears of a run that was stopped where it stands, before its end: what it says of the journal, or
   * that another process has the run now. It can be resumed. Hears, once, also of one that sleeps and
   * can't be woken at its moment, since a secret is missing, say: that is tried again every ten seconds.
   */
  readonly onStopped?: (runId: string, error: MaestroError) => void;
  /**
   * Gives the W3C trace context that a call is sent with, so that the service's span has a place below
   * the call's own. @default the run's
   */
  readonly traceparent?: (call: TracedCall) => string;
  /** Hears of a run that does nothing more here for now: it has ended, sleeps, is parked or was stopped. */
  readonly onRest?: (runId: string) => void;
  /** Hears of every actor, event and snapshot: the `InspectionEvent`s of `npm:xstate`. */
  readonly inspect?: (event: InspectionEvent) => void;
}

/** Hears of what happens in runs. */
export type HearAll = (
  runId: string,
  workflow: Workflow,
  event: Happening,
  origin: RunOrigin,
) => void;

/** What a run shares with those who asked for it, and with its child runs. */
export interface RunOrigin {
  /** What services see as `x-correlation-id`. */
  readonly correlationId: string;
  /** The W3C trace context that it was started with. */
  readonly traceparent: string | null;
}

/** How a run is started. */
export interface StartOptions {
  /** What expressions see as `.input`, once the schema's defaults are applied. @default `{}` */
  readonly input?: Json;
  /** Unique in the journal. @default a new UUID of version 7 */
  readonly runId?: string;
  /** What services see as `x-correlation-id`. @default the run's id */
  readonly correlationId?: string;
  /** Instead of the workflow's own, in milliseconds. */
  readonly timeout?: number;
  /** Endpoints that win over the workflow's, by service. */
  readonly endpoints?: Readonly<Record<string, string>>;
  /** W3C trace context to go on with. @default a new trace */
  readonly traceparent?: string;
  /** Hears of everything that happens in this run, from its first fact on. */
  readonly onHappening?: (event: Happening) => void;
}
