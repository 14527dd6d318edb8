/**
 * Fields of maps and messages, and items of lists.
 *
 * A map from JSON or YAML has text keys alone; there an int or a bool finds the key that is written
 * like it. Doubles that are whole numbers are ints, both as keys and as positions in a list.
 *
 * @module
 */
import { MessageValue } from "../message.ts";
import { declaredFields, presentFields, readField } from "../message_fields.ts";
import { Fault, wrong } from "./fault.ts";
import { a, type Fields, isFields, isKeyed, isList, type Item, kindOf, settle } from "./item.ts";
import { comparable } from "./number.ts";

/** A field by its name; `undefined` where it is missing. @throws {Fault} for what has no fields */
export function fieldOf(item: Item, name: string, where: string): Item | undefined {
  if (isKeyed(item)) return item.get(name);
  if (item instanceof MessageValue) return readField(item, name);
  if (isFields(item)) return ownField(item, name);
  throw noFields(item, `field "${name}"`, where);
}

function ownField(fields: Fields, name: string): Item | undefined {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return value === undefined ? undefined : settle(value);
}

/** `item[key]`; `undefined` where there is none. @throws {Fault} for what can't be indexed, or by this */
export function indexed(item: Item, key: Item, where: string): Item | undefined {
  if (isList(item)) {
    const value = item[position(key, where)];
    return value === undefined ? undefined : settle(value);
  }
  const name = keyOf(key);
  if (name === undefined) throw wrong(`${where} cannot be indexed by ${a(kindOf(key))}`);
  if (isKeyed(item)) return item.get(name);
  return fieldOf(item, String(name), where);
}

/** `key in item`. @throws {Fault} for what has no keys */
export function hasKey(item: Item, key: Item): boolean {
  const name = keyOf(key);
  if (name === undefined) return false;
  if (isKeyed(item)) return item.has(name);
  if (item instanceof MessageValue) return readField(item, String(name)) !== undefined;
  if (isFields(item)) return ownField(item, String(name)) !== undefined;
  throw wrong(`"in" looks into a list or a map, not ${a(kindOf(item))}`);
}

function position(key: Item, where: string): number {
  const number = comparable(key);
  if (number === undefined) {
    throw wrong(`${where} is a list: index it by a whole number, not by ${a(kindOf(key))}`);
  }
  if (typeof number === "number" && !Number.isInteger(number)) {
    throw wrong(`${where} is a list: index it by a whole number`);
  }
  return Number(number);
}

/** A key as maps have it: ints of all number types are bigints. */
export function keyOf(key: Item): string | bigint | boolean | undefined {
  if (typeof key === "string" || typeof key === "boolean") return key;
  const number = comparable(key);
  if (typeof number !== "number") return number;
  return Number.isInteger(number) ? BigInt(number) : undefined;
}

/** What a `for` goes over: a list's items, a map's keys, the names of a message's fields. */
export function iterated(item: Item, where: string): readonly Item[] {
  if (isList(item)) return item;
  const keys = keysOf(item);
  if (keys === undefined) {
    throw wrong(`${where} is ${a(kindOf(item))}: only lists and maps have items`);
  }
  return keys;
}

/** The keys of a map or the names of a message's fields; `undefined` for all else. */
export function keysOf(item: Item): readonly (string | bigint | boolean)[] | undefined {
  if (isKeyed(item)) return [...item.keys()];
  if (item instanceof MessageValue) return presentFields(item);
  return isFields(item) ? Object.keys(item).filter((key) => item[key] !== undefined) : undefined;
}

/** Why a field can't be had, with those that there are. */
export function missingField(item: Item, name: string, where: string): Fault {
  if (item instanceof MessageValue && declaredFields(item).includes(name)) {
    return new Fault(`the field "${name}" of ${where} is not set`, "missing");
  }
  const names = item instanceof MessageValue ? declaredFields(item) : keysOf(item) ?? [];
  return new Fault(`there is no field "${name}" in ${where} (${listed(names)})`, "missing");
}

/** Why an item can't be had. The key may be a payload's own, so only a written one is named. */
export function missingItem(item: Item, key: Item, where: string, isWritten: boolean): Fault {
  if (isList(item)) {
    const count = `${where} has ${item.length} ${item.length === 1 ? "item" : "items"}`;
    const at = isWritten ? `none at ${key}` : "none at this position";
    return new Fault(`${count}, counted from 0, and ${at}`, "missing");
  }
  if (isWritten && typeof key === "string") return missingField(item, key, where);
  return new Fault(`there is no such key in ${where}`, "missing");
}

/** Why what has no fields, such as null or text, can't be selected from. */
function noFields(item: Item, what: string, where: string): Fault {
  const kind = kindOf(item);
  return new Fault(
    `${where} is ${a(kind)}, which has no ${what}`,
    kind === "null" ? "missing" : "wrong",
  );
}

const MAX_LISTED = 20;

function listed(names: readonly (string | bigint | boolean)[]): string {
  if (names.length === 0) return "it has none";
  const shown = names.slice(0, MAX_LISTED).map(String).sort();
  const rest = names.length - shown.length;
  return `it has: ${shown.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
