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
  return withExponents(JSON.stringify(value, null, 2));
}

/** As it is sent. */
export function compact(value: JsonValue): string {
  return withExponents(JSON.stringify(value));
}

/** What a person typed, or why it is not JSON, or would not be sent as it is shown. */
export function parseJson(
  text: string,
): { readonly value: JsonValue; readonly error: null } | { readonly error: string } {
  try {
    const value: JsonValue = JSON.parse(text);
    for (const [token] of text.matchAll(TOKEN)) {
      const error = token.startsWith('"') ? null : lossOf(token);
      if (error !== null) return { error };
    }
    return { value, error: null };
  } catch (thrown) {
    return { error: thrown instanceof Error ? thrown.message : "This is not JSON" };
  }
}

/** What would be lost of a number as it is written; `null`: nothing that anybody would miss. */
export function lossOf(number: string): string | null {
  if (isBig(number)) {
    return `The integer ${number} is beyond 2^53 and would lose digits: ` +
      `where a string is taken, write "${number}"`;
  }
  return Number.isFinite(Number(number)) ? null : `The number ${number} is too large`;
}

/** Strings and numbers of a text that is JSON. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;

const LIMIT = 2n ** 53n;

/** Digits alone; with an exponent, it is written by people who mean about that much. */
function isBig(number: string): boolean {
  if (!/^-?\d+$/.test(number)) return false;
  const integer = BigInt(number);
  return integer > LIMIT || integer < -LIMIT;
}

/** A large number with all of its digits would be taken for an integer that has lost some. */
function withExponents(text: string): string {
  if (!/\d{16}/.test(text)) return text; // as most are
  return text.replaceAll(TOKEN, (token) => isBig(token) ? Number(token).toExponential() : token);
}
