/**
 * CEL's conversions: `int(x)`, `string(x)` and so on.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { toJson, toText, type Value } from "../value.ts";
import type { Budget } from "./budget.ts";
import { wrong } from "./fault.ts";
import { a, isUint, type Item, type Kind, kindOf } from "./item.ts";
import { checkInt, checkUint } from "./number.ts";
import { toValue } from "./result.ts";
import { durationOf, nanosOf, parseDuration, parseTime, timeAt } from "./time.ts";

const SECOND = 1_000_000_000n;

function cannot(name: string, item: Item, hint = ""): never {
  throw wrong(`${name}() has no form for ${a(kindOf(item))}${hint}`);
}

/** `int(x)`: of numbers (a fraction is cut off), decimal digits, and times and durations in seconds. */
export function toInt(item: Item): bigint {
  if (typeof item === "bigint") return item;
  if (typeof item === "number") return checkInt(wholeOf(item));
  if (isUint(item)) return checkInt(item.value);
  if (typeof item === "string" && /^[+-]?\d{1,20}$/.test(item)) return checkInt(BigInt(item));
  const time = nanosOf(item);
  if (time === undefined) return cannot("int", item, digitsHint(item));
  const rest = ((time.nanos % SECOND) + SECOND) % SECOND;
  return time.kind === "time" ? (time.nanos - rest) / SECOND : time.nanos / SECOND;
}

/** `uint(x)`: of numbers (a fraction is cut off) and decimal digits. */
export function toUint(item: Item): Item {
  if (isUint(item)) return item;
  if (typeof item === "bigint") return checkUint(item);
  if (typeof item === "number") return checkUint(wholeOf(item));
  if (typeof item === "string" && /^\+?\d{1,20}$/.test(item)) return checkUint(BigInt(item));
  return cannot("uint", item, digitsHint(item));
}

function wholeOf(number: number): bigint {
  if (!Number.isFinite(number)) throw wrong("NaN and infinity are no whole numbers");
  return BigInt(Math.trunc(number));
}

function digitsHint(item: Item): string {
  return typeof item === "string" ? " that is not a whole number in decimal digits" : "";
}

/** `double(x)`: of numbers and of decimal text. */
export function toDoubleItem(item: Item): number {
  if (typeof item === "number") return item;
  if (typeof item === "bigint") return Number(item);
  if (isUint(item)) return Number(item.value);
  if (typeof item !== "string") return cannot("double", item);
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(item)) return Number(item);
  const special = /^([+-]?)(nan|inf|infinity)$/i.exec(item);
  if (special === null) return cannot("double", item, " that is not a number");
  if (special[2]?.toLowerCase() === "nan") return NaN;
  return special[1] === "-" ? -Infinity : Infinity;
}

/** `bool(x)`: of bools and of the texts true and false. */
export function toBool(item: Item): boolean {
  if (typeof item === "boolean") return item;
  if (typeof item !== "string") return cannot("bool", item);
  if (/^(true|True|TRUE|t|1)$/.test(item)) return true;
  if (/^(false|False|FALSE|f|0)$/.test(item)) return false;
  return cannot("bool", item, " that is neither 'true' nor 'false'");
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** `bytes(x)`: a text in UTF-8. */
export function toBytes(item: Item): Uint8Array {
  if (item instanceof Uint8Array) return item;
  return typeof item === "string" ? encoder.encode(item) : cannot("bytes", item);
}

/** `string(x)`: of scalars, times, durations and UTF-8. */
export function toStringItem(item: Item): string {
  if (typeof item === "string") return item;
  if (typeof item === "number" || typeof item === "bigint" || typeof item === "boolean") {
    return String(item);
  }
  if (isUint(item)) return String(item.value);
  if (item instanceof Uint8Array) {
    try {
      return decoder.decode(item);
    } catch {
      throw wrong("string() has no form for bytes that are not UTF-8; write base64(…)");
    }
  }
  if (nanosOf(item) !== undefined) return toText(item as Value); // a time or duration
  return cannot("string", item, HINTS[kindOf(item)] ?? "");
}

const HINTS: Partial<Record<Kind, string>> = {
  null: "; write default(…, '') for a value that may be null",
  list: "; write json(…) or .join(',')",
  map: "; write json(…)",
  message: "; write json(…)",
};

/** `timestamp(x)`: of RFC 3339 text and of seconds since 1970. */
export function toTimestamp(item: Item): Item {
  if (nanosOf(item)?.kind === "time") return item;
  if (typeof item === "string") return parseTime(item);
  return timeAt(secondsOf("timestamp", item));
}

/** `duration(x)`: of text such as `1h30m`, and of seconds. */
export function toDuration(item: Item): Item {
  if (nanosOf(item)?.kind === "duration") return item;
  if (typeof item === "string") return parseDuration(item);
  return durationOf(secondsOf("duration", item));
}

function secondsOf(name: string, item: Item): bigint {
  if (typeof item === "number" && Number.isFinite(item)) {
    const whole = Math.floor(item);
    return BigInt(whole) * SECOND + BigInt(Math.round((item - whole) * 1e9));
  }
  if (typeof item === "bigint") return item * SECOND;
  return isUint(item) ? item.value * SECOND : cannot(name, item);
}

/** `json(x)`: as results and logs show it. */
export function toJsonText(item: Item, budget: Budget): string {
  const text = JSON.stringify(toJson(toValue(item, budget)));
  budget.spend(text.length / 8);
  budget.spendText(text.length);
  return text;
}

/** `base64(x)`: of bytes, or of a text in UTF-8. */
export function toBase64(item: Item): string {
  return Buffer.from(toBytes(item)).toString("base64");
}
