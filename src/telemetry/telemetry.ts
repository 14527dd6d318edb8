/**
 * Traces and metrics of an engine.
 *
 * @module
 */
import type { Resource } from "@opentelemetry/resources";
import type { Journal, TracedCall } from "../engine/doors.ts";
import type { Engine } from "../engine/engine.ts";
import type { EngineOptions } from "../engine/engine_options.ts";
import type { Happening } from "../engine/happening.ts";
import type { ScheduledMoment } from "../engine/scheduler.ts";
import { within } from "../engine/within.ts";
import type { Workflow } from "../workflow/model.ts";
import { CallNames } from "./call_names.ts";
import { EpisodeFeed, type FollowedRun } from "./episode_feed.ts";
import type { Episode } from "./episodes.ts";
import { exportOptions } from "./export_options.ts";
import type { Metrics, MetricSources } from "./metrics.ts";
import type { SpanMaker } from "./spans.ts";
import { timedJournal } from "./timed_journal.ts";
import {
  attemptKey,
  isRecorded,
  readTraceparent,
  spanIdOf,
  writeTraceparent,
} from "./trace_ids.ts";

/** How long the last spans and metrics may take, in milliseconds: a collector that never answers must not hold us. */
const CLOSE_WITHIN = 2_000;

/** How telemetry is opened. */
export interface TelemetryOptions {
  /** This program's version. */
  readonly version: string;
  /** Environment variables: OpenTelemetry's own say what is sent where. */
  readonly env: (name: string) => string | undefined;
  /** Hears why something could not be sent, or is not sent as the environment asks. */
  readonly onProblem?: (message: string) => void;
}

/**
 * Opens telemetry. Metrics can be read at once; spans, and metrics too, are sent where
 * `OTEL_EXPORTER_OTLP_ENDPOINT` says. Put {@linkcode Telemetry.engine} and {@linkcode Telemetry.timed}
 * into the engine's options, then give it the engine.
 *
 * @throws {MaestroError} `USAGE` where the environment asks for what Maestro does not do
 */
export async function openTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { version, env, onProblem = () => {} } = options;
  const sent = exportOptions(env);
  for (const note of sent.notes) onProblem(note);
  const [resource, { Metrics }, { spanOf }, otlp] = await Promise.all([
    resourceOf(version, env),
    import("./metrics.ts"),
    import("./spans.ts"),
    sent.traces ?? sent.metrics ? import("./otlp.ts") : null,
  ]);
  otlp?.tellProblems(onProblem);
  const names = new CallNames();
  const readers = sent.metrics && otlp
    ? [otlp.metricExporter(sent.metrics, sent.metricInterval)]
    : [];
  const metrics = new Metrics({ resource, names, version, readers });
  if (sent.traces === null || otlp === null) return new Telemetry(names, metrics, null);
  const exporter = otlp.spanExporter(sent.traces, sent.spanDelay);
  const maker: SpanMaker = {
    names,
    resource,
    scope: { name: "maestro", version },
    ratio: sent.ratio,
  };
  return new Telemetry(names, metrics, {
    ratio: sent.ratio,
    delay: sent.spanDelay,
    tell: (run, episode) => {
      const span = spanOf(run, episode, maker);
      if (span !== null) exporter.onEnd(span);
    },
    shutdown: () => exporter.shutdown(),
  });
}

/** Where spans go. */
interface Spans {
  readonly ratio: number;
  readonly delay: number;
  tell(run: FollowedRun, episode: Episode): void;
  shutdown(): Promise<void>;
}

/** Made by {@linkcode openTelemetry}. */
export class Telemetry {
  readonly #names: CallNames;
  readonly #metrics: Metrics;
  readonly #spans: Spans | null;
  readonly #feed: EpisodeFeed;
  #engine: Pick<Engine, "facts"> | null = null;

  /** See {@linkcode openTelemetry}. */
  constructor(names: CallNames, metrics: Metrics, spans: Spans | null) {
    this.#names = names;
    this.#metrics = metrics;
    this.#spans = spans;
    this.#feed = new EpisodeFeed({
      facts: async function* (this: Telemetry, runId: string) {
        if (this.#engine !== null) yield* this.#engine.facts(runId);
      }.bind(this),
      hear: (run, episode, again) => this.#hear(run, episode, again),
      retention: (spans?.delay ?? 0) + CLOSE_WITHIN,
    });
  }

  /** For the engine's options. */
  readonly engine: Required<Pick<EngineOptions, "onHappening" | "traceparent">> = {
    onHappening: (runId, workflow, event, origin) => {
      this.#count(runId, workflow, event);
      this.#feed.onHappening(runId, workflow, event, origin);
    },
    traceparent: (call) => this.#traceparent(call),
  };

  /** A journal whose commits are timed. */
  timed(journal: Journal): Journal {
    return timedJournal(journal, this.#metrics.committed);
  }

  /** The engine that is heard of, and where other figures come from. */
  watch(
    engine: Pick<Engine, "facts" | "breakers" | "serviceLoads">,
    sources: MetricSources = {},
  ): void {
    this.#engine = engine;
    this.#metrics.watch({
      breakers: () => engine.breakers(),
      services: () => engine.serviceLoads(),
      ...sources,
    });
  }

  /** For a scheduler's options. */
  readonly onMoment = ({ workflow, outcome }: ScheduledMoment): void => {
    this.#metrics.momentCame(workflow, outcome);
  };

  /** A webhook was called about a parked run, or could not be. */
  notified(outcome: "delivered" | "failed"): void {
    this.#metrics.notified(outcome);
  }

  /** The metrics as Prometheus' text. */
  metricsText(): Promise<string> {
    return this.#metrics.text();
  }

  /** Sends what is still to be sent, within two seconds. After the engine is closed, whose last facts it still hears. */
  async close(): Promise<void> {
    const sent = this.#feed.settled().then(() =>
      Promise.allSettled([this.#spans?.shutdown(), this.#metrics.shutdown()])
    );
    await within(CLOSE_WITHIN, sent);
  }

  #count(runId: string, workflow: Workflow, event: Happening): void {
    if (event.kind === "run_started" && !runId.includes("/")) {
      this.#metrics.runStarted(workflow.name);
    }
    if (event.kind === "attention_raised") this.#metrics.attentionRaised(workflow.name);
  }

  #hear(run: FollowedRun, episode: Episode, again: boolean): void {
    if (!again) this.#metrics.ended(run, episode);
    this.#spans?.tell(run, episode);
  }

  #traceparent(call: TracedCall): string {
    this.#names.learn(call);
    const { traceparent, runId, path, op, attempt } = call;
    const trace = this.#spans === null ? null : readTraceparent(traceparent);
    if (trace === null || this.#spans === null) return traceparent;
    if (!isRecorded(traceparent, trace, this.#spans.ratio)) {
      return writeTraceparent({ ...trace, sampled: false });
    }
    return writeTraceparent({ ...trace, spanId: spanIdOf(attemptKey(runId, path, op, attempt)) });
  }
}

async function resourceOf(
  version: string,
  env: (name: string) => string | undefined,
): Promise<Resource> {
  const { detectResources, envDetector, resourceFromAttributes } = await import(
    "@opentelemetry/resources"
  );
  return resourceFromAttributes({
    "service.name": env("OTEL_SERVICE_NAME") ?? "maestro",
    "service.version": version,
    "service.instance.id": crypto.randomUUID(),
  }).merge(detectResources({ detectors: [envDetector] }));
}
