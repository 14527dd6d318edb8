/**
 * Arithmetic and comparison. Two ints stay an int and two uints a uint, exactly; across number types
 * the result is a double.
 *
 * @module
 */
import { celUint } from "@bufbuild/cel";
import { wrong } from "./fault.ts";
import { a, isUint, type Item, kindOf } from "./item.ts";

const MAX_INT = 2n ** 63n - 1n;
const MIN_INT = -(2n ** 63n);
const MAX_UINT = 2n ** 64n - 1n;

/** An operator on two numbers of one type. */
export type Operator = "+" | "-" | "*" | "/" | "%";

/** `undefined` where one of the two is no number. @throws {Fault} for overflow and division by zero */
export function calculate(operator: Operator, left: Item, right: Item): Item | undefined {
  if (typeof left === "number" && typeof right === "number") {
    return onDoubles(operator, left, right);
  }
  if (typeof left === "bigint" && typeof right === "bigint") {
    return checkInt(onInts(operator, left, right));
  }
  if (isUint(left) && isUint(right)) {
    return checkUint(onInts(operator, left.value, right.value));
  }
  const [l, r] = [toDouble(left), toDouble(right)];
  return l === undefined || r === undefined ? undefined : onDoubles(operator, l, r);
}

function onDoubles(operator: Operator, left: number, right: number): number {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "%":
      if (right === 0) throw wrong("it divides by zero");
      return left % right;
  }
}

function onInts(operator: Operator, left: bigint, right: bigint): bigint {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
  }
  if (right === 0n) throw wrong("it divides by zero");
  return operator === "/" ? left / right : left % right;
}

/** An int as it is. @throws {Fault} where it has more than 64 bits */
export function checkInt(value: bigint): bigint {
  if (value < MIN_INT || value > MAX_INT) throw wrong("the int is beyond 64 bits");
  return value;
}

/** A uint of this value. @throws {Fault} where it is negative or has more than 64 bits */
export function checkUint(value: bigint): Item {
  if (value < 0n || value > MAX_UINT) throw wrong("the uint is negative or beyond 64 bits");
  return celUint(value);
}

/** Any number as a double; `undefined` for what is no number. */
export function toDouble(item: Item): number | undefined {
  if (typeof item === "number") return item;
  if (typeof item === "bigint") return Number(item);
  return isUint(item) ? Number(item.value) : undefined;
}

/** Any number as JavaScript compares it: exactly, even an int with a double. */
export function comparable(item: Item): number | bigint | undefined {
  if (typeof item === "number" || typeof item === "bigint") return item;
  return isUint(item) ? item.value : undefined;
}

/**
 * A position or count. A number from JSON is a double, so an integral one serves where CEL has an int.
 *
 * @throws {Fault} for anything else
 */
export function toIndex(item: Item, what: string): number {
  const number = toDouble(item);
  if (number === undefined) throw wrong(`${what} must be a whole number, not ${a(kindOf(item))}`);
  if (!Number.isInteger(number)) throw wrong(`${what} must be a whole number`);
  return number;
}
