import { MaestroError } from "../errors.ts";
import type { Json } from "../workflow/json.ts";
import { parseJson } from "../workflow/json_text.ts";
import { LocatedError } from "./located.ts";
import { readBytes, readStdin } from "./read_file.ts";

/** The most that is read, in bytes. */
const MAX_INPUT = 64 * 1024 * 1024;

/**
 * The JSON that an option gives: `JSON`, `@file` or `-`.
 *
 * @param option how it was asked for, for messages: `--data`
 * @throws {MaestroError} `USAGE` or `INPUT_INVALID`
 */
export async function readJsonOption(written: string, option: string): Promise<Json> {
  const { text, origin } = await textOf(written, option);
  return parseGiven(text, origin);
}

/**
 * Reads the text of an option's JSON; what is wrong with it is shown in it.
 *
 * @throws {MaestroError} `INPUT_INVALID`
 */
export function parseGiven(text: string, origin: string): Json {
  try {
    return parseJson(text, origin);
  } catch (thrown) {
    const { code, problems } = MaestroError.from(thrown);
    throw new LocatedError(code, problems, new Map([[origin, text]]));
  }
}

/**
 * The text that an option gives: its own, that of an `@file`, or, for `-`, standard input.
 *
 * @param option how it was asked for, for messages: `--input`
 * @throws {MaestroError} `USAGE`
 */
export async function textOf(
  written: string,
  option: string,
): Promise<{ text: string; origin: string }> {
  if (written === "-") {
    return {
      text: decode(await readStdin(MAX_INPUT, option), "standard input"),
      origin: "standard input",
    };
  }
  if (!written.startsWith("@")) {
    return { text: written, origin: option };
  }
  const path = written.slice(1);
  if (path === "") {
    throw new MaestroError(
      "USAGE",
      `Cannot use ${option} "@": name the file, as in "${option} @order.json"`,
    );
  }
  return { text: decode(await readBytes(path, option, MAX_INPUT), path), origin: path };
}

function decode(bytes: Uint8Array, origin: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new MaestroError("USAGE", `Cannot read ${origin}: it is not UTF-8 text`);
  }
}
