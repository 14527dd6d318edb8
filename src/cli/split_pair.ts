import { MaestroError } from "../errors.ts";

/**
 * Splits `name=value` at its first `=`.
 *
 * @param hidden the value may be a secret, and is not repeated in messages
 * @throws {MaestroError} `USAGE`
 */
export function splitPair(
  text: string,
  option: string,
  example: string,
  hidden = false,
): [string, string] {
  const at = text.indexOf("=");
  if (at > 0 && at < text.length - 1) return [text.slice(0, at), text.slice(at + 1)];
  const why = at === -1 ? 'it has no "="' : at === 0 ? "it has no name" : "it has no value";
  const shown = hidden ? "" : ` "${text}"`;
  throw new MaestroError("USAGE", `Cannot use ${option}${shown}: ${why}; write it as "${example}"`);
}
