import type { Value } from "../value.ts";
import type { Budget } from "./budget.ts";
import { wrong } from "./fault.ts";
import { isFields, isKeyed, isList, type Item, TypeItem } from "./item.ts";

/**
 * What leaves an expression. Keys become text, as in JSON. All that is in it is paid for, so that a
 * list that holds itself many times over can't burst whoever writes it down.
 *
 * @throws {Fault} for a type, which is no value outside, and where it is too large
 */
export function toValue(item: Item, budget: Budget): Value {
  budget.spend(1);
  if (typeof item === "string") budget.spend(item.length / 64);
  if (typeof item !== "object" || item === null) return item;
  if (isList(item)) {
    const values = item.map((each) => toValue(each, budget));
    return values.every((value, at) => value === item[at]) ? item as readonly Value[] : values;
  }
  if (item instanceof TypeItem) throw wrong(`the type ${item.name} is no value outside CEL`);
  if (isKeyed(item)) {
    return Object.fromEntries(
      [...item].map(([key, value]) => [String(key), toValue(value, budget)]),
    );
  }
  if (!isFields(item)) return item;
  const entries = Object.entries(item).map(([key, value]) =>
    [key, toValue(value, budget)] as const
  );
  return entries.every(([key, value]) => value === item[key])
    ? item as Readonly<Record<string, Value>> // nothing was changed
    : Object.fromEntries(entries);
}
