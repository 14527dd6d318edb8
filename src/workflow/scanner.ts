import { MaestroError } from "../errors.ts";

/** A part of a text with templates: literal text, or an expression between `{{` and `}}`. */
export type Part =
  | { readonly kind: "text"; readonly text: string }
  | {
    readonly kind: "expression";
    readonly source: string;
    /** Where the source begins in the text. */
    readonly offset: number;
  };

/** A string of CEL with its prefix: raw, bytes, triple-quoted. */
const STRING = /(?:[bB][rR]?|[rR][bB]?)?("""|'''|"|')/y;

/** Thrown for a template that can't be read; `offset` says where in its text. */
export class TemplateError extends MaestroError {
  constructor(message: string, readonly offset: number) {
    super("EXPRESSION_ERROR", message);
  }
}

/**
 * Cuts a text at its `{{ … }}`, knowing strings, comments and brackets, so that `{{ '}}' }}` and
 * `{{ {'a': 1}.a }}` are one expression each.
 *
 * @throws {TemplateError} where a `{{` is not closed
 */
export function splitTemplate(text: string): readonly Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (;;) {
    const open = text.indexOf("{{", at);
    if (open < 0) break;
    if (open > at) parts.push({ kind: "text", text: text.slice(at, open) });
    const close = findEnd(text, open + 2);
    parts.push({ kind: "expression", source: text.slice(open + 2, close), offset: open + 2 });
    at = close + 2;
  }
  if (at < text.length || parts.length === 0) parts.push({ kind: "text", text: text.slice(at) });
  return parts;
}

/** Where the `}}` stands that closes the expression which begins at `from`. */
function findEnd(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const end = skipString(text, at) ?? skipComment(text, at);
    if (end !== undefined) {
      at = end - 1;
      continue;
    }
    const char = text[at];
    if (depth === 0 && char === "}" && text[at + 1] === "}") return at;
    if (char === "{" || char === "[" || char === "(") depth++;
    else if ((char === "}" || char === "]" || char === ")") && depth > 0) depth--;
  }
  // Unbalanced brackets or quotes hide the end: the nearest `}}` lets the parser say what is wrong.
  const nearest = text.indexOf("}}", from);
  if (nearest >= 0) return nearest;
  throw new TemplateError('The "{{" is never closed: add "}}", or write {{ "{{" }} for the text itself', from - 2);
}

/** The end of the string that begins here; `undefined`: none does, or it has no end. */
function skipString(text: string, at: number): number | undefined {
  STRING.lastIndex = at;
  const match = STRING.exec(text);
  if (match === null || /\w/.test(text[at - 1] ?? "") && match[0].length > 1 && /\w/.test(match[0][0] ?? "")) {
    return undefined;
  }
  const quote = match[1] ?? "";
  const raw = /r/i.test(match[0].slice(0, -quote.length));
  for (let end = at + match[0].length; end < text.length; end++) {
    if (text[end] === "\\" && !raw) end++;
    else if (text.startsWith(quote, end)) return end + quote.length;
  }
  return undefined;
}

function skipComment(text: string, at: number): number | undefined {
  if (!text.startsWith("//", at)) return undefined;
  const end = text.indexOf("\n", at);
  return end < 0 ? undefined : end;
}

/** The expression without what is in its strings and comments: for looking at its words. */
export function blankStrings(source: string): string {
  let blanked = "";
  for (let at = 0; at < source.length;) {
    const end = skipString(source, at) ?? skipComment(source, at);
    if (end === undefined) blanked += source[at++];
    else {
      blanked += " ".repeat(end - at);
      at = end;
    }
  }
  return blanked;
}
