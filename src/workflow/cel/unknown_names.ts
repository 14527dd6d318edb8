import { didYouMean } from "../nearest.ts";
import { Fault } from "./fault.ts";
import { FUNCTIONS, type Native } from "./functions.ts";
import { spellingOf } from "./go_habits.ts";
import type { Item } from "./item.ts";

const MACROS: readonly string[] = ["map", "filter", "exists", "all", "exists_one", "existsOne"];

/** Whether a method's name is a macro's, whose first argument names a loop variable. */
export function isMacro(name: string): boolean {
  return MACROS.includes(name);
}

/** Why a name without a dot stands for nothing. */
export function unknownName(name: string, source: string, offset: number): string {
  const [, hyphened] = /(\w+-)$/.exec(source.slice(0, offset)) ?? [];
  return hyphened === undefined
    ? `there is no "${name}" here; write .${name}`
    : `there is no "${name}" here; a key with a hyphen is written ['${hyphened}${name}']`;
}

/** Why a root has no value, with those that have one. */
export function missingRoot(name: string, roots: Readonly<Record<string, Item>>): Fault {
  const names = Object.keys(roots).sort().map((root) => `.${root}`);
  const listed = names.length === 0 ? "" : ` (there is: ${names.join(", ")})`;
  return new Fault(`there is no .${name} here${listed}`, "missing");
}

/** Why there is no such function or method, and what to write instead. */
export function unknownFunction(
  name: string,
  isMethod: boolean,
  known: Native | undefined,
): string {
  if (name === "default") return "write default(.a.b, 'x')";
  if (isMacro(name)) return `write .items.${name}(x, …), with a name for the item`;
  if (known !== undefined) {
    return isMethod
      ? `"${name}" is a function; write ${name}(x)`
      : `"${name}" is a method; write x.${name}()`;
  }
  const spelling = spellingOf(name);
  if (spelling !== undefined) return `there is no function "${name}"; write ${spelling}`;
  const names = [...FUNCTIONS.keys(), ...MACROS, "has", "default"];
  return `there is no function "${name}"${didYouMean(name, names)}`;
}
