/** A place in a text; both count from 1. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** One `import` of a .proto file. */
export interface ProtoImport {
  readonly name: string;
  readonly place: TextPlace;
}

/** A .proto text with its comments turned to blanks, so that every place stays where it is. */
export function blankComments(text: string): string {
  // Strings are matched too, and kept: what looks like a comment inside one isn't.
  return text.replace(
    /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g,
    (token) => token.startsWith("/") ? token.replace(/[^\n]/g, " ") : token,
  );
}

/** Where an offset stands. */
export function placeAt(text: string, offset: number): TextPlace {
  const before = text.slice(0, offset);
  return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") };
}

/** Where a pattern's first group, or else its match, stands for the nth time, if it does. */
export function placeOf(text: string, pattern: RegExp, nth = 0): TextPlace | undefined {
  const match = [...text.matchAll(new RegExp(pattern, "dg"))][nth];
  const start = match?.indices?.[1]?.[0] ?? match?.index;
  return start === undefined ? undefined : placeAt(text, start);
}

/** What a file imports, from its text without comments. */
export function importsIn(text: string): ProtoImport[] {
  const pattern = /(?:^|[;}\s])import\s+(?:public\s+|weak\s+)?(["'])([^"'\n]*)\1\s*;/dg;
  return [...text.matchAll(pattern)].map((match) => ({
    name: match[2] ?? "",
    place: placeAt(text, (match.indices?.[2]?.[0] ?? 1) - 1),
  }));
}

/** The file's `syntax` or `edition`; a file that says neither is proto2. */
export function syntaxOf(text: string): string {
  return /(?:^|[;\s])(?:syntax|edition)\s*=\s*["']([^"']*)["']/.exec(text)?.[1] ?? "proto2";
}

/** Makes a text safe inside a pattern. */
export function quoted(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
