/** Anything that JSON can say. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** As people read it. */
export function pretty(value: JsonValue): string {
  return JSON.stringify(value, null, 2);
}

/** What a person typed, or why it is not JSON. */
export function parseJson(
  text: string,
): { readonly value: JsonValue; readonly error: null } | { readonly error: string } {
  try {
    return { value: JSON.parse(text), error: null };
  } catch (thrown) {
    return { error: thrown instanceof Error ? thrown.message : "This is not JSON" };
  }
}
