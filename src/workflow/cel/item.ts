/**
 * What the evaluator handles: values, and what never leaves an expression as it is.
 *
 * @module
 */
import { type CelUint, isCelUint } from "@bufbuild/cel";
import { createRegistry } from "@bufbuild/protobuf";
import { isReflectMessage, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import { MessageValue } from "../message.ts";
import { innermost, messageToValue } from "../message_fields.ts";
import type { Value } from "../value.ts";

/** A map written in an expression, or a message's, that has keys besides text. */
export type KeyedItems = ReadonlyMap<string | bigint | boolean, Item>;

/** A map whose keys are all text. */
export type Fields = { readonly [key: string]: Item };

/** What an expression's parts evaluate to. */
export type Item = Value | TypeItem | KeyedItems | readonly Item[] | Fields;

/** A type as a value: `int`, or what `type(x)` gives. */
export class TypeItem {
  constructor(readonly name: string) {}
}

/** What kind of thing an item is, as messages call it. */
export type Kind =
  | "null"
  | "bool"
  | "int"
  | "uint"
  | "double"
  | "string"
  | "bytes"
  | "timestamp"
  | "duration"
  | "list"
  | "map"
  | "message"
  | "type";

/** What kind of thing an item is; both kinds of maps are `map`. */
export function kindOf(item: Item): Kind {
  switch (typeof item) {
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return "double";
  }
  if (item === null) return "null";
  if (Array.isArray(item)) return "list";
  const prototype = Object.getPrototypeOf(item);
  if (prototype === Object.prototype || prototype === null) return "map";
  if (item instanceof MessageValue) return "message";
  if (item instanceof Uint8Array) return "bytes";
  if (item instanceof TypeItem) return "type";
  if (isCelUint(item)) return "uint";
  if (isReflectMessage(item)) {
    return item.desc.typeName === "google.protobuf.Duration" ? "duration" : "timestamp";
  }
  return "map";
}

const NO_TYPES = createRegistry();

/**
 * A value that comes from outside, as the evaluator handles it: a message of a well-known type is the
 * plain value that it stands for.
 */
export function settle(value: Item): Item {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  if (value instanceof MessageValue) return messageToValue(value);
  if (!isReflectMessage(value)) return value;
  return isTime(value) ? value : fromReflect(value);
}

function fromReflect({ desc, message }: ReflectMessage): Item {
  return messageToValue(new MessageValue(desc, message, NO_TYPES));
}

/** A point in time or a duration. */
export function isTime(item: Item): item is ReflectMessage {
  return isReflectMessage(item) &&
    (item.desc.typeName === "google.protobuf.Timestamp" ||
      item.desc.typeName === "google.protobuf.Duration");
}

/** A list. */
export function isList(item: Item): item is readonly Item[] {
  return Array.isArray(item);
}

/** A map whose keys are all text. */
export function isFields(item: Item): item is Fields {
  return kindOf(item) === "map" && !(item instanceof Map);
}

/** A map that has keys besides text. */
export function isKeyed(item: Item): item is KeyedItems {
  return item instanceof Map;
}

/** An unsigned int. */
export function isUint(item: Item): item is CelUint {
  return isCelUint(item);
}

/** The name of an item's type, as CEL writes it. */
export function typeNameOf(item: Item): string {
  const kind = kindOf(item);
  switch (kind) {
    case "null":
      return "null_type";
    case "timestamp":
    case "duration":
      return `google.protobuf.${kind === "timestamp" ? "Timestamp" : "Duration"}`;
    case "message":
      return item instanceof MessageValue ? innermost(item).desc.typeName : kind;
    default:
      return kind;
  }
}

/** With its article, for messages: `a string`, `an int`, `null`. */
export function a(kind: Kind): string {
  return kind === "null" || kind === "bytes" ? kind : `${/^i/.test(kind) ? "an" : "a"} ${kind}`;
}
