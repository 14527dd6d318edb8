import { SourceFault } from "./syntax.ts";
import { tokenEnd } from "./tokens.ts";

/** A piece of a template: text as it is, or the source between `{{` and `}}`. */
export interface Piece {
  readonly kind: "text" | "expression";
  readonly text: string;
  /** Where `text` begins in the template, in UTF-16 units from 0. */
  readonly offset: number;
}

/**
 * A template's pieces. Strings, comments and maps inside an expression may hold `}}`.
 *
 * @throws {SourceFault} where a `{{` is never closed
 */
export function scanTemplate(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf("{{", at);
    const end = open === -1 ? text.length : open;
    if (end > at) pieces.push({ kind: "text", text: text.slice(at, end), offset: at });
    if (open === -1) break;
    const close = closing(text, open);
    pieces.push({ kind: "expression", text: text.slice(open + 2, close), offset: open + 2 });
    at = close + 2;
  }
  return pieces;
}

function closing(text: string, open: number): number {
  let depth = 0;
  let swallowing = "";
  for (let at = open + 2; at < text.length;) {
    const end = tokenEnd(text, at);
    const token = text.slice(at, end);
    if (token === "{") depth++;
    else if (token === "}" && depth > 0) depth--;
    else if (token === "}" && text[end] === "}") return at;
    if (token.length > 1 && token.includes("}}")) swallowing = token;
    at = end;
  }
  const hint = swallowing.startsWith("//")
    ? ": a comment runs to the end of its line, so the }} belongs on the next"
    : swallowing !== ""
    ? ": the }} is inside a string that is not closed"
    : "; for the text {{ itself write {{ '{{' }}";
  throw new SourceFault(`{{ is never closed${hint}`, open, "expression_syntax");
}
