/**
 * The functions and methods of expressions. Operators and macros (`has`, `default`, `map`, …) are
 * compiled by themselves.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Budget } from "./budget.ts";
import {
  toBase64,
  toBool,
  toBytes,
  toDoubleItem,
  toDuration,
  toInt,
  toJsonText,
  toStringItem,
  toTimestamp,
  toUint,
} from "./convert.ts";
import { wrong } from "./fault.ts";
import { format } from "./format.ts";
import { a, isList, type Item, type Kind, kindOf, TypeItem, typeNameOf } from "./item.ts";
import { matches } from "./regex.ts";
import { keysOf } from "./select.ts";
import * as text from "./string_functions.ts";
import { TIME_PARTS, timePart } from "./time.ts";

/** A function or a method; a method's target is its first argument. */
export interface Native {
  readonly form: "function" | "method" | "either";
  /** How many arguments it takes, a target included. */
  readonly least: number;
  readonly most: number;
  /** What it gives; `undefined`: this depends. */
  readonly gives: Kind | undefined;
  readonly run: (items: readonly Item[], budget: Budget) => Item;
}

type Run = Native["run"];

function of(
  form: Native["form"],
  count: number | readonly [number, number],
  gives: Native["gives"],
  run: Run,
): Native {
  const [least, most] = typeof count === "number" ? [count, count] : count;
  return { form, least, most, gives, run };
}

/** A function of one value. */
function conversion(gives: Native["gives"], convert: (item: Item) => Item): Native {
  return of("function", 1, gives, ([item = null], budget) => {
    if (typeof item === "string") budget.spendText(item.length);
    else if (item instanceof Uint8Array) budget.spendText(item.length);
    return convert(item);
  });
}

/** A function of a text's or bytes' every byte. */
function digest(convert: (item: Item) => string): Native {
  return of("function", 1, "string", ([item = null], budget) => {
    if (typeof item === "string" || item instanceof Uint8Array) budget.spend(item.length / 8);
    return convert(item);
  });
}

/** A method of a string; its other arguments are strings or numbers. */
function onText(
  name: string,
  count: number | readonly [number, number],
  gives: Kind,
  run: (target: string, rest: readonly Item[], budget: Budget) => Item,
): Native {
  return of("method", count, gives, ([target = null, ...rest], budget) => {
    const found = text.textOf(target, `the text of ${name}()`);
    budget.spendText(found.length);
    return run(found, rest, budget);
  });
}

/** A method of a string that takes another string first. */
function onTwoTexts(
  name: string,
  count: number | readonly [number, number],
  gives: Kind,
  run: (target: string, part: string, rest: readonly Item[], budget: Budget) => Item,
): Native {
  return onText(
    name,
    count,
    gives,
    (target, [part = null, ...rest], budget) =>
      run(target, text.textOf(part, `the argument of ${name}()`), rest, budget),
  );
}

function size(item: Item, budget: Budget): bigint {
  if (typeof item === "string") {
    budget.spendText(item.length);
    return BigInt(text.lengthOf(item));
  }
  if (isList(item) || item instanceof Uint8Array) return BigInt(item.length);
  const keys = keysOf(item);
  if (keys === undefined) {
    throw wrong(`size() is for strings, bytes, lists and maps, not ${a(kindOf(item))}`);
  }
  budget.spend(keys.length / 8);
  return BigInt(keys.length);
}

/** All functions and methods, by name. */
export const FUNCTIONS: ReadonlyMap<string, Native> = new Map<string, Native>(Object.entries({
  size: of("either", 1, "int", ([item = null], budget) => size(item, budget)),
  int: conversion("int", toInt),
  uint: conversion("uint", toUint),
  double: conversion("double", toDoubleItem),
  bool: conversion("bool", toBool),
  string: conversion("string", toStringItem),
  bytes: conversion("bytes", toBytes),
  timestamp: conversion("timestamp", toTimestamp),
  duration: conversion("duration", toDuration),
  dyn: conversion(undefined, (item) => item),
  type: conversion("type", (item) => new TypeItem(typeNameOf(item))),
  json: of("function", 1, "string", ([item = null], budget) => toJsonText(item, budget)),
  base64: digest(toBase64),
  sha256: digest((item) => createHash("sha256").update(toBytes(item)).digest("hex")),
  contains: onTwoTexts("contains", 2, "bool", (target, part) => target.includes(part)),
  startsWith: onTwoTexts("startsWith", 2, "bool", (target, part) => target.startsWith(part)),
  endsWith: onTwoTexts("endsWith", 2, "bool", (target, part) => target.endsWith(part)),
  matches: of("either", 2, "bool", ([target = null, pattern = null], budget) =>
    matches(
      text.textOf(target, "the text of matches()"),
      text.textOf(pattern, "the expression of matches()"),
      budget,
    )),
  charAt: onText("charAt", 2, "string", (target, [at = null]) => text.charAt(target, at)),
  indexOf: onTwoTexts(
    "indexOf",
    [2, 3],
    "int",
    (target, part, [start]) => text.indexOf(target, part, start),
  ),
  lastIndexOf: onTwoTexts(
    "lastIndexOf",
    [2, 3],
    "int",
    (target, part, [start]) => text.lastIndexOf(target, part, start),
  ),
  lowerAscii: onText("lowerAscii", 1, "string", text.lowerAscii),
  upperAscii: onText("upperAscii", 1, "string", text.upperAscii),
  replace: onTwoTexts(
    "replace",
    [3, 4],
    "string",
    (target, from, [to = null, limit], budget) =>
      text.replace(target, from, text.textOf(to, "the replacement of replace()"), limit, budget),
  ),
  split: onTwoTexts(
    "split",
    [2, 3],
    "list",
    (target, separator, [limit], budget) => text.split(target, separator, limit, budget),
  ),
  substring: onText(
    "substring",
    [2, 3],
    "string",
    (target, [start = null, end]) => text.substring(target, start, end),
  ),
  trim: onText("trim", 1, "string", text.trim),
  reverse: onText("reverse", 1, "string", text.reverse),
  format: onText("format", 2, "string", (target, [items], budget) => format(target, items, budget)),
  join: of(
    "method",
    [1, 2],
    "string",
    ([list, separator = ""], budget) =>
      text.join(list, text.textOf(separator, "the separator of join()"), budget),
  ),
  "strings.quote": conversion(
    "string",
    (item) => text.quote(text.textOf(item, "the argument of strings.quote()")),
  ),
  ...Object.fromEntries(TIME_PARTS.map((name) => [
    name,
    of("method", [1, 2], "int", ([item = null, zone], budget) => {
      budget.spend(zone === undefined ? 4 : 40);
      return timePart(
        name,
        item,
        zone === undefined ? undefined : text.textOf(zone, `the time zone of ${name}()`),
      );
    }),
  ])),
}));
