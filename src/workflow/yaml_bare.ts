import { type Document, isCollection, visit } from "yaml";
import type { Problem } from "../errors.ts";
import { problemAt } from "./problems.ts";
import type { Source } from "./source.ts";

/** An unquoted `{{ … }}`, which YAML takes for a map within a map. */
export interface BareTemplate {
  readonly start: number;
  /** Up to here, what YAML says is about the missing quotes. */
  readonly end: number;
  readonly problem: Problem;
}

/** Every unquoted `{{ … }}` of a document, each with a problem that shows the quotes. */
export function findBareTemplates(document: Document, source: Source): readonly BareTemplate[] {
  const { text } = source;
  const found: BareTemplate[] = [];
  visit(document, {
    Map(_, { flow, range }, parents) {
      const start = range?.[0];
      if (!flow || start === undefined || !text.startsWith("{{", start)) return undefined;
      const close = text.indexOf("}}", start);
      const inside = close === -1 ? source.endOfLine(start) : closing(text, close);
      const end = source.endOfLine(inside);
      const inFlow = parents.some((parent) => isCollection(parent) && parent.flow === true);
      const rest = inFlow ? "" : text.slice(inside, end).replace(/(^|\s)#.*/, "").trimEnd();
      const fixed = quote(text.slice(start, inside) + rest);
      const message = `Quote the expression, or YAML reads it as a map${fixed && `: ${fixed}`}`;
      found.push({
        start,
        end,
        problem: problemAt(source.place(start), "unquoted_template", message),
      });
      return visit.SKIP;
    },
  });
  return found;
}

/** `{{ {'a': 1} }}` and `{{ {'a': 1}}}` both end at the last brace of the row. */
function closing(text: string, at: number): number {
  let end = at + 2;
  while (text[end] === "}" && text[end - 3] !== " ") end++;
  return end;
}

function quote(text: string): string {
  if (text.includes("\n") || text.length > 80) return "";
  if (!/["\\]/.test(text)) return `"${text}"`;
  return text.includes("'") ? "" : `'${text}'`;
}
