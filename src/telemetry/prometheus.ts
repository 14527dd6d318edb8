/**
 * Metrics as Prometheus' text (exposition format 0.0.4), named by OpenTelemetry's rules for it. The
 * SDK's own serializer leaves the units out of the names.
 *
 * @module
 */
import type { Attributes } from "@opentelemetry/api";
import { DataPointType, type MetricData, type ResourceMetrics } from "@opentelemetry/sdk-metrics";
import { type Instrument, INSTRUMENTS, prometheusName } from "./instruments.ts";

const BY_NAME: ReadonlyMap<string, Instrument> = new Map(
  Object.values(INSTRUMENTS).map((instrument) => [instrument.name, instrument]),
);

/** All of it, one metric after the other. */
export function prometheusText({ scopeMetrics }: ResourceMetrics): string {
  return scopeMetrics.flatMap(({ metrics }) => metrics).map(metricText).join("");
}

function metricText(metric: MetricData): string {
  const instrument = BY_NAME.get(metric.descriptor.name);
  if (instrument === undefined || metric.dataPoints.length === 0) return "";
  const name = prometheusName(instrument);
  const lines = [
    `# HELP ${name} ${instrument.description.replaceAll("\\", "\\\\")}`,
    `# TYPE ${name} ${instrument.kind}`,
    ...(metric.dataPointType === DataPointType.HISTOGRAM
      ? metric.dataPoints.flatMap(({ attributes, value }) => histogram(name, attributes, value))
      : metric.dataPoints.map(({ attributes, value }) =>
        `${name}${labels(attributes)} ${String(value)}`
      )),
  ];
  return `${lines.join("\n")}\n`;
}

/** What a histogram holds; of exponential ones there are none. */
interface Histogram {
  readonly buckets: { readonly boundaries: readonly number[]; readonly counts: readonly number[] };
  readonly sum?: number;
  readonly count: number;
}

function histogram(name: string, attributes: Attributes, value: Histogram): string[] {
  const { boundaries, counts } = value.buckets;
  let below = 0;
  const buckets = boundaries.map((boundary, at) => {
    below += counts[at] ?? 0;
    return `${name}_bucket${labels(attributes, String(boundary))} ${below}`;
  });
  return [
    ...buckets,
    `${name}_bucket${labels(attributes, "+Inf")} ${value.count}`,
    `${name}_sum${labels(attributes)} ${value.sum ?? 0}`,
    `${name}_count${labels(attributes)} ${value.count}`,
  ];
}

function labels(attributes: Attributes, le?: string): string {
  const pairs = Object.entries(attributes).map(([key, value]) =>
    `${key.replaceAll(/[^A-Za-z0-9_]/g, "_")}="${escaped(String(value))}"`
  );
  if (le !== undefined) pairs.push(`le="${le}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
