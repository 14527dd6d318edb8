/**
 * A collector that takes traces and metrics by OTLP over HTTP, as JSON and as protobuf, and remembers
 * them.
 *
 * @module
 */
import protobuf from "protobufjs";

/** A span as it came. */
export interface ReceivedSpan {
  /** The `service.name` of who sent it. */
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  /** `""`: it is the root. */
  readonly parentSpanId: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  /** In nanoseconds since the epoch. */
  readonly from: bigint;
  readonly to: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly string[];
  /** 2: an error. */
  readonly status: number;
}

/** The parts of opentelemetry/proto/trace/v1 that are looked at. */
const PROTO = `syntax = "proto3";
message Traces { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Resource { repeated KeyValue attributes = 1; }
message ScopeSpans { repeated Span spans = 2; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
  repeated KeyValue attributes = 9; repeated Event events = 11; Status status = 15;
}
message Event { string name = 2; }
message Status { int32 code = 3; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
`;
const Traces = protobuf.parse(PROTO).root.lookupType("Traces");

/** Runs until it is disposed of. */
export class OtlpReceiver implements AsyncDisposable {
  /** In the order in which they came. */
  readonly spans: ReceivedSpan[] = [];
  /** The names of the metrics that came. */
  readonly metrics = new Set<string>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #waiting: (() => void)[] = [];

  constructor() {
    const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    this.#server = Deno.serve(options, (request) => this.#take(request));
  }

  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  get endpoint(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Resolves once something holds of what came. */
  async until(holds: (receiver: this) => boolean): Promise<void> {
    while (!holds(this)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** The span of that name; there has to be one. */
  named(name: string): ReceivedSpan {
    const [span, ...more] = this.spans.filter((one) => one.name === name);
    if (span === undefined || more.length > 0) {
      const names = this.spans.map((one) => one.name).join(", ");
      throw new Error(`There are ${more.length} more or none of "${name}" among: ${names}`);
    }
    return span;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #take(request: Request): Promise<Response> {
    const isJson = request.headers.get("content-type")?.startsWith("application/json");
    const body = new Uint8Array(await request.arrayBuffer());
    const path = new URL(request.url).pathname;
    if (path === "/v1/traces") {
      this.#takeTraces(isJson ? JSON.parse(new TextDecoder().decode(body)) : decoded(body));
    } else if (path === "/v1/metrics") {
      const { resourceMetrics } = JSON.parse(new TextDecoder().decode(body));
      for (const { scopeMetrics } of resourceMetrics) {
        for (const { metrics } of scopeMetrics) {
          for (const { name } of metrics) this.metrics.add(name);
        }
      }
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
    return new Response(isJson ? "{}" : new Uint8Array(), {
      headers: { "content-type": isJson ? "application/json" : "application/x-protobuf" },
    });
  }

  // deno-lint-ignore no-explicit-any -- what came from outside, and is looked at by name
  #takeTraces({ resourceSpans = [] }: any): void {
    for (const { resource, scopeSpans = [] } of resourceSpans) {
      const service = String(attributesOf(resource?.attributes)["service.name"]);
      for (const { spans = [] } of scopeSpans) {
        for (const span of spans) {
          this.spans.push({
            service,
            traceId: span.traceId,
            spanId: span.spanId,
            parentSpanId: span.parentSpanId ?? "",
            name: span.name,
            kind: span.kind,
            from: BigInt(span.startTimeUnixNano),
            to: BigInt(span.endTimeUnixNano),
            attributes: attributesOf(span.attributes),
            // deno-lint-ignore no-explicit-any -- as above
            events: (span.events ?? []).map(({ name }: any) => name),
            status: span.status?.code ?? 0,
          });
        }
      }
    }
  }
}

/** Protobuf in the form that OTLP's JSON has: ids in hex, wide numbers as text. */
function decoded(body: Uint8Array): unknown {
  const message = Traces.toObject(Traces.decode(body), { longs: String, bytes: Array });
  return JSON.parse(
    JSON.stringify(message),
    (key, value) => /^(traceId|spanId|parentSpanId)$/.test(key) ? hex(value) : value,
  );
}

function hex(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function attributesOf(
  // deno-lint-ignore no-explicit-any -- what came from outside
  attributes: readonly any[] = [],
): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => {
    const { stringValue, intValue, doubleValue, boolValue } = value ?? {};
    return [
      key,
      stringValue ?? (intValue === undefined ? doubleValue ?? boolValue : Number(intValue)),
    ];
  }));
}
