/**
 * Messages as the journal keeps them: readable ProtoJSON where it is exact, else the message's bytes.
 *
 * @module
 */
import {
  type DescField,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonValue,
  type Message,
  type Registry,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import type { Any } from "@bufbuild/protobuf/wkt";
import type { Json } from "./json.ts";
import { unpack } from "./message_json.ts";
import { eachMessage } from "./message_walk.ts";

/** A message in a form from which {@linkcode readMessage} makes it again. */
export type KeptMessage = { readonly json: Json } | { readonly binary: string };

/** Nothing is lost: unknown fields, an `Any` of an unknown type and -0 are kept as bytes. */
export function keepMessage(desc: DescMessage, message: Message, registry: Registry): KeptMessage {
  if (isExactInJson(desc, message, registry)) {
    try {
      return { json: toJson(desc, message, { registry, useProtoFieldName: true }) as Json };
    } catch {
      // Such as a Timestamp out of range, which has no JSON form.
    }
  }
  return { binary: base64Encode(toBinary(desc, message)) };
}

/**
 * The message that was kept.
 *
 * @throws {Error} where it does not fit the type
 */
export function readMessage(desc: DescMessage, kept: KeptMessage, registry: Registry): Message {
  return "binary" in kept
    ? fromBinary(desc, base64Decode(kept.binary))
    : fromJson(desc, kept.json as JsonValue, { registry }); // the same type, but for readonly
}

function isExactInJson(desc: DescMessage, message: Message, registry: Registry): boolean {
  let exact = true;
  eachMessage(reflect(desc, message, false), (found) => {
    exact &&= (found.getUnknown()?.length ?? 0) === 0 &&
      !found.fields.some(holdsMinusZero, found) &&
      (found.desc.typeName !== "google.protobuf.Any" ||
        isExactAny(found.message as Any, registry)); // told by its type's name
  });
  return exact;
}

/** JSON has no -0. */
function holdsMinusZero(this: ReflectMessage, field: DescField): boolean {
  switch (field.fieldKind) {
    case "scalar":
      return Object.is(this.get(field), -0);
    case "list":
      return field.listKind === "scalar" &&
        [...this.get(field)].some((item) => Object.is(item, -0));
    case "map":
      return field.mapKind === "scalar" &&
        [...this.get(field).values()].some((item) => Object.is(item, -0));
    default:
      return false;
  }
}

function isExactAny(any: Any, registry: Registry): boolean {
  if (any.typeUrl === "") return any.value.length === 0;
  const inner = unpack(any, registry);
  const desc = inner && registry.getMessage(inner.$typeName);
  if (inner === undefined || desc === undefined) return false;
  return isExactInJson(desc, inner, registry) && sameBytes(toBinary(desc, inner), any.value);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
