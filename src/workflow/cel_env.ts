/**
 * CEL as Maestro speaks it: the standard, the string extensions, arithmetic across number types,
 * a few functions, and bounds. Nothing here reads a clock or random numbers.
 *
 * @module
 */
import { createHash } from "node:crypto";
import {
  type CelEnv,
  celEnv,
  celFunc,
  celList,
  type CelFunc,
  celMethod,
  CelScalar,
  type CelValue,
  isCelList,
  isCelUint,
} from "@bufbuild/cel";
import { strings } from "@bufbuild/cel/ext";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { celToPlain } from "./cel_values.ts";
import { toJson } from "./value.ts";

/** Rounds of macros in one evaluation: well below a second of work. */
const MAX_ROUNDS = 250_000;

/** The longest string that an expression may make, in UTF-16 units. */
const MAX_TEXT = 4 * 1024 * 1024;

let rounds = 0;
let text = 0;

/** Begins a new evaluation's account of rounds and text. */
export function resetBounds(): void {
  rounds = 0;
  text = 0;
}

/** The names of functions that the compiler puts in; no user can write them. */
export const TICK = "@tick", APPEND = "@append", PRESENT = "@present", GIVEN = "@given";

const { INT, UINT, DOUBLE, STRING, BYTES, BOOL, DYN } = CelScalar;

function numberOf(value: CelValue): number {
  return Number(isCelUint(value) ? value.value : value);
}

/** Operators on two numbers of different types; the result is a double. */
function mixedArithmetic(): CelFunc[] {
  const types = [INT, UINT, DOUBLE] as const;
  const operators: readonly (readonly [string, (a: number, b: number) => number])[] = [
    ["_+_", (a, b) => a + b],
    ["_-_", (a, b) => a - b],
    ["_*_", (a, b) => a * b],
    ["_/_", (a, b) => a / b],
  ];
  return operators.flatMap(([name, apply]) =>
    types.flatMap((left) =>
      types.filter((right) => right !== left).map((right) =>
        celFunc(name, [left, right], DOUBLE, (a, b) => apply(numberOf(a), numberOf(b)))
      )
    )
  );
}

/** The string extensions again, where a JSON number (a double) stands for an int: `.a.substring(.input.n)`. */
function forgivingStrings(): CelFunc[] {
  return strings.flatMap((method: CelFunc) => {
    const bounded = boundedMethod(method, method.arguments);
    if (!method.arguments.some((type) => type === INT)) return [bounded];
    const doubles = method.arguments.map((type) => type === INT ? DOUBLE : type);
    return [bounded, boundedMethod(method, doubles)];
  });
}

function boundedMethod(method: CelFunc, types: CelFunc["arguments"]): CelFunc {
  const { name, target, result } = method;
  const call = (self: CelValue | undefined, args: readonly CelValue[]) => {
    const made = method.call(0, self, args.map((arg, index) =>
      types[index] === DOUBLE ? toInt(arg) : arg));
    if (made === undefined) throw new Error(`${name} does not take these arguments`);
    if (made instanceof Error) throw made;
    return bounded(made as CelValue);
  };
  return target === undefined
    ? celFunc(name, types, result, (...args: CelValue[]) => call(undefined, args))
    : celMethod(name, target, types, result, function (this: CelValue, ...args: CelValue[]) {
      return call(this, args);
    });
}

function toInt(value: CelValue): bigint {
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
  throw new Error(`${value} is not a whole number`);
}

function bounded<T extends CelValue>(made: T): T {
  if (typeof made === "string") text += made.length;
  else if (isCelList(made)) text += made.size;
  if (text > MAX_TEXT) {
    throw new Error("the expression makes more text than it may (4 MiB in one evaluation)");
  }
  return made;
}

/** What only the compiler calls: counting, growing lists, and asking what is there. */
const machinery: readonly CelFunc[] = [
  celFunc(TICK, [], BOOL, () => {
    if (++rounds > MAX_ROUNDS) {
      throw new Error(`the expression takes more than the ${MAX_ROUNDS} rounds that it may`);
    }
    return true;
  }),
  celFunc(APPEND, [DYN, DYN], DYN, (list, item) => append(list, item)),
  celFunc(PRESENT, [DYN, DYN], BOOL, (container, key) => isPresent(container, key)),
  celFunc(GIVEN, [DYN], BOOL, (value) => isGiven(value)),
];

const grown = new WeakMap<object, CelValue[]>();

/** Appends in place: the list is the accumulator of a macro, and nobody else has it. */
function append(list: CelValue, item: CelValue): CelValue {
  if (!isCelList(list)) throw new Error("not a list");
  const items = grown.get(list);
  if (items !== undefined) {
    items.push(item);
    return list;
  }
  const fresh = [...list, item];
  const made = celList(fresh);
  grown.set(made, fresh);
  return made;
}

function isPresent(container: CelValue, key: CelValue): boolean {
  if (isCelList(container)) {
    const index = numberOf(key);
    return Number.isInteger(index) && index >= 0 && index < container.size;
  }
  return typeof container === "object" && container !== null && "has" in container &&
    typeof container.has === "function" && Boolean(container.has(key as never));
}

/** Neither null nor the empty output of a skipped step. */
function isGiven(value: CelValue): boolean {
  if (value === null) return false;
  const plain = celToPlain(value);
  return !(typeof plain === "object" && plain !== null && plain.constructor === Object &&
    Object.keys(plain).length === 0);
}

const functions: readonly CelFunc[] = [
  celFunc("json", [DYN], STRING, (value) => bounded(JSON.stringify(toJson(celToPlain(value))))),
  celFunc("base64", [STRING], STRING, (value) => bounded(base64Encode(new TextEncoder().encode(value)))),
  celFunc("base64", [BYTES], STRING, (value) => bounded(base64Encode(value))),
  celFunc("sha256", [STRING], STRING, (value) => createHash("sha256").update(value).digest("hex")),
  celFunc("sha256", [BYTES], STRING, (value) => createHash("sha256").update(value).digest("hex")),
  celFunc("_+_", [STRING, STRING], STRING, (left, right) => bounded(left + right)),
];

/** The one environment of all expressions. */
export const environment: CelEnv = celEnv({
  funcs: [...forgivingStrings(), ...mixedArithmetic(), ...machinery, ...functions],
});

/** The names of the functions that an expression may call. */
export const FUNCTION_NAMES: ReadonlySet<string> = new Set([
  ...strings.map((method: CelFunc) => method.name),
  ...functions.map((method) => method.name).filter((name) => /^\w/.test(name)),
  ..."size contains startsWith endsWith matches int uint double string bytes bool type dyn timestamp duration getFullYear getMonth getDate getDayOfMonth getDayOfWeek getDayOfYear getHours getMinutes getSeconds getMilliseconds has default all exists exists_one map filter"
    .split(" "),
]);
