/** A string of any of CEL's forms: raw, bytes, both, in single, double or triple quotes. */
const STRING_START = /(?:[rR][bB]?|[bB][rR]?)?("""|'''|"|')/y;
const WORD = /[A-Za-z_0-9]+/y;
const COMMENT = /\/\/[^\r\n]*/y;

/**
 * Where the token at `at` ends: a string, a comment or a word as a whole, anything else by one
 * character. A string that is never closed ends with the text.
 */
export function tokenEnd(text: string, at: number): number {
  STRING_START.lastIndex = at;
  const [start, quote] = STRING_START.exec(text) ?? [];
  if (start !== undefined && quote !== undefined) {
    return stringEnd(text, at + start.length, quote, /^.?[rR]/.test(start.slice(0, -quote.length)));
  }
  for (const token of [WORD, COMMENT]) {
    token.lastIndex = at;
    const found = token.exec(text)?.[0];
    if (found !== undefined) return at + found.length;
  }
  return at + 1;
}

function stringEnd(text: string, from: number, quote: string, raw: boolean): number {
  for (let at = from; at < text.length; at++) {
    if (text.startsWith(quote, at)) return at + quote.length;
    if (text[at] === "\\" && !raw) at++;
  }
  return text.length;
}
