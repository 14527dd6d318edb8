/**
 * Values on their way into the CEL library and back.
 *
 * @module
 */
import {
  type CelList,
  celList,
  type CelValue,
  isCelList,
  isCelMap,
  isCelType,
  isCelUint,
} from "@bufbuild/cel";
import { isReflectMessage } from "@bufbuild/protobuf/reflect";
import { FieldMap, RecordMap } from "./record_map.ts";
import type { Value } from "./plain.ts";

/** What was made of a list or record, so that each is converted once and comes back as what it was. */
const madeOf = new WeakMap<object, CelValue>();
const sources = new WeakMap<CelList, readonly Value[]>();

/** A value as the CEL library takes it. Lists and records are taken to be final: they are converted once. */
export function plainToCel(value: unknown): CelValue {
  if (typeof value !== "object" || value === null) return value as CelValue; // scalars are the same on both sides
  if (
    value instanceof Uint8Array || value instanceof FieldMap || isReflectMessage(value) ||
    isCelUint(value) || isCelList(value) || isCelMap(value)
  ) return value as CelValue;
  let made = madeOf.get(value);
  if (made === undefined) {
    made = Array.isArray(value)
      ? listToCel(value)
      : new RecordMap(value as Readonly<Record<string, unknown>>, plainToCel).asCelMap;
    madeOf.set(value, made);
  }
  return made;
}

function listToCel(items: readonly Value[]): CelList {
  const list = celList(items.map(plainToCel));
  sources.set(list, items);
  return list;
}

/** What an expression yielded, as a value. @throws {Error} where it is a type, which is no value */
export function celToPlain(value: unknown): Value {
  if (typeof value !== "object" || value === null) return value as Value; // scalars are the same on both sides
  if (value instanceof RecordMap) return value.source as Value; // made from values
  if (isCelList(value)) return sources.get(value) ?? [...value].map(celToPlain);
  if (value instanceof FieldMap) return value as unknown as Value; // the only other one is MessageValue
  if (isCelMap(value)) {
    return Object.fromEntries(
      [...value.entries()].map(([key, item]) => [keyText(key), celToPlain(item)]),
    );
  }
  if (isCelType(value)) throw new Error(`the type ${value} is no value that can be passed on`);
  return value as Value;
}

function keyText(key: unknown): string {
  return isCelUint(key) ? String(key.value) : String(key);
}
