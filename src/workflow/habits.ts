import { blankStrings } from "./scanner.ts";

/** Words that begin an expression of Go templates, and how CEL says it. */
const WORDS: Readonly<Record<string, string>> = {
  eq: ".a == .b",
  ne: ".a != .b",
  lt: ".a < .b",
  le: ".a <= .b",
  gt: ".a > .b",
  ge: ".a >= .b",
  and: ".a && .b",
  or: ".a || .b",
  not: "!.a",
  len: "size(.a)",
  index: ".a[0] or .a['key']",
  printf: "'%s'.format([.a])",
  print: "'text' + .a",
  if: ".a ? .b : .c, or `when:` on the step",
  else: ".a ? .b : .c",
  with: ".a.b written out",
  range: ".list.map(x, x.name)",
  end: "nothing: an expression has no end",
};

/** What a Go template would say that CEL says otherwise; `undefined`: nothing of the kind. */
export function goHabit(source: string): string | undefined {
  if (source.startsWith("-")) {
    return "`{{-` belongs to Go templates: write `{{ ` with a space; it trims nothing here";
  }
  if (source.endsWith("-")) {
    return "`-}}` belongs to Go templates: write ` }}`; it trims nothing here";
  }
  const words = blankStrings(source);
  const word = /^\s*([a-z]+)(?=\s+[.$"'\d(]|\s*$|\s+[a-z])/.exec(words)?.[1];
  const spelling = word === undefined || !Object.hasOwn(WORDS, word) ? undefined : WORDS[word];
  if (spelling !== undefined) return `\`${word}\` belongs to Go templates: CEL writes ${spelling}`;
  if (/[^|]\|[^|]/.test(words)) {
    return "A pipe `|` belongs to Go templates: CEL calls functions on the value, as in .name.upperAscii(), or default(.name, 'x')";
  }
  if (/(^|[^\w])\$\w*/.test(words)) return "`$` belongs to Go templates: a leading dot names what a step can see, as in .input";
  return undefined;
}
