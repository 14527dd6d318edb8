import { MaestroError } from "../errors.ts";
import type { Json } from "../workflow/json.ts";
import { parseJson } from "../workflow/json_text.ts";

type JsonMap = Readonly<Record<string, Json>>;

/** One `--set`: where in the input, and what. */
export interface Setting {
  readonly path: readonly string[];
  readonly value: Json;
}

/**
 * Reads `user.age=42`. What is JSON is taken as JSON, anything else as the string it is: `age=42`
 * is a number, `name=Ada` a string, `zip='"01067"'` a string whatever it looks like.
 *
 * @throws {MaestroError} `USAGE`
 */
export function parseSetting(text: string): Setting {
  const at = text.indexOf("=");
  const key = at === -1 ? text : text.slice(0, at);
  const path = key.split(".");
  if (at === -1 || path.includes("")) {
    const why = at === -1 ? 'it has no "="' : "a part of the key is empty";
    throw new MaestroError(
      "USAGE",
      `Cannot use --set "${text}": ${why}; write it as "--set user.email=ada@example.com"`,
    );
  }
  return { path, value: valueOf(text.slice(at + 1), key) };
}

function valueOf(text: string, key: string): Json {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  return parseJson(text, `--set ${key}`); // refuses what would lose digits
}

/**
 * The input with one setting over it.
 *
 * @throws {MaestroError} `USAGE` where something on the way is no map
 */
export function applySetting(input: Json, { path, value }: Setting, done: string[] = []): Json {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (!isMap(input)) {
    const kind = Array.isArray(input) ? "a list" : "no map";
    throw new MaestroError(
      "USAGE",
      `Cannot use --set "${[...done, ...path].join(".")}": "${
        done.join(".")
      }" is ${kind} in the input; give it whole, as in "--set ${done.join(".")}=JSON"`,
    );
  }
  const under = Object.hasOwn(input, key) ? input[key] ?? {} : {};
  const inner = rest.length === 0
    ? value
    : applySetting(under, { path: rest, value }, [...done, key]);
  return Object.fromEntries([...Object.entries(input), [key, inner]]); // a key such as `__proto__` is one like any other
}

/** Whether it is a map, rather than a list or a scalar. */
export function isMap(value: Json): value is JsonMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
