/**
 * The fields that a message has in expressions, and what they are there.
 *
 * A field without presence always exists, with its default. A field with presence (a message, a
 * member of a oneof, `optional`) that is not set is missing. Enums are names, well-known types are
 * the plain values that they stand for, and an `Any` has the fields of what it holds, and `@type`.
 *
 * @module
 */
import type { DescField, DescMessage, Message, Registry } from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import { type Any, FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { MessageValue } from "./message.ts";
import { unpack } from "./message_json.ts";
import type { Value } from "./value.ts";
import { enumToValue, scalarToValue, wellKnownToValue } from "./well_known_values.ts";

/** A message's map whose keys are ints or bools. A uint is an int here. */
export type KeyedMap = ReadonlyMap<bigint | boolean, Value>;

/** A field's value by its proto name; `undefined` where it is missing. */
export function readField(value: MessageValue, name: string): Value | KeyedMap | undefined {
  const shape = shapeOf(value);
  if (shape.held !== undefined) return readAny(value, shape.held, name);
  const field = fieldsOf(value.desc).get(name);
  if (field === undefined || !isPresent(shape.message, field)) return undefined;
  let read = shape.read.get(field);
  if (read === undefined) {
    read = fieldToValue(shape.message, field, value.registry);
    shape.read.set(field, read);
  }
  return read;
}

/** The names of the fields that are there. */
export function presentFields(value: MessageValue): readonly string[] {
  const { message, held } = shapeOf(value);
  if (held !== undefined) return anyFields(held, presentFields);
  return message.fields.filter((field) => isPresent(message, field)).map(({ name }) => name);
}

/** The names of all fields of the message's type. */
export function declaredFields(value: MessageValue): readonly string[] {
  const { message, held } = shapeOf(value);
  if (held !== undefined) return anyFields(held, declaredFields);
  return message.fields.map(({ name }) => name);
}

/** What an `Any` holds, else the message itself. */
export function innermost(value: MessageValue): MessageValue {
  const { held } = shapeOf(value);
  return held instanceof MessageValue ? innermost(held) : value;
}

/** A message as expressions see it: itself, or the plain value that a well-known type stands for. */
export function messageToValue(value: MessageValue): Value {
  const plain = wellKnownToValue(value.desc, value.message);
  if (plain !== undefined) return plain;
  const { held } = shapeOf(value);
  return held === undefined || held instanceof MessageValue || held === UNKNOWN ? value : held;
}

const UNKNOWN = Symbol("an Any of unknown type");

/** What is found out about a message once, since messages never change. */
interface Shape {
  readonly message: ReflectMessage;
  readonly read: Map<DescField, Value | KeyedMap>;
  /** What an `Any` holds; `undefined` for all other messages. */
  readonly held: Value | typeof UNKNOWN | undefined;
}

const shapes = new WeakMap<MessageValue, Shape>();

function shapeOf(value: MessageValue): Shape {
  let shape = shapes.get(value);
  if (shape === undefined) {
    shape = {
      message: reflect(value.desc, value.message, false),
      read: new Map(),
      held: value.desc.typeName === "google.protobuf.Any" ? heldBy(value) : undefined,
    };
    shapes.set(value, shape);
  }
  return shape;
}

function heldBy({ message, registry }: MessageValue): Value | typeof UNKNOWN {
  const inner = unpack(message as Any, registry); // told by its type's name
  const desc = inner && registry.getMessage(inner.$typeName);
  return inner && desc ? wrap(desc, inner, registry) : UNKNOWN;
}

function anyFields(held: Shape["held"], list: (value: MessageValue) => readonly string[]) {
  return ["@type", ...(held instanceof MessageValue ? list(held) : ["value"])];
}

function readAny(value: MessageValue, held: Shape["held"], name: string) {
  const any = value.message as Any; // told by its type's name
  if (name === "@type") return any.typeUrl;
  if (held instanceof MessageValue) return readField(held, name);
  return name === "value" ? any.value : undefined;
}

const fieldMaps = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>();

function fieldsOf(desc: DescMessage): ReadonlyMap<string, DescField> {
  let fields = fieldMaps.get(desc);
  if (fields === undefined) {
    fields = new Map(desc.fields.map((field) => [field.name, field]));
    fieldMaps.set(desc, fields);
  }
  return fields;
}

function isPresent(message: ReflectMessage, field: DescField): boolean {
  return field.presence === FeatureSet_FieldPresence.IMPLICIT || message.isSet(field);
}

function wrap(desc: DescMessage, message: Message, registry: Registry): Value {
  return messageToValue(new MessageValue(desc, message, registry));
}

function fieldToValue(
  message: ReflectMessage,
  field: DescField,
  registry: Registry,
): Value | KeyedMap {
  switch (field.fieldKind) {
    case "scalar":
      return scalarToValue(field.scalar, message.get(field));
    case "enum":
      return enumToValue(field.enum, message.get(field));
    case "message":
      return wrap(field.message, message.get(field).message, registry);
    case "list":
      return Array.from(message.get(field), (item) => itemToValue(field, item, registry));
    case "map": {
      const entries = Array.from(
        message.get(field),
        ([key, item]) => [key, itemToValue(field, item, registry)] as const,
      );
      const keyed = entries.filter((entry): entry is [number | bigint | boolean, Value] =>
        typeof entry[0] !== "string"
      );
      if (keyed.length === 0) return Object.fromEntries(entries);
      return new Map(
        keyed.map(([key, item]) => [typeof key === "boolean" ? key : BigInt(key), item]),
      );
    }
  }
}

function itemToValue(
  field: DescField & { fieldKind: "list" | "map" },
  item: unknown,
  registry: Registry,
): Value {
  if (field.message !== undefined) {
    const { desc, message } = item as ReflectMessage; // by the field's kind
    return wrap(desc, message, registry);
  }
  return field.enum === undefined
    ? scalarToValue(field.scalar, item as Parameters<typeof scalarToValue>[1]) // by the field's kind
    : enumToValue(field.enum, item as number); // by the field's kind
}
