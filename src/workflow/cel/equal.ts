import { MessageValue } from "../message.ts";
import { innermost, presentFields, readField } from "../message_fields.ts";
import type { Budget } from "./budget.ts";
import {
  type Fields,
  isFields,
  isKeyed,
  isList,
  isTime,
  type Item,
  type KeyedItems,
  settle,
  TypeItem,
} from "./item.ts";
import { comparable } from "./number.ts";

/**
 * CEL's equality: numbers by value across their types, NaN equals nothing, lists and maps by what is
 * in them, and things of different kinds are never equal. Messages of one type are equal when the same
 * fields are set to equal values, and a message equals a map that has exactly its fields.
 */
export function equal(a: Item, b: Item, budget: Budget): boolean {
  if (a === b) return true; // ints, strings, bools, null; NaN is not equal to itself
  if (typeof a === "string" || typeof b === "string" || a === null || b === null) return false;
  const [left, right] = [comparable(a), comparable(b)];
  if (left !== undefined || right !== undefined) {
    return left !== undefined && right !== undefined && left == right;
  }
  budget.spend(1);
  if (isList(a)) return isList(b) && equalLists(a, b, budget);
  if (a instanceof Uint8Array) return b instanceof Uint8Array && equalBytes(a, b, budget);
  if (a instanceof TypeItem) return b instanceof TypeItem && a.name === b.name;
  if (isTime(a)) return isTime(b) && equalTimes(a, b);
  const [fieldsA, fieldsB] = [entriesOf(a, b), entriesOf(b, a)];
  return fieldsA !== undefined && fieldsB !== undefined && fieldsA.size === fieldsB.size &&
    equalFields(fieldsA, fieldsB, budget);
}

function equalLists(a: readonly Item[], b: readonly Item[], budget: Budget): boolean {
  if (a.length !== b.length) return false;
  budget.spend(a.length);
  return a.every((item, at) => equal(settle(item), settle(b[at] ?? null), budget));
}

function equalBytes(a: Uint8Array, b: Uint8Array, budget: Budget): boolean {
  if (a.length !== b.length) return false;
  budget.spendText(a.length);
  return a.every((byte, at) => byte === b[at]);
}

function equalTimes(
  a: Extract<Item, { readonly desc: unknown; readonly fields: unknown }>,
  b: typeof a,
): boolean {
  return a.desc.typeName === b.desc.typeName &&
    a.fields.every((field) => a.get(field) === b.get(field));
}

/** What a map or message holds, by its keys; `undefined` for what is neither, or another message. */
function entriesOf(item: Item, other: Item): KeyedItems | undefined {
  if (isKeyed(item)) return item;
  if (item instanceof MessageValue) {
    const inner = innermost(item);
    if (
      other instanceof MessageValue && innermost(other).desc.typeName !== inner.desc.typeName
    ) return undefined;
    return new Map(presentFields(inner).map((name) => [name, readField(inner, name) ?? null]));
  }
  return isFields(item) ? new Map(Object.entries<Item>(item satisfies Fields)) : undefined;
}

function equalFields(a: KeyedItems, b: KeyedItems, budget: Budget): boolean {
  budget.spend(a.size);
  for (const [key, item] of a) {
    const other = b.get(key);
    if (other === undefined || !equal(settle(item), settle(other), budget)) return false;
  }
  return true;
}
