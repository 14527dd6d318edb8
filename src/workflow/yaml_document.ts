import {
  Composer,
  type Document,
  type DocumentOptions,
  Lexer,
  type ParseOptions,
  Parser,
  type SchemaOptions,
  YAMLParseError,
} from "yaml";

/** How the library is to read. */
export type YamlOptions = ParseOptions & DocumentOptions & SchemaOptions;

/** So many doubled quotes may follow one another. */
const MAX_DOUBLED = 5_000;

/** The text is nested more deeply than can be read. */
export class TooDeep {
  /** @param offset where, in UTF-16 units from 0 */
  constructor(readonly offset: number) {}
}

/**
 * Reads one document, as the library's `parseDocument` does. That recurses, so that a few thousand
 * brackets would take the stack from under it, and with it the process: here the first that is too deep
 * ends the reading, before anything recurses.
 *
 * @param most how deep the parser's own stack may become: a little more than the nesting is
 * @throws {TooDeep}
 */
export function parseDocument(text: string, most: number, options: YamlOptions): Document.Parsed {
  let document: Document.Parsed | null = null;
  const composer = new Composer(options);
  for (const next of composer.compose(tokens(text, most), true, text.length)) {
    if (document === null) document = next as Document.Parsed; // it was parsed: it has its range
    else {
      const [start = 0, end = 0] = next.range;
      document.errors.push(
        new YAMLParseError([start, end], "MULTIPLE_DOCS", "There are several documents"),
      );
      break;
    }
  }
  if (document === null) throw new Error("The library composed no document");
  return document;
}

/**
 * Where too many doubled quotes (`''`) follow one another; `null`: nowhere. V8 (Deno 2.9.3) fails, and the
 * process with it, when it optimises the library's loop over them while that goes on.
 */
export function tooManyDoubled(text: string): number | null {
  let doubled = 0;
  for (let at = text.indexOf("'"); at !== -1;) {
    const isDoubled = text[at + 1] === "'";
    doubled = isDoubled ? doubled + 1 : 0;
    if (doubled > MAX_DOUBLED) return at;
    at = text.indexOf("'", at + (isDoubled ? 2 : 1));
  }
  return null;
}

function* tokens(text: string, most: number) {
  const parser = new Parser();
  let at = 0;
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    if (parser.stack.length > most) throw new TooDeep(at);
    at += lexeme.length;
  }
  yield* parser.end();
}
