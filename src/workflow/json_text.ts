import { MaestroError, type Problem } from "../errors.ts";
import type { Json } from "./json.ts";
import { Source } from "./source.ts";

const LIMIT = 2n ** 53n;

/**
 * Reads JSON text. Integers beyond 2^53 are refused, since they would lose digits.
 *
 * @param where what the text is, as a message names it: a file, `--input`…
 * @throws {MaestroError} `INPUT_INVALID`, with line and column where it is about syntax
 */
export function parseJson(text: string, where: string): Json {
  let big = false;
  const revive: Reviver = (_key, value, context) => {
    const source = context?.source;
    if (typeof value === "number" && source !== undefined && isBig(source)) big = true;
    return value;
  };
  let value: Json;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""), revive);
  } catch (thrown) {
    throw syntaxError(text, where, thrown);
  }
  if (big) throw invalid(bigIntegers(text, where));
  return value;
}

type Reviver = (key: string, value: Json, context?: { readonly source?: string }) => Json;

/** Digits alone, or with an exponent: `1e20` is written by people who mean about that much. */
function isBig(source: string): boolean {
  if (!/^-?\d+$/.test(source)) return false;
  const number = BigInt(source);
  return number > LIMIT || number < -LIMIT;
}

/** Each number that is too big, where it first stands: a text may hold the same digits. */
function bigIntegers(text: string, where: string): readonly Problem[] {
  const source = new Source(where, text);
  const found = new Map<string, Problem>();
  TOKEN.lastIndex = startOf(text);
  for (let token = TOKEN.exec(text); token !== null; token = TOKEN.exec(text)) {
    const number = token[3] ?? "";
    if (!isBig(number) || found.has(number)) continue;
    const message = `The integer ${number} is beyond 2^53 and would lose digits: ` +
      `write it as a string, "${number}"`;
    const place = source.place(TOKEN.lastIndex - number.length);
    found.set(number, { severity: "error", code: "big_integer", message, ...place });
  }
  return [...found.values()];
}

function syntaxError(text: string, where: string, thrown: unknown): MaestroError {
  const said = thrown instanceof Error ? thrown.message : String(thrown);
  const place = new Source(where, text).place(findMistake(text));
  const reason = text.trim() === ""
    ? "there is nothing"
    : said.replace(/ (in JSON )?at position .*$/, "").replace(
      /, (\.\.\.)?"[^]*" is not valid JSON$/,
      "",
    )
      .replace(/^./, (first) => first.toLowerCase());
  const message = `Not JSON: ${reason}`;
  return invalid([{ severity: "error", code: "json_syntax", message, ...place }], thrown);
}

const TOKEN =
  // JSON's strings hold no control characters, so the pattern has to name them.
  // deno-lint-ignore no-control-regex
  /[ \t\r\n]*(?:([{}[\],:])|("(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|true\b|false\b|null\b))/y;

/** Where text stops being JSON: the engine's own message does not always say. */
function findMistake(text: string): number {
  const open: string[] = [];
  let wants: "value" | "value]" | "key" | "key}" | ":" | "," = "value";
  let at = startOf(text);
  for (;;) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text);
    if (token === null) return skipSpace(text, at);
    const [all, mark, string] = token;
    const inside = open.at(-1);
    if (wants === "," && mark !== undefined && mark === inside) open.pop();
    else if (wants === "," && mark === "," && inside !== undefined) {
      wants = inside === "}" ? "key" : "value";
    } else if (wants === ":" && mark === ":") wants = "value";
    else if (wants.startsWith("key") && string !== undefined) wants = ":";
    else if ((wants === "key}" && mark === "}") || (wants === "value]" && mark === "]")) {
      open.pop();
      wants = ",";
    } else if (wants.startsWith("value") && (mark === "{" || mark === "[")) {
      open.push(mark === "{" ? "}" : "]");
      wants = mark === "{" ? "key}" : "value]";
    } else if (wants.startsWith("value") && mark === undefined) wants = ",";
    else return skipSpace(text, at);
    at += all.length;
  }
}

/** After the byte order mark. */
function startOf(text: string): number {
  return text.startsWith("\uFEFF") ? 1 : 0;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && " \t\r\n".includes(text.charAt(at))) at++;
  return at;
}

function invalid(problems: readonly Problem[], cause?: unknown): MaestroError {
  const message = problems
    .map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`).join("\n");
  return new MaestroError("INPUT_INVALID", message, { problems, cause });
}
