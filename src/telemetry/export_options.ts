/**
 * Where telemetry is sent, by OpenTelemetry's own environment variables.
 *
 * @module
 */
import { MaestroError } from "../errors.ts";

/** What the environment says. */
export interface ExportOptions {
  /** Where spans go; `null`: nowhere. */
  readonly traces: Destination | null;
  /** Where metrics go; `null`: nowhere. */
  readonly metrics: Destination | null;
  /** How many of the traces that begin here are recorded, from 0 to 1. */
  readonly ratio: number;
  /** How often metrics are sent, in milliseconds. */
  readonly metricInterval: number;
  /** How long spans are collected before they are sent, in milliseconds. */
  readonly spanDelay: number;
  /** What the environment asks for and does not get, though it works. */
  readonly notes: readonly string[];
}

/** Where something is sent by OTLP over HTTP. */
export interface Destination {
  readonly url: string;
  readonly headers: Record<string, string>;
  /** For one request, in milliseconds. */
  readonly timeoutMillis: number;
}

/** Reads an environment variable; `undefined` where it is not set. */
type Env = (name: string) => string | undefined;

/** Where a collector listens, where the environment says nothing: OpenTelemetry's default. */
const COLLECTOR = "http://localhost:4318";

/** OTLP's other form over HTTP. */
const PROTOBUF = "http/protobuf";

const PROTOCOLS = ["", "TRACES_", "METRICS_"].map((of) => `OTEL_EXPORTER_OTLP_${of}PROTOCOL`);

/** For one request, in milliseconds: OpenTelemetry's default. */
const TIMEOUT = 10_000;

/** How often metrics are sent, in milliseconds: OpenTelemetry's default. */
const METRIC_INTERVAL = 60_000;

/** How long spans are collected, in milliseconds: OpenTelemetry's default. */
const SPAN_DELAY = 5_000;

/**
 * Reads `OTEL_SDK_DISABLED`, `OTEL_{TRACES,METRICS}_EXPORTER`, `OTEL_TRACES_SAMPLER` with its argument,
 * `OTEL_EXPORTER_OTLP_{ENDPOINT,HEADERS,TIMEOUT,PROTOCOL}`, each also for one of the two signals,
 * `OTEL_METRIC_EXPORT_INTERVAL` and `OTEL_BSP_SCHEDULE_DELAY`. Nothing is sent unless an endpoint or an
 * exporter is named.
 *
 * @throws {MaestroError} `USAGE` where it asks for what Maestro does not do
 */
export function exportOptions(env: Env): ExportOptions {
  const off = env("OTEL_SDK_DISABLED")?.toLowerCase() === "true";
  const traces = off ? null : destination(env, "traces");
  const metrics = off ? null : destination(env, "metrics");
  return {
    traces,
    metrics,
    ratio: ratioOf(env),
    metricInterval: milliseconds(env, "OTEL_METRIC_EXPORT_INTERVAL") ?? METRIC_INTERVAL,
    spanDelay: milliseconds(env, "OTEL_BSP_SCHEDULE_DELAY") ?? SPAN_DELAY,
    notes: traces === null && metrics === null ? [] : protocolNotes(env),
  };
}

function destination(env: Env, signal: "traces" | "metrics"): Destination | null {
  const ofSignal = signal.toUpperCase();
  const name = `OTEL_${ofSignal}_EXPORTER`;
  const exporter = env(name) || undefined;
  if (exporter === "none") return null;
  if (exporter !== undefined && exporter !== "otlp") throw usage(name, exporter, "otlp and none");
  const names = (what: string) => [
    `OTEL_EXPORTER_OTLP_${ofSignal}_${what}`,
    `OTEL_EXPORTER_OTLP_${what}`,
  ];
  const said = (what: string) => names(what).map((name) => env(name)).find((value) => value);
  const [own = "", shared = ""] = names("ENDPOINT").map((name) => env(name));
  if (own === "" && shared === "" && exporter === undefined) return null;
  const url = own || `${(shared || COLLECTOR).replace(/\/$/, "")}/v1/${signal}`;
  if (!URL.canParse(url) || !/^https?:/.test(url)) {
    throw usage(
      names("ENDPOINT")[own === "" ? 1 : 0] ?? "",
      own || shared,
      `URLs such as ${COLLECTOR}`,
    );
  }
  checkProtocol(env, names("PROTOCOL"));
  const timeout = names("TIMEOUT").map((name) => milliseconds(env, name)).find((found) => found);
  return { url, headers: headersOf(said("HEADERS")), timeoutMillis: timeout ?? TIMEOUT };
}

/** @throws {MaestroError} `USAGE` where a receiver of that protocol would not understand JSON */
function checkProtocol(env: Env, names: readonly string[]): void {
  const name = names.find((name) => env(name));
  const protocol = name === undefined ? undefined : env(name);
  if (name === undefined || protocol === undefined) return;
  if (protocol === "http/json" || protocol === PROTOBUF) return;
  const known = "http/json, which OTLP receivers take beside http/protobuf, mostly at port 4318";
  throw usage(name, protocol, known);
}

/** Set for many programs of a cluster at once: it must not keep a server from starting. */
function protocolNotes(env: Env): string[] {
  return PROTOCOLS.filter((name) => env(name) === PROTOBUF).map((name) =>
    `${name} is ${PROTOBUF}, and http/json is sent, to the same URL`
  );
}

/** `key=value,key=value`, the values percent-encoded, as W3C baggage has it. */
function headersOf(text = ""): Record<string, string> {
  const pairs = text.split(",").map((pair) => pair.trim()).filter((pair) => pair !== "");
  return Object.fromEntries(pairs.map((pair) => {
    const at = pair.indexOf("=");
    try {
      if (at > 0) return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())];
    } catch { /* a stray % */ }
    // Mostly a token: it is not repeated.
    throw new MaestroError(
      "USAGE",
      "Cannot use OTEL_EXPORTER_OTLP_HEADERS: write key=value,key=value, with values percent-encoded",
    );
  }));
}

function ratioOf(env: Env): number {
  const name = "OTEL_TRACES_SAMPLER";
  const sampler = (env(name) || "always_on").replace(/^parentbased_/, "");
  if (sampler === "always_on") return 1;
  if (sampler === "always_off") return 0;
  if (sampler !== "traceidratio") {
    throw usage(
      name,
      sampler,
      "always_on, always_off and traceidratio, each also as parentbased_…",
    );
  }
  const ratio = Number(env(`${name}_ARG`) || "1");
  if (ratio >= 0 && ratio <= 1) return ratio;
  throw usage(`${name}_ARG`, String(env(`${name}_ARG`)), "numbers from 0 to 1");
}

function milliseconds(env: Env, name: string): number | undefined {
  const written = env(name) || undefined;
  if (written === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(written)) return Number(written);
  throw usage(name, written, "whole milliseconds");
}

function usage(name: string, value: string, known: string): MaestroError {
  return new MaestroError("USAGE", `Cannot use "${value}" as ${name}: Maestro knows ${known}`);
}
