/**
 * How large an expression may be. What reads it recurses, and would take the stack from under the process.
 *
 * @module
 */
import { children, type Parsed, SourceFault } from "./syntax.ts";
import { tokenEnd } from "./tokens.ts";

/** The most words and signs. */
const MAX_TOKENS = 5_000;
/** The deepest nesting of brackets. */
const MAX_BRACKETS = 100;
/** The deepest tree: brackets, and operators and selections one after the other. */
const MAX_TREE = 1_000;

/** Refuses a text that is too large to be parsed. @throws {SourceFault} */
export function checkText(source: string): void {
  let tokens = 0;
  let depth = 0;
  for (let at = 0; at < source.length; at = tokenEnd(source, at)) {
    const sign = source[at] ?? "";
    if (/\s/.test(sign)) continue;
    if (++tokens > MAX_TOKENS) {
      throw refused(`it is too long: more than ${MAX_TOKENS} words and signs`, at);
    }
    if ("([{".includes(sign)) depth++;
    else if (")]}".includes(sign)) depth--;
    if (depth > MAX_BRACKETS) {
      throw refused(`it is nested too deeply: more than ${MAX_BRACKETS} brackets`, at);
    }
  }
}

/** Refuses a tree that is too deep to be walked. @throws {SourceFault} */
export function checkTree({ expr, offset }: Parsed): void {
  const rest = [{ expr, depth: 1 }];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { expr, depth } = next;
    if (depth > MAX_TREE) {
      throw refused(`it has too many operators in a row: more than ${MAX_TREE}`, offset(expr));
    }
    for (const child of children(expr)) rest.push({ expr: child, depth: depth + 1 });
  }
}

function refused(message: string, offset: number): SourceFault {
  return new SourceFault(message, offset, "expression_syntax");
}
