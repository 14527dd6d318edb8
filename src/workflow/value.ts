/**
 * What expressions see and yield, and what flows from step to step.
 *
 * Plain data from JSON and YAML stays what it is; a service's answer stays a message
 * ({@linkcode MessageValue}), so that no digit, type or presence is lost on the way.
 *
 * @module
 */
/**
 * Documented by its package: for npm's types `deno doc --lint` would have us export all of them.
 *
 * @internal
 */
import type { CelUint } from "@bufbuild/cel";
import { celUint, isCelUint } from "@bufbuild/cel";
import {
  createRegistry,
  type DescMessage,
  fromJson,
  type Registry,
  toJson as protoToJson,
} from "@bufbuild/protobuf";
/** @internal as above */
import type { ReflectMessage } from "@bufbuild/protobuf/reflect";
import { isReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import { DurationSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { MaestroError } from "../errors.ts";
import { type Json, mapValues } from "./json.ts";
import { MessageValue, messageValue } from "./message.ts";
import { messageToJson } from "./message_json.ts";
import { keepMessage, type KeptMessage, readMessage } from "./message_kept.ts";

/**
 * A value: scalars as CEL has them (ints are bigints, uints `CelUint` of `npm:@bufbuild/cel`), times
 * and durations as `ReflectMessage` of `npm:@bufbuild/protobuf`, a service's answer as a message with
 * its type.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | CelUint
  | ReflectMessage
  | MessageValue
  | readonly Value[]
  | { readonly [key: string]: Value };

const NO_TYPES = createRegistry();

/**
 * A value as results and logs show it, and as a request is built from it.
 *
 * Messages are ProtoJSON with proto field names, defaults included; an int is a number where a
 * double holds it exactly, else its decimal digits as text; bytes are base64; NaN and the infinities
 * are `"NaN"`, `"Infinity"` and `"-Infinity"`; times are RFC 3339; durations are `"1.5s"`.
 */
export function toJson(value: Value): Json {
  switch (typeof value) {
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "bigint":
      return intToJson(value);
    case "object":
      return value === null ? null : objectToJson(value);
    default:
      return value;
  }
}

function intToJson(value: bigint): Json {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

function objectToJson(value: Exclude<Value, null | boolean | number | bigint | string>): Json {
  if (isList(value)) return value.map(toJson);
  if (value instanceof MessageValue) {
    return messageToJson(value.desc, value.message, value.registry);
  }
  if (value instanceof Uint8Array) return base64Encode(value);
  if (isCelUint(value)) return intToJson(value.value);
  if (isReflectMessage(value)) return messageToJson(value.desc, value.message, NO_TYPES);
  return mapValues(value, toJson);
}

/**
 * A value inside other text: scalars as CEL's `string()`, lists, maps and messages as JSON, times as
 * RFC 3339.
 *
 * @throws {MaestroError} `EXPRESSION_ERROR` for null, bytes and NaN, which no text stands for
 */
export function toText(value: Value): string {
  if (typeof value === "string") return value;
  const reason = whyNoText(value);
  if (reason !== undefined) {
    throw new MaestroError("EXPRESSION_ERROR", `Cannot make text: ${reason}`);
  }
  if (typeof value !== "object") return String(value); // as CEL: an integral double has no ".0"
  if (isCelUint(value)) return String(value.value);
  const json = toJson(value);
  return typeof json === "string" ? json : JSON.stringify(json);
}

/** Why a value has no text, with what to write instead; `undefined` where it has one. */
export function whyNoText(value: Value): string | undefined {
  if (value === null) return "it is null; write default(…, '') for a value that may be null";
  if (Number.isNaN(value)) return "it is NaN, which is not a number";
  return value instanceof Uint8Array ? "it is bytes; write base64(…) or string(…)" : undefined;
}

/**
 * A value as JSON from which {@linkcode untag} makes the same value again: what JSON can't carry is
 * tagged, all else stays readable as it is. A map whose own keys begin with `$` is wrapped in `$map`.
 */
export function tag(value: Value): Json {
  switch (typeof value) {
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0) ? value : {
        $double: Object.is(value, -0) ? "-0" : String(value),
      };
    case "bigint":
      return { $int: String(value) };
    case "object":
      return value === null ? null : tagObject(value);
    default:
      return value;
  }
}

function tagObject(value: Exclude<Value, null | boolean | number | bigint | string>): Json {
  if (isList(value)) return value.map(tag);
  if (value instanceof MessageValue) return { $message: value.desc.typeName, ...value.kept };
  if (value instanceof Uint8Array) return { $bytes: base64Encode(value) };
  if (isCelUint(value)) return { $uint: String(value.value) };
  if (isReflectMessage(value)) return tagTime(value);
  const tagged = mapValues(value, tag);
  return Object.keys(value).some((key) => key.startsWith("$")) ? { $map: tagged } : tagged;
}

function tagTime(value: ReflectMessage): Json {
  const name = value.desc.typeName === TimestampSchema.typeName
    ? "$time"
    : value.desc.typeName === DurationSchema.typeName
    ? "$duration"
    : null;
  try {
    if (name !== null) return { [name]: protoToJson(value.desc, value.message) as Json };
  } catch {
    // Out of the range that JSON has a form for.
  }
  const { desc, message } = value;
  return {
    $message: desc.typeName,
    ...keepMessage(desc, message, NO_TYPES),
    $reflect: true,
  };
}

/** Finds a message type by its full name. */
type Types = (typeName: string) => DescMessage | undefined;

/**
 * The value that was tagged.
 *
 * @param types finds the types of messages, and, without `registry`, those that an `Any` names
 * @throws {MaestroError} `STORE_FAILED` where a type is not at hand or the JSON was not tagged so
 */
export function untag(json: Json, types: Types, registry?: Registry): Value {
  if (json === null || typeof json !== "object") return json;
  if (isList(json)) return json.map((item) => untag(item, types, registry));
  const name = Object.keys(json).find((key) => key.startsWith("$"));
  if (name === undefined) return mapValues(json, (item) => untag(item, types, registry));
  const kept = json[name];
  if (name === "$map" && isFields(kept)) {
    return mapValues(kept, (item) => untag(item, types, registry));
  }
  if (typeof kept !== "string") throw unreadable(name);
  if (name === "$message") return untagMessage(kept, json, types, registry);
  return untagScalar(name, kept);
}

function untagScalar(name: string, kept: string): Value {
  switch (name) {
    case "$int":
      return BigInt(kept);
    case "$uint":
      return celUint(BigInt(kept));
    case "$double":
      return Number(kept);
    case "$bytes":
      return base64Decode(kept);
    case "$time":
      return reflect(TimestampSchema, fromJson(TimestampSchema, kept));
    case "$duration":
      return reflect(DurationSchema, fromJson(DurationSchema, kept));
    default:
      throw unreadable(name);
  }
}

function untagMessage(
  typeName: string,
  json: { readonly [key: string]: Json },
  types: Types,
  registry = registryOf(types),
): Value {
  const isTime = json["$reflect"] === true;
  const desc = types(typeName) ?? registry.getMessage(typeName) ??
    (isTime ? TIMES[typeName] : undefined);
  if (desc === undefined) {
    throw new MaestroError(
      "STORE_FAILED",
      `Cannot read a message ${typeName}: its schema is not at hand`,
    );
  }
  try {
    const message = readMessage(desc, json as KeptMessage, registry); // written by `tagMessage`
    return isTime ? reflect(desc, message) : messageValue(desc, message, registry);
  } catch (cause) {
    throw new MaestroError(
      "STORE_FAILED",
      `Cannot read a message ${typeName}: what was kept does not fit its schema`,
      { cause },
    );
  }
}

const TIMES: Readonly<Record<string, DescMessage>> = {
  [TimestampSchema.typeName]: TimestampSchema,
  [DurationSchema.typeName]: DurationSchema,
};

function unreadable(name: string): MaestroError {
  return new MaestroError("STORE_FAILED", `Cannot read a value tagged "${name}"`);
}

/** A registry that finds messages by a function. */
function registryOf(types: Types): Registry {
  return { ...NO_TYPES, getMessage: types };
}

function isList<T>(value: T): value is Extract<T, readonly unknown[]> {
  return Array.isArray(value);
}

function isFields(json: Json | undefined): json is { readonly [key: string]: Json } {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
