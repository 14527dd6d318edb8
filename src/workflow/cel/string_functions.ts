/**
 * CEL's string functions and its string extensions. Positions count characters (code points), as
 * `size()` does.
 *
 * @module
 */
import type { Budget } from "./budget.ts";
import { wrong } from "./fault.ts";
import { a, isList, type Item, kindOf } from "./item.ts";
import { toIndex } from "./number.ts";

/** The text that a function works on. @throws {Fault} where it is something else */
export function textOf(item: Item | undefined, what: string): string {
  if (typeof item === "string") return item;
  throw wrong(`${what} must be a string, not ${a(kindOf(item ?? null))}`);
}

const SURROGATE = /[\uD800-\uDFFF]/;

/** The number of characters. */
export function lengthOf(text: string): number {
  return SURROGATE.test(text) ? Array.from(text).length : text.length;
}

/** The characters from `start` up to `end`. @throws {Fault} where they are not inside */
export function substring(text: string, start: Item, end?: Item): string {
  const length = lengthOf(text);
  const from = within(start, length, "the start of substring()");
  const to = end === undefined ? length : within(end, length, "the end of substring()");
  if (from > to) throw wrong("substring() ends before it starts");
  return length === text.length ? text.slice(from, to) : Array.from(text).slice(from, to).join("");
}

/** The character at a position, or nothing just behind the last. */
export function charAt(text: string, index: Item): string {
  const at = within(index, lengthOf(text), "the position of charAt()");
  return (SURROGATE.test(text) ? Array.from(text)[at] : text[at]) ?? "";
}

/** Where `part` first stands, from `start` on; -1: nowhere. */
export function indexOf(text: string, part: string, start?: Item): bigint {
  const from = start === undefined ? 0 : within(start, lengthOf(text), "the start of indexOf()");
  return characters(text, text.indexOf(part, units(text, from)));
}

/** Where `part` last stands, at `start` at the latest; -1: nowhere. */
export function lastIndexOf(text: string, part: string, start?: Item): bigint {
  const from = start === undefined
    ? Infinity
    : within(start, lengthOf(text), "the start of lastIndexOf()");
  return characters(text, text.lastIndexOf(part, units(text, from)));
}

function within(item: Item, length: number, what: string): number {
  const index = toIndex(item, what);
  if (index < 0 || index > length) throw wrong(`${what} is outside the text`);
  return index;
}

/** A position in characters as one in UTF-16 units. */
function units(text: string, characters: number): number {
  if (!Number.isFinite(characters) || !SURROGATE.test(text)) return characters;
  return Array.from(text).slice(0, characters).join("").length;
}

/** A position in UTF-16 units as one in characters. */
function characters(text: string, units: number): bigint {
  return BigInt(units <= 0 ? units : lengthOf(text.slice(0, units)));
}

/** ASCII letters as capitals; all others stay. */
export function upperAscii(text: string): string {
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}

/** ASCII letters as small ones; all others stay. */
export function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Puts `to` in the place of the first `limit` occurrences of `from`; below 0: of all. */
export function replace(
  text: string,
  from: string,
  to: string,
  limit: Item | undefined,
  budget: Budget,
): string {
  const count = limit === undefined ? -1 : toIndex(limit, "the limit of replace()");
  if (count === 0) return text;
  budget.spendItems(from === "" ? text.length : 0);
  const pieces = from === "" ? ["", ...Array.from(text), ""] : text.split(from);
  budget.spendItems(pieces.length);
  const replaced = count < 0 ? pieces.length - 1 : Math.min(count, pieces.length - 1);
  budget.spendText(text.length + replaced * (to.length - from.length));
  return pieces.slice(0, replaced + 1).join(to) +
    pieces.slice(replaced + 1).map((piece) => from + piece).join("");
}

/** The parts between separators, at most `limit`, the last of which keeps the rest; below 0: all. */
export function split(
  text: string,
  separator: string,
  limit: Item | undefined,
  budget: Budget,
): readonly string[] {
  const count = limit === undefined ? -1 : toIndex(limit, "the limit of split()");
  if (count === 0) return [];
  budget.spendItems(separator === "" ? text.length : 0);
  const parts = separator === "" ? Array.from(text) : text.split(separator);
  budget.spendText(text.length);
  budget.spendItems(parts.length);
  if (count < 0 || parts.length <= count) return parts;
  return [...parts.slice(0, count - 1), parts.slice(count - 1).join(separator)];
}

/** A list of texts as one. @throws {Fault} where an item is something else */
export function join(list: Item | undefined, separator: string, budget: Budget): string {
  if (list === undefined || !isList(list)) {
    throw wrong(`join() needs a list of strings, not ${a(kindOf(list ?? null))}`);
  }
  budget.spendItems(list.length);
  let length = separator.length * list.length;
  const texts = list.map((item) => textOf(item, "every item of join()'s list"));
  for (const text of texts) length += text.length;
  budget.spendText(length);
  return texts.join(separator);
}

const SPACE = /[\t-\r \x85\xA0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]/;

/** Without the white space (Unicode's) at both ends. */
export function trim(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && SPACE.test(text.charAt(start))) start++;
  while (end > start && SPACE.test(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

/** The characters in the opposite order. */
export function reverse(text: string): string {
  return Array.from(text).reverse().join("");
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\f": "\\f",
  "\r": "\\r",
  '"': '\\"',
  "\\": "\\\\",
};

/** The text as a CEL literal in double quotes. */
export function quote(text: string): string {
  // deno-lint-ignore no-control-regex -- these are what has to be escaped
  return `"${text.replace(/[\x07-\r"\\]/g, (character) => ESCAPES[character] ?? character)}"`;
}
