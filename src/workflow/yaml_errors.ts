import { type Document, visit } from "yaml";
import type { Problem } from "../errors.ts";
import { problemAt } from "./problems.ts";
import type { Source } from "./source.ts";

/** What the parser's terser messages mean to someone who writes a workflow. */
const WORDING: Readonly<Record<string, string>> = {
  BAD_INDENT: "The indentation does not fit the lines around it",
  BAD_SCALAR_START: "A value cannot begin with this character: put it in quotes",
  BLOCK_AS_IMPLICIT_KEY: 'Two keys in one line: put a value that holds ": " in quotes',
  MULTIPLE_DOCS: 'A file holds one workflow: "---" begins a second document',
  MULTILINE_IMPLICIT_KEY: 'A key must stand in one line, followed by ":"',
  TAB_AS_INDENT: "A tab cannot indent: use spaces",
};

/** What the parser says. */
export interface YamlError {
  readonly code: string;
  readonly message: string;
  readonly at: number;
}

/** A problem of syntax, in words. */
export function describeYamlError(error: YamlError, source: Source, document: Document): Problem {
  const { code, message } = error;
  const [, quote] = /^Missing closing (["'])/.exec(message) ?? [];
  const at = quote === undefined ? error.at : openingOf(error.at, document);
  const start = source.text.lastIndexOf("\n", at - 1) + 1;
  const line = source.text.slice(start, source.endOfLine(start));
  const template = line.includes("{{") && code !== "TAB_AS_INDENT"
    ? "; a value that holds {{ }} is best put in quotes"
    : "";
  const plain = (message.split("\n", 1)[0] ?? message).replace(/\.$/, "");
  const [, flow] = /^Flow (map|sequence)/.exec(plain) ?? [];
  const words = quote !== undefined
    ? `The ${quote} is never closed`
    : flow !== undefined
    ? `A ${flow === "map" ? "{" : "["} is not closed before this, or this is indented too little`
    : plain.startsWith("Unresolved tag")
    ? plain.replace("Unresolved", "Unknown")
    : WORDING[code] ?? plain;
  return problemAt(source.place(at), "yaml_syntax", words + template);
}

/** Where the quoted text begins that ends at an offset. */
function openingOf(end: number, document: Document): number {
  let found = end;
  visit(document, {
    Scalar(_, { range }) {
      if (range && range[0] < end && range[1] >= end) found = range[0];
    },
  });
  return found;
}
