/**
 * What expressions see and yield, and what flows from step to step.
 *
 * Plain data from JSON and YAML stays what it is; a service's answer stays a message
 * ({@linkcode MessageValue}), so that no digit, type or presence is lost on the way.
 *
 * @module
 */
import type { CelUint } from "@bufbuild/cel";
import type { ReflectMessage } from "@bufbuild/protobuf/reflect";
import type { MessageValue } from "./message.ts";

/** A value: scalars as CEL has them (ints are bigints), times and durations as protobuf messages. */
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

// PROVISIONAL until the expression room is finished.
import { toJson as protoToJson } from "@bufbuild/protobuf";
import { MessageValue as MV } from "./message.ts";
import type { Json } from "./json.ts";

export function toJson(value: Value): Json {
  if (value instanceof MV) {
    return protoToJson(value.desc, value.message, {
      registry: value.registry,
      useProtoFieldName: true,
      alwaysEmitImplicit: true,
    }) as Json;
  }
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (value && typeof value === "object" && value.constructor === Object) {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, toJson(v as Value)]));
  }
  return value as Json;
}
export function toText(value: Value): string {
  return typeof value === "string" ? value : JSON.stringify(toJson(value));
}
export function tag(value: Value): Json {
  return toJson(value);
}
export function untag(json: Json, _types: unknown): Value {
  return json as Value;
}
