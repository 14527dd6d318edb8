import {
  create,
  type DescMessage,
  fromJson,
  type Message,
  type Registry,
} from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import type { Json } from "../workflow/json.ts";
import { toJson, type Value } from "../workflow/value.ts";
import { encodeScalar } from "./encode_scalar.ts";
import { type FieldPath, misfit } from "./invalid_request.ts";
import { messageOf } from "./message_input.ts";

/** What each type looks like, for messages. */
const FORMS: Readonly<Record<string, string>> = {
  "google.protobuf.Timestamp": 'a time (Timestamp), such as "2026-01-31T12:00:00Z"',
  "google.protobuf.Duration": 'a duration (Duration) in seconds, such as "1.5s"',
  "google.protobuf.FieldMask": 'a field mask, such as "user.name,email"',
  "google.protobuf.Struct": "an object (Struct)",
  "google.protobuf.Value": "a JSON value",
  "google.protobuf.ListValue": "a list (ListValue)",
};

/**
 * Encodes a type with a JSON form of its own: times, durations, masks, Struct and its kin, wrappers.
 *
 * @throws {MaestroError} `INVALID_REQUEST`, where the value does not have that form
 */
export function encodeWellKnown(
  desc: DescMessage,
  value: Value,
  registry: Registry,
  path: FieldPath,
): Message {
  const [inner] = desc.fields;
  if (isWrapperDesc(desc) && inner?.fieldKind === "scalar") {
    const plain = messageOf(value) === undefined ? value : toJson(value);
    const message = reflect(desc, create(desc), false);
    message.set(inner, encodeScalar(inner.scalar, plain, path));
    return message.message;
  }
  try {
    return fromJson(desc, jsonFor(desc, value), { registry });
  } catch {
    throw misfit(path, value, FORMS[desc.typeName] ?? desc.typeName);
  }
}

/** `fromJson` only reads its argument, though its type does not say so. */
function jsonFor(desc: DescMessage, value: Value) {
  const json: Json = toJson(value);
  const isMask = desc.typeName === "google.protobuf.FieldMask" && typeof json === "string";
  // In masks too, either spelling of a field will do.
  const form = isMask
    ? json.replace(/_([a-z0-9])/g, (_, next: string) => next.toUpperCase())
    : json;
  return form as Parameters<typeof fromJson>[1];
}
