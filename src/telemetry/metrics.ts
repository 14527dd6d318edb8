import type { Attributes, Counter, Histogram, Meter, ObservableResult } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import { type IMetricReader, MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import type { Breaker, ServiceLoad } from "../engine/services.ts";
import { callAttributes, stepName } from "./attributes.ts";
import type { CallNames } from "./call_names.ts";
import type { FollowedRun } from "./episode_feed.ts";
import type { Episode } from "./episodes.ts";
import { type Instrument, INSTRUMENTS, SECONDS } from "./instruments.ts";
import { prometheusText } from "./prometheus.ts";

/** Where figures are asked for when somebody wants them. */
export interface MetricSources {
  /** Runs in the store, by status. */
  readonly countRuns?: () => Promise<Readonly<Record<string, number>>>;
  /** Mostly the engine's. */
  readonly breakers?: () => readonly Breaker[];
  /** Mostly the engine's. */
  readonly services?: () => readonly ServiceLoad[];
  /** What a server has under way, and what waits there. */
  readonly load?: () => { readonly inFlight: number; readonly queued: number };
}

const BREAKER_STATES = ["closed", "open", "half_open", "forced_open"] as const;

/** What is measured. */
export class Metrics {
  readonly #provider: MeterProvider;
  readonly #reader = new ScrapeReader();
  readonly #meter: Meter;
  readonly #names: CallNames;
  readonly #runsStarted: Counter;
  readonly #retries: Counter;
  readonly #attentions: Counter;
  readonly #notifications: Counter;
  readonly #moments: Counter;
  readonly #runDuration: Histogram;
  readonly #stepDuration: Histogram;
  readonly #callDuration: Histogram;
  readonly #commitDuration: Histogram;

  constructor({ resource, names, version, readers }: {
    readonly resource: Resource;
    readonly names: CallNames;
    readonly version: string;
    /** Those that send metrics somewhere. */
    readonly readers: readonly IMetricReader[];
  }) {
    this.#names = names;
    this.#provider = new MeterProvider({ resource, readers: [this.#reader, ...readers] });
    this.#meter = this.#provider.getMeter("maestro", version);
    this.#runsStarted = this.#counter(INSTRUMENTS.runsStarted);
    this.#retries = this.#counter(INSTRUMENTS.retries);
    this.#attentions = this.#counter(INSTRUMENTS.attentions);
    this.#notifications = this.#counter(INSTRUMENTS.notifications);
    this.#moments = this.#counter(INSTRUMENTS.scheduledMoments);
    this.#runDuration = this.#histogram(INSTRUMENTS.runDuration);
    this.#stepDuration = this.#histogram(INSTRUMENTS.stepDuration);
    this.#callDuration = this.#histogram(INSTRUMENTS.callDuration);
    this.#commitDuration = this.#histogram(INSTRUMENTS.commitDuration);
    this.#observe(INSTRUMENTS.memory, (result) => result.observe(Deno.memoryUsage().rss));
  }

  /** Asks these for their figures from now on. */
  watch({ countRuns, breakers, services, load }: MetricSources): void {
    if (countRuns !== undefined) {
      this.#observe(INSTRUMENTS.runs, async (result) => {
        for (const [status, count] of Object.entries(await countRuns())) {
          result.observe(count, { "maestro.run.status": status });
        }
      });
    }
    if (load !== undefined) {
      this.#observe(INSTRUMENTS.runsInFlight, (result) => result.observe(load().inFlight));
      this.#observe(INSTRUMENTS.runsQueued, (result) => result.observe(load().queued));
    }
    if (breakers !== undefined) this.#watchBreakers(breakers);
    if (services !== undefined) this.#watchServices(services);
  }

  /** A root run has started. */
  runStarted(workflow: string): void {
    this.#runsStarted.add(1, { "maestro.workflow": workflow });
  }

  /** A step waits for an operator. */
  attentionRaised(workflow: string): void {
    this.#attentions.add(1, { "maestro.workflow": workflow });
  }

  /** Somebody was told of it, or could not be. */
  notified(outcome: "delivered" | "failed"): void {
    this.#notifications.add(1, { "maestro.outcome": outcome });
  }

  /** A schedule's moment has come. */
  momentCame(workflow: string, outcome: string): void {
    this.#moments.add(1, { "maestro.workflow": workflow, "maestro.outcome": outcome });
  }

  /** Facts are durable after so many milliseconds. */
  readonly committed = (milliseconds: number): void => {
    this.#commitDuration.record(milliseconds / 1000);
  };

  /** Something has ended. */
  ended({ runId, workflow }: FollowedRun, episode: Episode): void {
    const { of, path, op, form, attempts, from, to, status } = episode;
    if (of === "attempt") {
      const attributes = callAttributes(workflow, episode, this.#names);
      if (attributes === null) return;
      if (from !== null) this.#callDuration.record((to - from) / 1000, attributes);
      if (attempts > 1) {
        const { "maestro.service": service = "", "rpc.method": method = "" } = attributes;
        this.#retries.add(1, { "maestro.service": service, "rpc.method": method });
      }
    } else if (of === "run" && from !== null && !runId.includes("/")) {
      this.#runDuration.record((to - from) / 1000, {
        "maestro.workflow": workflow.name,
        "maestro.run.status": status,
      });
    } else if (of === "step" && form !== null && from !== null) {
      this.#stepDuration.record((to - from) / 1000, {
        "maestro.workflow": workflow.name,
        "maestro.step": stepName(workflow, path),
        "maestro.step.op": op,
        "maestro.step.status": status,
      });
    }
  }

  /** All of it as Prometheus' text. What can't be asked now is left out. */
  async text(): Promise<string> {
    const { resourceMetrics } = await this.#reader.collect();
    return prometheusText(resourceMetrics);
  }

  /** Sends what is still to be sent. */
  shutdown(): Promise<void> {
    return this.#provider.shutdown();
  }

  #watchBreakers(breakers: () => readonly Breaker[]): void {
    this.#observeSums(INSTRUMENTS.breakerState, breakers, (sums, breaker) => {
      for (const state of BREAKER_STATES) {
        const attributes = { ...breakerOf(breaker), "maestro.circuit_breaker.state": state };
        sums.add(breaker.state === state ? 1 : 0, attributes);
      }
    });
    this.#observeSums(
      INSTRUMENTS.callsWaiting,
      breakers,
      (sums, breaker) => sums.add(breaker.waiting, breakerOf(breaker)),
    );
  }

  #watchServices(services: () => readonly ServiceLoad[]): void {
    this.#observeSums(
      INSTRUMENTS.callsInFlight,
      services,
      (sums, service) => sums.add(service.inFlight, serviceOf(service)),
    );
    this.#observeSums(
      INSTRUMENTS.callsQueued,
      services,
      (sums, service) => sums.add(service.queued, serviceOf(service)),
    );
  }

  #counter({ name, unit, description }: Instrument): Counter {
    return this.#meter.createCounter(name, { unit, description });
  }

  #histogram({ name, unit, description }: Instrument): Histogram {
    const advice = { explicitBucketBoundaries: [...SECONDS] };
    return this.#meter.createHistogram(name, { unit, description, advice });
  }

  /** What several things of the same attributes come to together. */
  #observeSums<T>(
    instrument: Instrument,
    things: () => readonly T[],
    addTo: (sums: Sums, thing: T) => void,
  ): void {
    this.#observe(instrument, (result) => {
      const sums = new Sums();
      for (const thing of things()) addTo(sums, thing);
      sums.observe(result);
    });
  }

  #observe(
    { name, unit, description }: Instrument,
    ask: (result: ObservableResult) => void | Promise<void>,
  ): void {
    this.#meter.createObservableGauge(name, { unit, description }).addCallback(ask);
  }
}

function serviceOf({ service, endpoint }: ServiceLoad): Attributes {
  return { "maestro.service": service, "maestro.endpoint": endpoint };
}

function breakerOf(breaker: Breaker): Attributes {
  const { method } = breaker;
  return { ...serviceOf(breaker), ...(method !== null && { "rpc.method": method }) };
}

/** Of what has the same attributes, such as two versions of a service's settings, the sum: a series has one value. */
class Sums {
  readonly #byKey = new Map<string, { readonly attributes: Attributes; sum: number }>();

  add(value: number, attributes: Attributes): void {
    const key = JSON.stringify(attributes);
    const known = this.#byKey.get(key);
    if (known === undefined) this.#byKey.set(key, { attributes, sum: value });
    else known.sum += value;
  }

  observe(result: ObservableResult): void {
    for (const { attributes, sum } of this.#byKey.values()) result.observe(sum, attributes);
  }
}

/** Reads the metrics when somebody asks for them. */
class ScrapeReader extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }

  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}
