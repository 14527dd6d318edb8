import { MaestroError } from "../errors.ts";
import type { Json } from "../workflow/json.ts";
import { parseJson } from "../workflow/json_text.ts";
import { LocatedError } from "./located.ts";
import { readBytes, readStdin } from "./read_file.ts";
import { applySetting, isMap, parseSetting } from "./set_option.ts";

/** The most input that is read, in bytes. */
const MAX_INPUT = 64 * 1024 * 1024;

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
  const { text, origin } = await textOf(written);
  if (text.trim() === "") {
    throw new MaestroError(
      "USAGE",
      `Cannot use ${origin} as the input: it is empty; for a run without input, leave --input out`,
    );
  }
  const input = parsed(text, origin);
  if (isMap(input)) return input;
  const kind = Array.isArray(input) ? "a list" : input === null ? "null" : `a ${typeof input}`;
  throw new MaestroError(
    "USAGE",
    `Cannot use ${origin} as the input: it is ${kind}, and the input of a run is a map, such as {"email": "ada@example.com"}`,
  );
}

/** What is wrong with the text is shown in the text. */
function parsed(text: string, origin: string): Json {
  try {
    return parseJson(text, origin);
  } catch (thrown) {
    const { code, problems } = MaestroError.from(thrown);
    throw new LocatedError(code, problems, new Map([[origin, text]]));
  }
}

async function textOf(written: string): Promise<{ text: string; origin: string }> {
  if (written === "-") {
    return { text: decode(await readStdin(MAX_INPUT), "standard input"), origin: "standard input" };
  }
  if (!written.startsWith("@")) {
    return { text: written, origin: "--input" };
  }
  const path = written.slice(1);
  if (path === "") {
    throw new MaestroError(
      "USAGE",
      'Cannot use --input "@": name the file, as in "--input @order.json"',
    );
  }
  return { text: decode(await readBytes(path, "--input", MAX_INPUT), path), origin: path };
}

function decode(bytes: Uint8Array, origin: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new MaestroError("USAGE", `Cannot read ${origin}: it is not UTF-8 text`);
  }
}
