import { MaestroError } from "../errors.ts";
import { guessDuration, parseDuration } from "../workflow/durations.ts";

/**
 * Reads an option's span of time, in milliseconds: `30d`, `1h30m`.
 *
 * @param option how it was asked for, for messages: `--since`
 * @throws {MaestroError} `USAGE`
 */
export function parseSpan(text: string, option: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds !== null) return milliseconds;
  const guess = guessDuration(text);
  const remedy = guess === null
    ? "write a duration, such as 30m, 12h or 30d"
    : `did you mean "${guess}"?`;
  throw new MaestroError("USAGE", `Cannot use ${option} "${text}": it is no duration; ${remedy}`);
}
