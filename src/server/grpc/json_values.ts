/**
 * JSON and times as protobuf's well-known types, and back.
 *
 * @module
 */
import { fromJson, type JsonObject, type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs, type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Json } from "../../workflow/json.ts";
import { DEEPEST } from "../json_depth.ts";
import { fieldError } from "./field_error.ts";

/** What is sent back is what a run has: it is no stranger's. */
const AS_DEEP_AS_IT_IS = { recursionLimit: Infinity };

/** Any JSON, `null` included. */
export function valueOf(json: Json): Value {
  return fromJson(ValueSchema, json as JsonValue, AS_DEEP_AS_IT_IS); // differs in what may be written to it
}

/** The same, or absent where it is `null`. */
export function valueUnlessNull(json: Json): { value?: Value } {
  return json === null ? {} : { value: valueOf(json) };
}

/**
 * What a value says.
 *
 * @param field of the request that has it
 * @throws {MaestroError} `USAGE` where it says nothing, is too deep, or has a number that JSON has not or
 * that may have lost digits
 */
export function jsonOf(value: Value, field: string): Json {
  let json: Json;
  try {
    json = toJson(ValueSchema, value);
  } catch {
    throw fieldError(field, "a number in it is not finite, or a value in it has no kind");
  }
  checkJson(json, field, field, 1);
  return json;
}

/** Numbers come as doubles: of a whole one beyond 2^53 - 1 nobody knows whether it was meant. */
function checkJson(json: Json, path: string, field: string, level: number): void {
  if (typeof json === "number" && Number.isInteger(json) && !Number.isSafeInteger(json)) {
    throw fieldError(
      path,
      `${json} may have lost digits on its way, as whole numbers beyond 2^53 - 1 do: send it as a string`,
    );
  }
  if (typeof json !== "object" || json === null) return;
  if (level > DEEPEST) throw fieldError(field, `it is more than ${DEEPEST} levels deep`);
  if (Array.isArray(json)) {
    json.forEach((item, index) => checkJson(item, `${path}[${index}]`, field, level + 1));
  } else {
    for (const [key, value] of Object.entries(json)) {
      checkJson(value, `${path}.${key}`, field, level + 1);
    }
  }
}

/** What a struct says. @throws {MaestroError} `USAGE`, as with {@linkcode jsonOf} */
export function jsonOfStruct(struct: JsonObject, field: string): Json {
  let value: Value;
  try {
    value = fromJson(ValueSchema, struct, AS_DEEP_AS_IT_IS); // protobuf-es takes structs as they come
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
