/**
 * Every metric there is. Names are OpenTelemetry's, and become Prometheus' by its rules: dots turn
 * into underscores, units and `total` are put behind.
 *
 * @module
 */

/** One metric. */
export interface Instrument {
  readonly name: string;
  readonly kind: "counter" | "histogram" | "gauge";
  /** UCUM, as OpenTelemetry wants it. */
  readonly unit: string;
  readonly description: string;
}

/** By what they are for. */
export const INSTRUMENTS = {
  runs: {
    name: "maestro.runs",
    kind: "gauge",
    unit: "{run}",
    description:
      "Runs in the store, by status; those that wait for an operator are needs_attention",
  },
  runsStarted: {
    name: "maestro.runs.started",
    kind: "counter",
    unit: "{run}",
    description: "Runs that this process has started, child runs not among them",
  },
  runDuration: {
    name: "maestro.run.duration",
    kind: "histogram",
    unit: "s",
    description: "From a run's start to its end, rollback and time spent parked included",
  },
  stepDuration: {
    name: "maestro.step.duration",
    kind: "histogram",
    unit: "s",
    description: "From a step's start to its end, retries and waits included",
  },
  callDuration: {
    name: "rpc.client.call.duration",
    kind: "histogram",
    unit: "s",
    description: "One attempt to call a service",
  },
  retries: {
    name: "maestro.call.retries",
    kind: "counter",
    unit: "{attempt}",
    description: "Attempts beyond the first",
  },
  attentions: {
    name: "maestro.attention.raised",
    kind: "counter",
    unit: "{step}",
    description: "Steps that were parked for an operator",
  },
  notifications: {
    name: "maestro.attention.notifications",
    kind: "counter",
    unit: "{notification}",
    description: "Webhook calls about parked runs, by what came of them",
  },
  breakerState: {
    name: "maestro.circuit_breaker.state",
    kind: "gauge",
    unit: "{breaker}",
    description: "Circuit breakers that are in a state",
  },
  callsInFlight: {
    name: "maestro.service.calls.in_flight",
    kind: "gauge",
    unit: "{call}",
    description: "Calls of a service that are under way",
  },
  callsQueued: {
    name: "maestro.service.calls.queued",
    kind: "gauge",
    unit: "{call}",
    description: "Calls that wait for their turn: for max_concurrent or rate_limit",
  },
  callsWaiting: {
    name: "maestro.service.calls.waiting",
    kind: "gauge",
    unit: "{call}",
    description: "Calls that wait for a circuit breaker",
  },
  runsInFlight: {
    name: "maestro.server.runs.in_flight",
    kind: "gauge",
    unit: "{run}",
    description: "Runs that this server has under way",
  },
  runsQueued: {
    name: "maestro.server.runs.queued",
    kind: "gauge",
    unit: "{run}",
    description: "Runs that wait until fewer are under way",
  },
  commitDuration: {
    name: "maestro.journal.commit.duration",
    kind: "histogram",
    unit: "s",
    description: "From facts handed to the store until they would survive a power cut",
  },
  scheduledMoments: {
    name: "maestro.schedule.moments",
    kind: "counter",
    unit: "{moment}",
    description: "Moments of schedules, by what came of them",
  },
  memory: {
    name: "process.memory.usage",
    kind: "gauge",
    unit: "By",
    description: "Memory that the process has resident",
  },
} as const satisfies Readonly<Record<string, Instrument>>;

/** The boundaries of buckets, in seconds: those of OpenTelemetry's conventions, and further, since runs may take hours. */
export const SECONDS: readonly number[] = Object.freeze(
  [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200],
);

/** A metric's name in Prometheus' text, without what a histogram's parts have behind it. */
export function prometheusName({ name, kind, unit }: Instrument): string {
  const parts = [name.replaceAll(".", "_"), UNITS[unit], kind === "counter" ? "total" : undefined];
  return parts.filter((part) => part !== undefined).join("_");
}

const UNITS: Readonly<Record<string, string | undefined>> = { s: "seconds", By: "bytes" };
