/** Anything JSON can say. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** A copy that shares nothing with the original. */
export function copyJson(json: Json): Json {
  if (json === null || typeof json !== "object") return json;
  return isList(json) ? json.map(copyJson) : mapValues(json, copyJson);
}

function isList(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}

/** A map with each value changed; absent values stay absent, and no key has a meaning of its own. */
export function mapValues<A, B>(
  fields: { readonly [key: string]: A },
  change: (value: A) => B,
): { readonly [key: string]: B } {
  const changed: Record<string, B> = {};
  for (const key of Object.keys(fields)) {
    const value = fields[key];
    if (value === undefined) continue;
    if (key !== "__proto__") changed[key] = change(value);
    else define(changed, key, change(value));
  }
  return changed;
}

/** `__proto__` as a key like any other. */
function define<B>(fields: Record<string, B>, key: string, value: B): void {
  Object.defineProperty(fields, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}
