/**
 * CEL's operators, compiled.
 *
 * @module
 */
import type { Budget } from "./budget.ts";
import { equal } from "./equal.ts";
import { Fault, wrong } from "./fault.ts";
import type { Frame, Run } from "./frame.ts";
import { a, isList, type Item, kindOf, settle } from "./item.ts";
import { calculate, checkInt, comparable, type Operator } from "./number.ts";
import { hasKey } from "./select.ts";
import { calculateTime, nanosOf } from "./time.ts";

/** An operator of two sides; `undefined` for a name that is none. */
export function binary(name: string, left: Run, right: Run): Run | undefined {
  switch (name) {
    case "_==_":
      return (frame) => equal(left(frame), right(frame), frame.budget);
    case "_!=_":
      return (frame) => !equal(left(frame), right(frame), frame.budget);
    case "_<_":
      return (frame) => compare("<", left(frame), right(frame)) < 0;
    case "_<=_":
      return (frame) => compare("<=", left(frame), right(frame)) <= 0;
    case "_>_":
      return (frame) => compare(">", left(frame), right(frame)) > 0;
    case "_>=_":
      return (frame) => compare(">=", left(frame), right(frame)) >= 0;
    case "@in":
      return (frame) => isIn(left(frame), right(frame), frame.budget);
    case "_&&_":
      return (frame) => decide(false, left, right, frame);
    case "_||_":
      return (frame) => decide(true, left, right, frame);
    case "_+_":
      return (frame) => add(left(frame), right(frame), frame.budget);
    case "_-_":
    case "_*_":
    case "_/_":
    case "_%_": {
      const operator = name.charAt(1) as Operator; // by the cases above
      return (frame) => combine(operator, left(frame), right(frame));
    }
    default:
      return undefined;
  }
}

/** `-x` and `!x`; `undefined` for a name that is neither. */
export function unary(name: string, operand: Run): Run | undefined {
  if (name === "!_") return (frame) => !asBool(operand(frame), '"!"');
  if (name !== "-_") return undefined;
  return (frame) => {
    const item = operand(frame);
    if (typeof item === "number") return -item;
    if (typeof item === "bigint") return checkInt(-item);
    throw wrong(`"-" needs a number, not ${a(kindOf(item))}`);
  };
}

/** `test ? yes : no` */
export function conditional(test: Run, yes: Run, no: Run): Run {
  return (frame) => asBool(test(frame), '"?"') ? yes(frame) : no(frame);
}

/** @throws {Fault} where it is no bool */
export function asBool(item: Item, what: string): boolean {
  if (typeof item === "boolean") return item;
  throw wrong(`${what} needs a bool, not ${a(kindOf(item))}`);
}

/** `&&` and `||`: either side may decide, even where the other has no value. */
function decide(by: boolean, left: Run, right: Run, frame: Frame): boolean {
  const operator = by ? '"||"' : '"&&"';
  let fault: Fault;
  try {
    if (asBool(left(frame), operator) === by) return by;
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.kind === "runaway") throw thrown;
    fault = thrown;
    if (asBool(right(frame), operator) === by) return by;
    throw fault;
  }
  return asBool(right(frame), operator);
}

function mismatch(operator: string, left: Item, right: Item): Fault {
  const [l, r] = [kindOf(left), kindOf(right)];
  const hint = operator === "+" && (l === "string" || r === "string")
    ? "; write string(…), or put both into text"
    : "";
  return wrong(`"${operator}" has no meaning for ${a(l)} and ${a(r)}${hint}`);
}

function combine(operator: Operator, left: Item, right: Item): Item {
  const number = calculate(operator, left, right);
  if (number !== undefined) return number;
  const time = operator === "-" ? calculateTime("-", left, right) : undefined;
  if (time === undefined) throw mismatch(operator, left, right);
  return time;
}

function add(left: Item, right: Item, budget: Budget): Item {
  if (typeof left === "string" && typeof right === "string") {
    budget.spendText(left.length + right.length);
    return left + right;
  }
  const sum = calculate("+", left, right) ?? calculateTime("+", left, right);
  if (sum !== undefined) return sum;
  if (isList(left) && isList(right)) {
    budget.spendItems(left.length + right.length);
    return [...left, ...right];
  }
  if (left instanceof Uint8Array && right instanceof Uint8Array) {
    budget.spendText(left.length + right.length);
    const joined = new Uint8Array(left.length + right.length);
    joined.set(left);
    joined.set(right, left.length);
    return joined;
  }
  throw mismatch("+", left, right);
}

/** Below 0: less; NaN: not comparable, which no comparison holds for. */
function compare(operator: string, left: Item, right: Item): number {
  const [l, r] = [orderOf(left), orderOf(right)];
  if (typeof l === "string" && typeof r === "string") return order(l, r);
  if (typeof l === "boolean" && typeof r === "boolean") return Number(l) - Number(r);
  if (isNumber(l) && isNumber(r)) return order(l, r);
  if (left instanceof Uint8Array && right instanceof Uint8Array) return orderBytes(left, right);
  const [from, to] = [nanosOf(left), nanosOf(right)];
  if (from === undefined || from.kind !== to?.kind) throw mismatch(operator, left, right);
  return order(from.nanos, to.nanos);
}

function orderOf(item: Item): string | boolean | number | bigint | undefined {
  return typeof item === "string" || typeof item === "boolean" ? item : comparable(item);
}

function isNumber(item: string | boolean | number | bigint | undefined): item is number | bigint {
  return typeof item === "number" || typeof item === "bigint";
}

function order<T extends string | number | bigint>(left: T, right: T): number {
  return left < right ? -1 : left > right ? 1 : left == right ? 0 : NaN;
}

function orderBytes(left: Uint8Array, right: Uint8Array): number {
  const at = left.findIndex((byte, index) => byte !== right[index]);
  const [l, r] = at === -1 ? [left.length, right.length] : [left[at], right[at]];
  return (l ?? 0) - (r ?? -1);
}

function isIn(item: Item, container: Item, budget: Budget): boolean {
  if (!isList(container)) return hasKey(container, item);
  budget.spend(container.length / 4);
  return container.some((each) => equal(settle(each), item, budget));
}
