/** What OpenTelemetry's environment variables ask for, and what of it there is. */
import assert from "node:assert/strict";
import { exportOptions } from "../../src/telemetry/export_options.ts";
import { openTelemetry } from "../../src/telemetry/telemetry.ts";
import { OtlpReceiver } from "../support/otlp_receiver.ts";

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://localhost:4318" };

function options(env: Readonly<Record<string, string>>) {
  return exportOptions((name) => env[name]);
}

for (
  const [name, value] of [
    ["OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"],
    ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"],
    ["OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "grpc"],
    ["OTEL_EXPORTER_OTLP_PROTOCOL", "http/xml"],
    ["OTEL_TRACES_EXPORTER", "zipkin"],
    ["OTEL_METRICS_EXPORTER", "prometheus"],
    ["OTEL_TRACES_SAMPLER", "jaeger_remote"],
    ["OTEL_EXPORTER_OTLP_TIMEOUT", "10s"],
    ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "localhost:4317"],
  ] as const
) {
  Deno.test(`${name}=${value} is refused by name, and what there is instead is said`, () => {
    assert.throws(() => options({ ...ENDPOINT, [name]: value }), {
      code: "USAGE",
      message: new RegExp(`^Cannot use "${value}" as ${name}: Maestro knows .`),
    });
  });
}

Deno.test("where http/protobuf is asked for, it is said that JSON is sent", async () => {
  const name = "OTEL_EXPORTER_OTLP_PROTOCOL";
  await using receiver = new OtlpReceiver();
  const env: Record<string, string> = {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    [name]: "http/protobuf",
  };
  const note = `${name} is http/protobuf, and http/json is sent, to the same URL`;
  assert.deepEqual(options(env).notes, [note]);
  const heard: string[] = [];
  const telemetry = await openTelemetry({
    version: "1.0.0",
    env: (name) => env[name],
    onProblem: (message) => heard.push(message),
  });
  await telemetry.close();
  assert.deepEqual(heard, [note]);
});

Deno.test("of a protocol nothing is said where nothing is sent, or it is the one there is", () => {
  const name = "OTEL_EXPORTER_OTLP_PROTOCOL";
  assert.deepEqual(options({ [name]: "http/protobuf" }).notes, []);
  assert.deepEqual(options({ [name]: "grpc" }).traces, null);
  const off = { OTEL_SDK_DISABLED: "true", [name]: "grpc" };
  assert.deepEqual(options({ ...ENDPOINT, ...off }).notes, []);
  assert.deepEqual(options({ ...ENDPOINT, [name]: "http/json" }).notes, []);
});
