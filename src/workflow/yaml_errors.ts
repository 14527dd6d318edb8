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

/** The parser's own words for what no code tells apart, in ours. */
const REWORDING: readonly (readonly [RegExp, string])[] = [
  [/^Implicit map keys need to be followed by map values$/, 'A key must be followed by ":"'],
  [/^Sequence item without - indicator$/, 'Every item of this list must begin with "- "'],
  [/^Block scalar header includes extra characters: (.*)$/, "Nothing can follow | or > but: $1"],
  [/^(Missing .*) between flow map items$/, "$1 between the parts of { }"],
  [/^(Missing .*) between flow sequence items$/, "$1 between the items of [ ]"],
  [/\bflow map\b/i, "{ }"],
  [/\bflow sequence\b/i, "[ ]"],
];

/** What the parser says of tokens once it has lost its way. */
const LOST = /^Unexpected [\w-]+ token in YAML stream(?:: (".*"))?$/s;
/** What it says of something that stands where a value has ended. */
const STRAY = /^Unexpected [\w-]+ at node end$/;
const UNCLOSED = /^Flow (map|sequence)\b/;
const UNQUOTED = /^Missing closing (["'])/;

/** What the parser says. */
export interface YamlError {
  readonly code: string;
  readonly message: string;
  readonly at: number;
}

/** Without what only follows from a bracket or a quote that is never closed. */
export function causes(errors: readonly YamlError[]): readonly YamlError[] {
  const found: YamlError[] = [];
  let [wasLost, wasUnclosed] = [false, false];
  for (const error of errors) {
    const { message } = error;
    const lost = LOST.test(message) || STRAY.test(message);
    const unclosed = UNCLOSED.test(message);
    const follows = (wasLost && (lost || unclosed)) || (wasUnclosed && lost);
    if (!follows) found.push(error);
    [wasLost, wasUnclosed] = [lost || (wasLost && follows), unclosed];
    if (UNQUOTED.test(message)) break; // it swallows the rest
  }
  return found;
}

/**
 * Where the values begin that nothing can be said of, since they are not what was meant: texts that
 * are never closed, brackets with nothing in them that are not, and those that hold something stray.
 */
export function unreadableAt(errors: readonly YamlError[], document: Document): readonly number[] {
  return errors.flatMap(({ message, at }) => {
    if (UNQUOTED.test(message)) return [openingOf(at, document)];
    const unclosed = UNCLOSED.test(message);
    if (!unclosed && !STRAY.test(message)) return [];
    const starts: number[] = [];
    visit(document, {
      Collection(_, { flow, items, range }) {
        if (!flow || !range || range[0] >= at) return;
        const meant = unclosed ? items.length === 0 && range[1] === at : range[1] >= at;
        if (meant) starts.push(range[0]);
      },
    });
    return starts.slice(-1); // the innermost
  });
}

/** A problem of syntax, in words. */
export function describeYamlError(error: YamlError, source: Source, document: Document): Problem {
  const { code, message } = error;
  const [, quote] = UNQUOTED.exec(message) ?? [];
  const at = quote === undefined ? error.at : openingOf(error.at, document);
  const start = source.text.lastIndexOf("\n", at - 1) + 1;
  const line = source.text.slice(start, source.endOfLine(start));
  const template = line.includes("{{") && code !== "TAB_AS_INDENT"
    ? "; a value that holds {{ }} is best put in quotes"
    : "";
  const plain = (message.split("\n", 1)[0] ?? message).replace(/\.$/, "");
  const [, flow] = UNCLOSED.exec(plain) ?? [];
  const words = quote !== undefined
    ? `The ${quote} is never closed`
    : flow !== undefined
    ? `A ${flow === "map" ? "{" : "["} is not closed before this, or this is indented too little`
    : plain.startsWith("Unresolved tag")
    ? plain.replace("Unresolved", "Unknown")
    : WORDING[code] ?? reword(plain);
  return problemAt(source.place(at), "yaml_syntax", words + template);
}

function reword(message: string): string {
  if (STRAY.test(message)) {
    return "This stands where a value has ended: a comma is missing before it, or quotes around the whole";
  }
  const lost = LOST.exec(message);
  if (lost !== null) {
    const [, token = ""] = lost;
    // The parser's marks are control characters, which mean nothing to anyone else.
    return token === "" || token.startsWith('"\\u00')
      ? "Unexpected end of what came before"
      : `Unexpected ${token.length > 60 ? `${token.slice(0, 60)}…"` : token}`;
  }
  const [pattern, words] = REWORDING.find(([pattern]) => pattern.test(message)) ?? [];
  return pattern === undefined || words === undefined ? message : message.replace(pattern, words);
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
