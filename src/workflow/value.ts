/**
 * What expressions see and yield, and what flows from step to step.
 *
 * Plain data from JSON and YAML stays what it is; a service's answer stays a message
 * ({@linkcode MessageValue}), so that no digit, type or presence is lost on the way.
 *
 * @module
 */
import { isCelUint } from "@bufbuild/cel";
import { toJson as messageToJson } from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { isReflectMessage } from "@bufbuild/protobuf/reflect";
import type { Json } from "./json.ts";
import { MessageValue } from "./message.ts";
import type { Value } from "./plain.ts";
import { protoJson } from "./proto_json.ts";

export type { Value };

/**
 * A value as JSON, for results, logs and requests: messages as ProtoJSON with proto field names and
 * defaults; integers as numbers where a double holds them exactly, else as strings; bytes as
 * base64, times as RFC 3339, durations as `1.5s`.
 */
export function toJson(value: Value): Json {
  switch (typeof value) {
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "bigint":
      return integerToJson(value);
    case "object":
      return value === null ? null : objectToJson(value);
    default:
      return value;
  }
}

function integerToJson(value: bigint): Json {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

function objectToJson(value: object): Json {
  if (value instanceof Uint8Array) return base64Encode(value);
  if (value instanceof MessageValue) {
    const json = protoJson(value.desc, value.message, value.registry);
    return value.typeUrl === null ? json : { "@type": value.typeUrl, ...asRecord(json) };
  }
  if (isCelUint(value)) return integerToJson(value.value);
  if (isReflectMessage(value)) return messageToJson(value.desc, value.message) as Json;
  if (Array.isArray(value)) return value.map(toJson);
  return Object.fromEntries(
    Object.entries(value as Readonly<Record<string, Value>>).map(([key, item]) => [key, toJson(item)]),
  );
}

function asRecord(json: Json): Readonly<Record<string, Json>> {
  const isRecord = typeof json === "object" && json !== null && !Array.isArray(json);
  return isRecord ? json as Readonly<Record<string, Json>> : { value: json };
}

/**
 * A value as text, where a template puts it between other text: scalars as CEL's `string()`, lists,
 * maps and messages as JSON, times as RFC 3339.
 *
 * @throws {Error} for null, bytes and NaN, which no text stands for
 */
export function toText(value: Value): string {
  if (value === null) throw new Error("null cannot be put into text");
  if (value instanceof Uint8Array) throw new Error("bytes cannot be put into text: use base64(…)");
  switch (typeof value) {
    case "string":
      return value;
    case "number":
      if (Number.isNaN(value)) throw new Error("NaN cannot be put into text");
      return doubleText(value);
    case "boolean":
    case "bigint":
      return String(value);
  }
  if (isCelUint(value)) return String(value.value);
  const json = toJson(value);
  return typeof json === "string" ? json : JSON.stringify(json);
}

/** Integral doubles print without a point, and without an exponent as long as they are exact. */
function doubleText(value: number): string {
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  return Number.isSafeInteger(value) ? String(BigInt(value)) : String(value);
}
