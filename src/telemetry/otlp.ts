/**
 * Sends spans and metrics to a collector by OTLP over HTTP.
 *
 * @module
 */
import { diag, DiagLogLevel } from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { type IMetricReader, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace";
import type { Destination } from "./export_options.ts";

/** Spans that wait to be sent at most; what comes beyond them is dropped: a collector must not fill us up. */
const MOST_SPANS = 16_384;

/** Takes spans on their way. */
export function spanExporter(to: Destination, delay: number): BatchSpanProcessor {
  return new BatchSpanProcessor({
    exporter: new OTLPTraceExporter(to),
    maxQueueSize: MOST_SPANS,
    scheduledDelayMillis: delay,
  });
}

/** Sends metrics now and then. */
export function metricExporter(to: Destination, interval: number): IMetricReader {
  return new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter(to),
    exportIntervalMillis: interval,
    exportTimeoutMillis: Math.min(interval, to.timeoutMillis),
  });
}

/** Has the exporters say what goes wrong. */
export function tellProblems(tell: (message: string) => void): void {
  const hear = (message: string, ...more: unknown[]) => {
    tell(
      [message, ...more.map((one) => one instanceof Error ? one.message : String(one))].join(" "),
    );
  };
  const ignore = () => {};
  diag.setLogger(
    { error: hear, warn: hear, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}
