/**
 * Reads Prometheus' text, strictly: what is not of its format is an error.
 *
 * @module
 */

/** One sample; of a histogram, all that belongs together. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  value?: number;
  /** By their upper bounds. */
  readonly buckets: Record<string, number>;
  sum?: number;
  count?: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$/;

/** Samples by the name of their metric. @throws where a line can't be read, or its metric is not described */
export function readPrometheus(text: string): ReadonlyMap<string, readonly Sample[]> {
  const types = new Map<string, string>();
  const metrics = new Map<string, Sample[]>();
  if (!text.endsWith("\n")) throw new Error("The last line does not end");
  for (const line of text.slice(0, -1).split("\n")) {
    const [, kind, described = "", type = ""] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind === "TYPE") {
      if (types.has(described)) throw new Error(`${described} is described twice`);
      types.set(described, type);
    }
    if (kind !== undefined) continue;
    const [, name = "", written = "", value = ""] = LINE.exec(line) ?? [];
    if (name === "" || Number.isNaN(Number(value))) throw new Error(`This is no sample: ${line}`);
    const [, base = name, part = ""] = /^(.+)_(bucket|sum|count)$/.exec(name) ?? [];
    const isPart = types.get(base) === "histogram";
    const metric = isPart ? base : name;
    if (!types.has(metric)) throw new Error(`${metric} is not described`);
    const { le, ...labels } = labelsOf(written);
    const samples = metrics.get(metric) ?? [];
    metrics.set(metric, samples);
    const key = JSON.stringify(labels);
    let sample = samples.find((one) => JSON.stringify(one.labels) === key);
    if (sample === undefined) samples.push(sample = { labels, buckets: {} });
    else if (!isPart) throw new Error(`This sample is there twice: ${line}`);
    if (!isPart) sample.value = Number(value);
    else if (part === "bucket") sample.buckets[le ?? ""] = Number(value);
    else if (part === "sum") sample.sum = Number(value);
    else sample.count = Number(value);
  }
  return metrics;
}

function labelsOf(written: string): Record<string, string> {
  const pairs = written.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g);
  return Object.fromEntries(
    [...pairs].map(([, key = "", value = ""]) => [
      key,
      value.replaceAll(/\\(.)/g, (_, char) => char === "n" ? "\n" : char),
    ]),
  );
}
