import { MaestroError } from "../errors.ts";
import type { Json } from "../workflow/json.ts";
import { parseGiven, textOf } from "./json_option.ts";
import { applySetting, isMap, parseSetting } from "./set_option.ts";

/**
 * The run's input from `--input JSON | @file | -` and every `--set` over it, in order.
 *
 * @throws {MaestroError} `USAGE` or `INPUT_INVALID`
 */
export async function readInput(
  written: string | undefined,
  settings: readonly string[],
): Promise<Json> {
  const over = settings.map(parseSetting); // a slip here should not wait for standard input
  const base = written === undefined ? {} : await readBase(written);
  return over.reduce((input, setting) => applySetting(input, setting), base);
}

async function readBase(written: string): Promise<Json> {
  const { text, origin } = await textOf(written, "--input");
  if (text.trim() === "") {
    throw new MaestroError(
      "USAGE",
      `Cannot use ${origin} as the input: it is empty; for a run without input, leave --input out`,
    );
  }
  const input = parseGiven(text, origin);
  if (isMap(input)) return input;
  const kind = Array.isArray(input) ? "a list" : input === null ? "null" : `a ${typeof input}`;
  throw new MaestroError(
    "USAGE",
    `Cannot use ${origin} as the input: it is ${kind}, and the input of a run is a map, such as {"email": "ada@example.com"}`,
  );
}
