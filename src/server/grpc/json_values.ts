/**
 * JSON and times as protobuf's well-known types, and back.
 *
 * @module
 */
import { fromJson, type JsonObject, type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs, type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Json } from "../../workflow/json.ts";

/** Any JSON, `null` included. */
export function valueOf(json: Json): Value {
  return fromJson(ValueSchema, json as JsonValue); // differs in what may be written to it
}

/** The same, or absent where it is `null`. */
export function valueUnlessNull(json: Json): { value?: Value } {
  return json === null ? {} : { value: valueOf(json) };
}

/** What a value says. */
export function jsonOf(value: Value): Json {
  return toJson(ValueSchema, value);
}

/** A map as protobuf-es wants a `Struct`: as plain JSON. */
export function structOf(json: Json): JsonObject {
  return json as JsonObject; // differs in what may be written to it
}

/** RFC 3339 as a time. */
export function timeOf(text: string): Timestamp {
  return timestampFromMs(Date.parse(text));
}
