/**
 * CEL's `format()`: `'%s has %d'.format([.name, .count])`.
 *
 * @module
 */
import type { Budget } from "./budget.ts";
import { toBytes, toStringItem } from "./convert.ts";
import { wrong } from "./fault.ts";
import { a, isList, isUint, type Item, kindOf, settle, TypeItem } from "./item.ts";
import { toDouble } from "./number.ts";
import { fieldOf, keysOf } from "./select.ts";

/** What JavaScript can print; far beyond what a double holds. */
const MAX_PRECISION = 100;

/** Fills a list's items in for the clauses. @throws {Fault} where a clause doesn't fit its item */
export function format(text: string, items: Item | undefined, budget: Budget): string {
  if (items === undefined || !isList(items)) throw wrong("format() needs a list: '%s'.format([x])");
  let used = 0;
  let length = 0;
  const filled = text.replace(/%(?:(%)|(?:\.(\d+))?([^%]?))/g, (_, percent, digits, clause) => {
    if (percent !== undefined) return "%";
    if (used >= items.length) throw wrong("format() has more clauses than items");
    const precision = digits === undefined ? 6 : Number(digits);
    if (precision > MAX_PRECISION) throw wrong("format() shows at most 100 digits");
    budget.spend(20);
    const made = formatItem(clause, settle(items[used++] ?? null), precision, budget);
    if ((length += made.length) > text.length) budget.spendText(length);
    return made;
  });
  if (used < items.length) throw wrong("format() has more items than clauses");
  return filled;
}

function formatItem(clause: string, item: Item, precision: number, budget: Budget): string {
  switch (clause) {
    case "s":
      return formatText(item, budget);
    case "d":
      return typeof item === "number" && !Number.isFinite(item)
        ? formatSpecial(item)
        : wholeOf(clause, item).toString();
    case "f":
      return formatDouble(doubleOf(clause, item), (number) => fixed(precision).format(number));
    case "e":
      return formatDouble(
        doubleOf(clause, item),
        (number) => number.toExponential(precision).replace(/([+-])(\d)$/, "$10$2"),
      );
    case "b":
      return typeof item === "boolean" ? (item ? "1" : "0") : wholeOf(clause, item).toString(2);
    case "o":
      return wholeOf(clause, item).toString(8);
    case "x":
      return formatHex(clause, item);
    case "X":
      return formatHex(clause, item).toUpperCase();
    default:
      throw wrong(
        `format() knows no clause %${clause}; there are %s, %d, %f, %e, %b, %o, %x and %X`,
      );
  }
}

const formats = new Map<number, Intl.NumberFormat>();

function fixed(precision: number): Intl.NumberFormat {
  let format = formats.get(precision);
  if (format === undefined) {
    format = new Intl.NumberFormat("en-US", {
      minimumFractionDigits: precision,
      maximumFractionDigits: precision,
      roundingMode: "halfEven",
      useGrouping: false,
    });
    formats.set(precision, format);
  }
  return format;
}

function misfit(clause: string, item: Item, needs: string): never {
  throw wrong(`%${clause} of format() needs ${needs}, not ${a(kindOf(item))}`);
}

function wholeOf(clause: string, item: Item): bigint {
  if (typeof item === "bigint") return item;
  if (isUint(item)) return item.value;
  if (typeof item === "number" && Number.isInteger(item)) return BigInt(item);
  return misfit(clause, item, "a whole number");
}

function doubleOf(clause: string, item: Item): number {
  return toDouble(item) ?? misfit(clause, item, "a number");
}

function formatDouble(number: number, finite: (number: number) => string): string {
  return Number.isFinite(number) ? finite(number) : formatSpecial(number);
}

function formatSpecial(number: number): string {
  return String(number);
}

function formatHex(clause: string, item: Item): string {
  if (typeof item !== "string" && !(item instanceof Uint8Array)) {
    return wholeOf(clause, item).toString(16);
  }
  return Array.from(toBytes(item), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** As CEL prints: `[1, a]`, and maps with sorted keys. */
function formatText(item: Item, budget: Budget): string {
  budget.spend(1);
  if (item === null) return "null";
  if (item instanceof TypeItem) return item.name;
  if (isList(item)) return `[${item.map((each) => formatText(settle(each), budget)).join(", ")}]`;
  const keys = keysOf(item);
  if (keys === undefined) return toStringItem(item);
  const entries = keys.map((key) => {
    const value = item instanceof Map ? item.get(key) : fieldOf(item, String(key), "the map");
    return [String(key), formatText(value ?? null, budget)] as const;
  });
  entries.sort(([left], [right]) => left < right ? -1 : left > right ? 1 : 0);
  return `{${entries.map(([key, text]) => `${key}: ${text}`).join(", ")}}`;
}
