/**
 * The plain values that scalars, enums and protobuf's well-known types stand for in expressions.
 *
 * @module
 */
import { celUint } from "@bufbuild/cel";
import { type DescEnum, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { reflect, type ScalarValue } from "@bufbuild/protobuf/reflect";
import {
  isWrapperDesc,
  type ListValue,
  type Struct,
  type Value as StructItem,
} from "@bufbuild/protobuf/wkt";
import type { Value } from "./value.ts";

/**
 * The value of a well-known type: times and durations as CEL has them, wrappers as scalars, `Struct`
 * and its kin as plain data; `undefined` for any other message.
 */
export function wellKnownToValue(desc: DescMessage, message: Message): Value | undefined {
  if (!desc.typeName.startsWith("google.protobuf.")) return undefined;
  switch (desc.typeName) { // the name tells the type
    case "google.protobuf.Timestamp":
    case "google.protobuf.Duration":
      return reflect(desc, message, false);
    case "google.protobuf.Struct":
      return structToValue(message as Struct);
    case "google.protobuf.Value":
      return itemToValue(message as StructItem);
    case "google.protobuf.ListValue":
      return (message as ListValue).values.map(itemToValue);
  }
  const field = isWrapperDesc(desc) ? desc.fields[0] : undefined;
  return field?.fieldKind === "scalar"
    ? scalarToValue(field.scalar, reflect(desc, message, false).get(field))
    : undefined;
}

function structToValue(struct: Struct): Value {
  return Object.fromEntries(
    Object.entries(struct.fields).map(([key, item]) => [key, itemToValue(item)]),
  );
}

function itemToValue({ kind }: StructItem): Value {
  switch (kind.case) {
    case "structValue":
      return structToValue(kind.value);
    case "listValue":
      return kind.value.values.map(itemToValue);
    case "nullValue":
    case undefined:
      return null;
    default:
      return kind.value;
  }
}

/** A scalar as CEL has it: an int of any width is a bigint, a uint is a uint. */
export function scalarToValue(type: ScalarType, value: ScalarValue): Value {
  switch (type) {
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return BigInt(value as number | bigint | string); // by its type
    case ScalarType.UINT32:
    case ScalarType.UINT64:
    case ScalarType.FIXED32:
    case ScalarType.FIXED64:
      return celUint(BigInt(value as number | bigint | string)); // by its type
    default:
      return value;
  }
}

/** An enum's value is its name; a number that the schema has no name for is an int. */
export function enumToValue(desc: DescEnum, number: number): Value {
  if (desc.typeName === "google.protobuf.NullValue") return null;
  return desc.value[number]?.name ?? BigInt(number);
}
