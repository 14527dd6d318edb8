import { Run_State } from "../../gen/maestro/v1/runs_pb.ts";
import type { ListRunsQuery } from "../operations.ts";
import { fieldError } from "./field_error.ts";
import { statusOf } from "./states.ts";

/** What of a query a filter can say. */
type Filter = Pick<ListRunsQuery, "status" | "workflow" | "since" | "until" | "text">;

/** A word or a string, and a comparison's operator. */
const TOKEN = /\s*(?:"((?:[^"\\]|\\.)*)"|(<=|>=|!=|=|<|>|:|\(|\))|([^\s"=<>!:()]+))/y;

interface Token {
  readonly kind: "string" | "operator" | "word";
  readonly text: string;
}

/**
 * Reads a filter of runs: of AIP-160 the comparisons that runs can be found by, joined by `AND`.
 *
 * @throws {MaestroError} `USAGE`
 */
export function parseFilter(text: string): Filter {
  const tokens = tokenize(text);
  const filter: { -readonly [K in keyof Filter]: Filter[K] } = {};
  const set = <K extends keyof Filter>(key: K, value: NonNullable<Filter[K]>, said: string) => {
    if (filter[key] !== undefined) throw wrong(`it has two conditions for ${said}`);
    filter[key] = value;
  };
  for (let at = 0; at < tokens.length;) {
    if (at > 0 && isWord(tokens[at], "AND")) at++;
    const [left, operator, right] = tokens.slice(at, at + 3);
    if (left === undefined) throw wrong("nothing comes after its last AND");
    if (left.kind === "operator") throw wrong(`"${left.text}" is not supported there`);
    if (["AND", "OR", "NOT"].some((word) => isWord(left, word)) || left.text.startsWith("-")) {
      throw wrong(`"${left.text}" is not supported there: conditions can only be joined by AND`);
    }
    if (operator?.kind !== "operator") {
      set("text", left.text, "the text in ids");
      at++;
      continue;
    }
    if (right === undefined || right.kind === "operator") {
      throw wrong(`no value comes after "${left.text} ${operator.text}"`);
    }
    at += 3;
    const condition = `${left.text} ${operator.text}`;
    switch (condition) {
      case "state =":
        set("status", stateOf(right.text), "state");
        break;
      case "workflow =":
        set("workflow", right.text.replace(/^workflows\//, ""), "workflow");
        break;
      case "start_time >=":
        set("since", timeOf(right.text), condition);
        break;
      case "start_time <":
        set("until", timeOf(right.text), condition);
        break;
      default:
        throw wrong(
          `"${condition}" is not supported: there are "state =", "workflow =", "start_time >=", "start_time <", and words of ids`,
        );
    }
  }
  return filter;
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < end;) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    if (found === null) throw wrong(`it can't be read from "${text.slice(at).trim()}" on`);
    const [, string, operator, word] = found;
    if (string !== undefined) {
      tokens.push({ kind: "string", text: string.replaceAll(/\\(.)/g, "$1") });
    } else if (operator !== undefined) tokens.push({ kind: "operator", text: operator });
    else tokens.push({ kind: "word", text: word ?? "" });
  }
  return tokens;
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === "word" && token.text === word;
}

function stateOf(text: string): NonNullable<Filter["status"]> {
  const status = statusOf(Run_State[text as keyof typeof Run_State]);
  if (status !== null) return status;
  const states = Object.keys(Run_State).filter((name) => /^[A-Z_]+$/.test(name)).slice(1);
  throw wrong(`"${text}" is no state: there are ${states.join(", ")}`);
}

function timeOf(text: string): string {
  const time = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(time)) return new Date(time).toISOString();
  throw wrong(`"${text}" is no time, such as "2026-01-31T12:00:00Z"`);
}

function wrong(why: string) {
  return fieldError("filter", why);
}
