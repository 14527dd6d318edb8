/**
 * Values as JSON without loss, for journals: what JSON can't carry is an object with one key that
 * begins with `$`.
 *
 * | value | tagged |
 * |---|---|
 * | int, uint | `{"$int": "5"}`, `{"$uint": "5"}` |
 * | NaN, ±Infinity, -0 | `{"$double": "NaN"}` |
 * | bytes | `{"$bytes": "base64"}` |
 * | time, duration | `{"$time": "2026-01-01T00:00:00Z"}`, `{"$duration": "1.5s"}` |
 * | message | `{"$message": "acme.User", "json": {…}}`, or `"binary"` where ProtoJSON would lose something |
 * | a map with a key that begins with `$` | `{"$map": {…}}` |
 *
 * @module
 */
import { celUint, isCelUint } from "@bufbuild/cel";
import {
  createRegistry,
  type DescMessage,
  equals,
  fromBinary,
  fromJson,
  type JsonValue,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { isReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { DurationSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import type { Json } from "./json.ts";
import { MessageValue } from "./message.ts";
import { protoJson } from "./proto_json.ts";
import type { Value } from "./value.ts";

/** Finds a message type by its full name, with what is needed to read it. */
export type FindType = (typeName: string) => DescMessage | undefined;

/** A value as JSON, nothing lost. */
export function tag(value: Value): Json {
  switch (typeof value) {
    case "bigint":
      return { $int: String(value) };
    case "number":
      if (Number.isFinite(value) && !Object.is(value, -0)) return value;
      return { $double: Object.is(value, -0) ? "-0" : String(value) };
    case "object":
      return value === null ? null : tagObject(value);
    default:
      return value;
  }
}

function tagObject(value: object): Json {
  if (value instanceof Uint8Array) return { $bytes: base64Encode(value) };
  if (value instanceof MessageValue) return tagMessage(value);
  if (isCelUint(value)) return { $uint: String(value.value) };
  if (isReflectMessage(value)) {
    const key = value.desc.typeName === TimestampSchema.typeName ? "$time" : "$duration";
    return { [key]: toJson(value.desc, value.message) as Json };
  }
  if (Array.isArray(value)) return value.map(tag);
  const entries = Object.entries(value as Readonly<Record<string, Value>>);
  const map = Object.fromEntries(entries.map(([key, item]) => [key, tag(item)]));
  return entries.some(([key]) => key.startsWith("$")) ? { $map: map } : map;
}

function tagMessage({ desc, message, registry, typeUrl }: MessageValue): Json {
  const head = { $message: desc.typeName, ...(typeUrl !== null && { url: typeUrl }) };
  const json = protoJson(desc, message, registry);
  return survives(desc, message, json, registry)
    ? { ...head, json }
    : { ...head, binary: base64Encode(toBinary(desc, message)) };
}

/** Unknown fields, unknown enum numbers and an `Any` of unknown type are lost in ProtoJSON. */
function survives(
  desc: DescMessage,
  message: MessageValue["message"],
  json: Json,
  registry: MessageValue["registry"],
): boolean {
  if (message.$unknown?.length) return false;
  if (desc.fields.every((field) => field.message === undefined)) return true;
  try {
    const back = fromJson(desc, json as JsonValue, { registry });
    return equals(desc, message, back, { unknown: true, registry });
  } catch {
    return false;
  }
}

/**
 * The value of what {@linkcode tag} gave. A message whose type can't be found comes back as plain data.
 *
 * @param types finds message types by their full names
 */
export function untag(json: Json, types: FindType): Value {
  if (typeof json !== "object" || json === null) return json;
  if (isList(json)) return json.map((item) => untag(item, types));
  const [key] = Object.keys(json);
  const body = key === undefined ? undefined : json[key];
  if (typeof body === "string" && key !== undefined) {
    const value = untagScalar(key, body);
    if (value !== undefined) return value;
    if (key === "$message") return untagMessage(body, json, types);
  }
  const map = key === "$map" ? body as Readonly<Record<string, Json>> : json;
  return Object.fromEntries(Object.entries(map).map(([name, item]) => [name, untag(item, types)]));
}

function isList(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}

function untagScalar(key: string, text: string): Value | undefined {
  switch (key) {
    case "$int":
      return BigInt(text);
    case "$uint":
      return celUint(BigInt(text));
    case "$double":
      return Number(text);
    case "$bytes":
      return base64Decode(text);
    case "$time":
      return reflect(TimestampSchema, fromJson(TimestampSchema, text));
    case "$duration":
      return reflect(DurationSchema, fromJson(DurationSchema, text));
    default:
      return undefined;
  }
}

function untagMessage(typeName: string, tagged: Json & object, types: FindType): Value {
  const { json = null, binary, url = null } = tagged as Readonly<Record<string, Json>>;
  const desc = types(typeName);
  if (desc === undefined) return json as Value;
  const registry = createRegistry(desc.file);
  const found = { ...registry, getMessage: types } as typeof registry;
  const message = typeof binary === "string"
    ? fromBinary(desc, base64Decode(binary))
    : fromJson(desc, json as JsonValue, { registry: found });
  return new MessageValue(desc, message, found, url as string | null);
}
