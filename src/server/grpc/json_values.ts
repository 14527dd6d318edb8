/**
 * JSON and times as protobuf's well-known types, and back.
 *
 * @module
 */
import { fromJson, type JsonObject, type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs, type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Json } from "../../workflow/json.ts";
import { fieldError } from "./field_error.ts";

/** Any JSON, `null` included. */
export function valueOf(json: Json): Value {
  return fromJson(ValueSchema, json as JsonValue); // differs in what may be written to it
}

/** The same, or absent where it is `null`. */
export function valueUnlessNull(json: Json): { value?: Value } {
  return json === null ? {} : { value: valueOf(json) };
}

/**
 * What a value says.
 *
 * @param field of the request that has it
 * @throws {MaestroError} `USAGE` where it says nothing, or a number that JSON has not
 */
export function jsonOf(value: Value, field: string): Json {
  try {
    return toJson(ValueSchema, value);
  } catch {
    throw fieldError(field, "a number in it is not finite, or a value in it has no kind");
  }
}

/** What a struct says. @throws {MaestroError} `USAGE`, as with {@linkcode jsonOf} */
export function jsonOfStruct(struct: JsonObject, field: string): Json {
  let value: Value;
  try {
    value = fromJson(ValueSchema, struct); // protobuf-es takes structs as they come
  } catch {
    throw fieldError(field, "a value in it has no kind");
  }
  return jsonOf(value, field);
}

/** A map as protobuf-es wants a `Struct`: as plain JSON. */
export function structOf(json: Json): JsonObject {
  return json as JsonObject; // differs in what may be written to it
}

/** RFC 3339 as a time. */
export function timeOf(text: string): Timestamp {
  return timestampFromMs(Date.parse(text));
}
