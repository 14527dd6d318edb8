import {
  create,
  type DescField,
  type DescMessage,
  type Message,
  type Registry,
  ScalarType,
  toBinary,
} from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import { anyPack, AnySchema, hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import type { Value } from "../workflow/value.ts";
import { didYouMean } from "../workflow/nearest.ts";
import { encodeEnum, encodeScalar } from "./encode_scalar.ts";
import { encodeWellKnown } from "./encode_well_known.ts";
import { entryAt, fieldAt, type FieldPath, invalid, itemAt, misfit } from "./invalid_request.ts";
import { asType, type Fields, fieldsOf, messageOf } from "./message_input.ts";

/**
 * Plain data, messages, or a mixture, as a message. Fields may be spelt as in the .proto file or in
 * lowerCamelCase.
 *
 * @param registry finds the types that an `Any` names
 * @param path where the value stands in the request
 * @throws {MaestroError} `INVALID_REQUEST`, naming the path of the first field that does not fit
 */
export function encodeMessage(
  desc: DescMessage,
  value: Value,
  registry: Registry,
  path: FieldPath = "",
): Message {
  const typed = messageOf(value);
  if (typed !== undefined && typed.desc.typeName === desc.typeName) return asType(desc, typed);
  if (desc.typeName === AnySchema.typeName) {
    return typed === undefined
      ? encodeAny(value, registry, path)
      : anyPack(typed.desc, typed.message);
  }
  if (hasCustomJsonRepresentation(desc)) return encodeWellKnown(desc, value, registry, path);
  const fields = fieldsOf(value);
  if (fields === undefined) {
    throw misfit(path, value, `the message ${desc.typeName}, which takes an object`);
  }
  return encodeFields(desc, fields, registry, path);
}

function encodeFields(
  desc: DescMessage,
  fields: Fields,
  registry: Registry,
  path: FieldPath,
): Message {
  const message = reflect(desc, create(desc), false);
  const known = fieldsByName(desc);
  /** The spelling by which each field, and each oneof, was set. */
  const set = new Map<unknown, string>();
  for (const [name, value] of Object.entries(fields)) {
    const at = fieldAt(path, name);
    const field = known.get(name);
    if (field === undefined) throw unknownField(desc, name, at);
    const twin = set.get(field);
    if (twin !== undefined) throw invalid(at, `The same field is also given as "${twin}"`);
    set.set(field, name);
    if (!setField(message, field, value, registry, at) || field.oneof === undefined) continue;
    const rival = set.get(field.oneof);
    if (rival !== undefined) {
      throw invalid(at, `Only one of "${field.oneof.name}" can be set, and "${rival}" is set too`);
    }
    set.set(field.oneof, name);
  }
  return message.message;
}

function unknownField(desc: DescMessage, name: string, at: FieldPath) {
  const names = desc.fields.map((field) => field.name);
  const list = names.length === 0 ? "none" : names.slice(0, 20).join(", ");
  const hint = didYouMean(name, names) || `; it has ${list}`;
  return invalid(at, `The message ${desc.typeName} has no field "${name}"${hint}`);
}

const fieldMaps = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>();

/** A message's fields by either spelling. */
function fieldsByName(desc: DescMessage): ReadonlyMap<string, DescField> {
  let fields = fieldMaps.get(desc);
  if (fields === undefined) {
    fields = new Map(
      desc.fields.flatMap((field) => [[field.jsonName, field], [field.name, field]]),
    );
    fieldMaps.set(desc, fields);
  }
  return fields;
}

/** @returns whether there was something to set */
function setField(
  message: ReflectMessage,
  field: DescField,
  value: Value,
  registry: Registry,
  path: FieldPath,
): boolean {
  switch (field.fieldKind) {
    case "scalar":
    case "enum":
      if (value === null && !isNullEnum(field)) {
        throw invalid(path, "Cannot use null here: leave the field out for its default");
      }
      message.set(
        field,
        field.fieldKind === "enum"
          ? encodeEnum(field.enum, value, path)
          : encodeScalar(field.scalar, value, path),
      );
      return true;
    case "message": {
      // In ProtoJSON null is an absent message, but for Value, whose null is a value.
      if (value === null && field.message.typeName !== "google.protobuf.Value") return false;
      const encoded = encodeMessage(field.message, value, registry, path);
      message.set(field, reflect(field.message, encoded, false));
      return true;
    }
    case "list": {
      if (!isList(value)) throw misfit(path, value, "a list");
      const list = message.get(field);
      for (const [index, item] of value.entries()) {
        list.add(encodeElement(field, item, registry, itemAt(path, index)));
      }
      return true;
    }
    case "map": {
      const entries = fieldsOf(value);
      if (entries === undefined) throw misfit(path, value, "a map");
      const map = message.get(field);
      for (const [key, item] of Object.entries(entries)) {
        const at = entryAt(path, key);
        map.set(encodeKey(field, key, at), encodeElement(field, item, registry, at));
      }
      return true;
    }
  }
}

type ListField = Extract<DescField, { fieldKind: "list" }>;
type MapField = Extract<DescField, { fieldKind: "map" }>;

/** An item of a list, or a value of a map. */
function encodeElement(
  field: ListField | MapField,
  value: Value,
  registry: Registry,
  path: FieldPath,
): unknown {
  if (field.message !== undefined) {
    return reflect(field.message, encodeMessage(field.message, value, registry, path), false);
  }
  return field.enum === undefined
    ? encodeScalar(field.scalar, value, path)
    : encodeEnum(field.enum, value, path);
}

function encodeKey(field: MapField, key: string, path: FieldPath): unknown {
  const bool = field.mapKey === ScalarType.BOOL && (key === "true" || key === "false");
  return encodeScalar(field.mapKey, bool ? key === "true" : key, path);
}

/** ProtoJSON's form of an `Any`: its `@type` beside its fields, or beside a `value`. */
function encodeAny(value: Value, registry: Registry, path: FieldPath): Message {
  const { "@type": url, ...content } = fieldsOf(value) ?? {};
  if (typeof url !== "string") {
    throw misfit(path, value, 'an Any: it takes an object with an "@type"');
  }
  const desc = registry.getMessage(url.slice(url.lastIndexOf("/") + 1));
  const typeUrl = url.includes("/") ? url : `type.googleapis.com/${url}`;
  if (desc === undefined) {
    // What came from a service and is of no known type can still be handed on, byte for byte.
    if (typeof content.value === "string" && Object.keys(content).length === 1) {
      const bytes = encodeScalar(ScalarType.BYTES, content.value, fieldAt(path, "value"));
      if (bytes instanceof Uint8Array) return create(AnySchema, { typeUrl, value: bytes });
    }
    throw invalid(fieldAt(path, "@type"), `The service's schema has no message "${url}"`);
  }
  const message = hasCustomJsonRepresentation(desc)
    ? encodeMessage(desc, content.value ?? null, registry, fieldAt(path, "value"))
    : encodeFields(desc, content, registry, path);
  return create(AnySchema, { typeUrl, value: toBinary(desc, message) });
}

function isNullEnum(field: DescField): boolean {
  return field.enum?.typeName === "google.protobuf.NullValue";
}

/** `Array.isArray` forgets what the items are. */
function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}
