import { MaestroError } from "../errors.ts";
import { placeOf, quoted, type TextPlace } from "./proto_text.ts";

/** `file:line:column`, or as much of it as is known. */
export function spellPlace(file: string, place: TextPlace | undefined): string {
  return place === undefined ? file : `${file}:${place.line}:${place.column}`;
}

/**
 * What the parser says of a file, with the place that it means: protobufjs gives a line at best.
 *
 * @param text the file, without comments
 */
export function syntaxError(file: string, text: string, thrown: unknown): MaestroError {
  const said = thrown instanceof Error ? thrown.message : String(thrown);
  const { message, place } = explain(said, text);
  return new MaestroError("SCHEMA_UNAVAILABLE", `${spellPlace(file, place)}: ${message}`, {
    cause: thrown,
  });
}

function explain(said: string, text: string): { message: string; place: TextPlace | undefined } {
  const [, what = said, lineText] = /^(.*?)\s*\(line (\d+)\)$/s.exec(said) ?? [];
  const line = lineText === undefined ? undefined : Number(lineText);

  const illegal = /^illegal (\w+(?: \w+)*) '(.*?)'(?:, '(.*)' expected)?$/s.exec(what);
  if (illegal !== null) {
    const [, kind = "token", token = "", expected] = illegal;
    if (token === "null") {
      const rest = expected === undefined ? "" : `: "${expected}" is missing`;
      return { message: `Unexpected end of the file${rest}`, place: endOf(text) };
    }
    const message = expected === undefined
      ? `Unexpected ${kind === "token" ? "" : `${kind} `}"${token}"`
      : `Expected "${expected}", found "${token}"`;
    return { message, place: tokenPlace(text, line, token) };
  }
  const twice = /^duplicate (name|id) '?([^']*?)'? in (\w+) (.*)$/s.exec(what);
  if (twice !== null) {
    const [, kind, value = "", , owner = ""] = twice;
    const declaration = kind === "id"
      ? new RegExp(`=\\s*(${quoted(value)})\\b`)
      : new RegExp(`\\b(${quoted(value)})\\s*(?:=|\\{)`);
    const from = text.search(new RegExp(`\\b${quoted(owner.replace(/^.*\./, ""))}\\s*\\{`));
    const blank = text.slice(0, Math.max(0, from)).replace(/[^\n]/g, " ");
    const place = placeOf(blank + text.slice(Math.max(0, from)), declaration, 1);
    const thing = kind === "id" ? "number" : "name";
    return { message: `${owner} has the ${thing} ${value} twice`, place };
  }
  const place = line === undefined ? undefined : { line, column: 1 };
  return { message: `Cannot read the .proto file: ${what}`, place };
}

/** The parser may have read ahead: the token is on that line, or it is the last one before. */
function tokenPlace(text: string, line: number | undefined, token: string): TextPlace | undefined {
  if (line === undefined) return undefined;
  const lines = text.split("\n");
  const word = /^\w+$/.test(token) ? `\\b${token}\\b` : quoted(token);
  for (let at = line; at >= 1; at--) {
    const index = lines[at - 1]?.search(new RegExp(word)) ?? -1;
    if (index >= 0) return { line: at, column: index + 1 };
  }
  return { line, column: 1 };
}

function endOf(text: string): TextPlace {
  const lines = text.trimEnd().split("\n");
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}
