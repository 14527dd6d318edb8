/**
 * Recognises what people write who come from Go templates (Helm, Argo, Ansible's Jinja), and shows
 * how CEL says it.
 *
 * @module
 */
import { SourceFault } from "./syntax.ts";
import { tokenEnd } from "./tokens.ts";

const OPERATORS: Readonly<Record<string, string>> = {
  eq: "==",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
  and: "&&",
  or: "||",
};

/** How CEL says what follows a pipe, or stands in front of its arguments; `x` is what it works on. */
const FUNCTIONS: Readonly<Record<string, (x: string, arg: string) => string>> = {
  not: (x) => `!${x}`,
  len: (x) => `size(${x})`,
  length: (x) => `size(${x})`,
  index: (x, arg) => `${x}[${arg}]`,
  print: (x) => `string(${x})`,
  printf: (x, arg) => `${x}.format([${arg}])`,
  default: (x, arg) => `default(${x}, ${arg})`,
  coalesce: (x, arg) => `default(${x}, ${arg})`,
  quote: (x) => `json(${x})`,
  upper: (x) => `${x}.upperAscii()`,
  lower: (x) => `${x}.lowerAscii()`,
  trim: (x) => `${x}.trim()`,
  replace: (x, arg) => `${x}.replace(${arg}, ${arg})`,
  split: (x, arg) => `${x}.split(${arg})`,
  join: (x, arg) => `${x}.join(${arg})`,
  contains: (x, arg) => `${x}.contains(${arg})`,
  hasPrefix: (x, arg) => `${x}.startsWith(${arg})`,
  hasSuffix: (x, arg) => `${x}.endsWith(${arg})`,
  toJson: (x) => `json(${x})`,
  tojson: (x) => `json(${x})`,
  b64enc: (x) => `base64(${x})`,
  sha256sum: (x) => `sha256(${x})`,
  int: (x) => `int(${x})`,
  float64: (x) => `double(${x})`,
};

const BLOCKS: Readonly<Record<string, string>> = {
  if: "write `condition ? a : b`, or `when:` on the step",
  else: "write `condition ? a : b`, or `when:` on the step",
  range: "write `.items.map(x, x.name)`, or a `foreach` step",
  with: "write the whole path, and default(.a.b, 'x') where it may be missing",
  end: "an expression has no blocks; write `condition ? a : b` or `.items.map(x, x.name)`",
  template: "an expression has no templates",
  define: "an expression has no templates",
  block: "an expression has no templates",
  include: "an expression has no templates",
};

/** @throws {SourceFault} where the expression is a Go template's, not CEL's */
export function refuseGoHabits(source: string): void {
  const fault = findTrimMarker(source) ?? findBlock(source) ?? findVariable(source) ??
    findPipe(source) ?? findPrefixCall(source);
  if (fault !== undefined) throw fault;
}

/** The CEL spelling of a function that is called by Go's name, for "there is no function". */
export function spellingOf(name: string): string | undefined {
  const operator = OPERATORS[name];
  if (operator !== undefined) return `a ${operator} b`;
  return Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name]?.("x", "y") : undefined;
}

function go(message: string, offset: number): SourceFault {
  return new SourceFault(message, offset, "go_template");
}

function findTrimMarker(source: string): SourceFault | undefined {
  const inside = source.replace(/^-\s|\s-$/g, "").trim();
  if (/^-\s/.test(source)) return go(`"{{-" is Go's; write {{ ${inside} }}`, 0);
  if (/\s-$/.test(source)) return go(`"-}}" is Go's; write {{ ${inside} }}`, source.length - 1);
  return /^\s*\/\*/.test(source)
    ? go("a comment is written // …, to the end of its line", 0)
    : undefined;
}

function findBlock(source: string): SourceFault | undefined {
  const [, space = "", word = ""] = /^(\s*)([a-z]+)\b/.exec(source) ?? [];
  const hint = Object.hasOwn(BLOCKS, word) ? BLOCKS[word] : undefined;
  return hint === undefined ? undefined : go(`"${word}" is Go's: ${hint}`, space.length);
}

function findVariable(source: string): SourceFault | undefined {
  const at = tokenAt(source, (rest) => /^(\$|:=)/.test(rest));
  return at === undefined
    ? undefined
    : go("expressions have no variables of their own; bind a name with a `set` step", at);
}

function findPipe(source: string): SourceFault | undefined {
  const at = tokenAt(source, (rest, before) => /^\|(?!\|)/.test(rest) && before !== "|");
  if (at === undefined) return undefined;
  const [value, rest] = [operandBefore(source.slice(0, at)), source.slice(at + 1)];
  const [, name = "", args = ""] = /^\s*(\w+)\s*\(?([^|)]*)/.exec(rest) ?? [];
  const spelling = Object.hasOwn(FUNCTIONS, name)
    ? FUNCTIONS[name]?.(value, args.trim() || "…")
    : undefined;
  return go(
    `"|" is Go's; ${
      spelling === undefined ? "CEL calls f(x) or x.f()" : `write {{ ${spelling} }}`
    }`,
    at,
  );
}

/** What is piped: all that is written before, from the bracket on that is not closed. */
function operandBefore(text: string): string {
  let start = 0;
  const open: number[] = [];
  for (let at = 0; at < text.length; at = tokenEnd(text, at)) {
    if ("([{".includes(text.charAt(at))) open.push(at + 1);
    else if (")]}".includes(text.charAt(at))) open.pop();
    start = open.at(-1) ?? 0;
  }
  return text.slice(start).trim();
}

/** `eq .a .b`, which CEL would read as a field of a field. */
function findPrefixCall(source: string): SourceFault | undefined {
  const [, space = "", name = "", rest = ""] = /^(\s*)([a-zA-Z]\w*)\s+([^\s(].*)$/s.exec(source) ??
    [];
  const operator = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined;
  const call = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if ((operator ?? call) === undefined || /^(in\b|[=!<>&|?*/%+]|\[|-\s)/.test(rest)) {
    return undefined;
  }
  const [first = "…", second = "…", ...more] = words(rest.trim());
  const simple = more.length === 0;
  const [x, y] = simple ? [first, second] : ["a", "b"];
  const turned = ["default", "printf", "join", "split", "hasPrefix", "hasSuffix", "contains"];
  const spelling = operator !== undefined
    ? `${x} ${operator} ${y}`
    : turned.includes(name) && name !== "printf"
    ? call?.(y, x)
    : call?.(x, y);
  return go(`"${name} …" is Go's; write {{ ${spelling} }}`, space.length);
}

function words(text: string): readonly string[] {
  const found: string[] = [];
  for (let at = 0; at < text.length;) {
    if (/\s/.test(text.charAt(at))) at++;
    else {
      const start = at;
      while (at < text.length && !/\s/.test(text.charAt(at))) at = tokenEnd(text, at);
      found.push(text.slice(start, at));
    }
  }
  return found;
}

/** Where a token begins for which this holds, outside strings and comments. */
function tokenAt(
  source: string,
  holds: (rest: string, before: string) => boolean,
): number | undefined {
  for (let at = 0; at < source.length; at = tokenEnd(source, at)) {
    if (holds(source.slice(at, at + 2), source[at - 1] ?? "")) return at;
  }
  return undefined;
}
