/**
 * What the options of `run` mean, once commander has split them.
 *
 * @module
 */
import { MaestroError } from "../errors.ts";
import {
  formatDuration,
  guessDuration,
  MAX_DURATION,
  parseDuration,
} from "../workflow/durations.ts";
import { didYouMean } from "../workflow/nearest.ts";
import { splitPair } from "./split_pair.ts";

/**
 * Reads `--endpoint service=host:port`, every one of them.
 *
 * @param services the workflow's
 * @throws {MaestroError} `USAGE`
 */
export function parseEndpoints(
  written: readonly string[],
  services: readonly string[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(written.map((text) => {
    const [service, endpoint] = splitPair(
      text,
      "--endpoint",
      "--endpoint payments=localhost:50051",
    );
    if (!services.includes(service)) {
      const guess = didYouMean(service, services);
      const known = services.length === 0 ? "it has none" : `it has ${services.join(", ")}`;
      throw new MaestroError(
        "USAGE",
        `Cannot use --endpoint "${text}": the workflow has no service "${service}"${
          guess === "" ? `; ${known}` : guess
        }`,
      );
    }
    return [service, endpoint];
  }));
}

/**
 * Reads `--timeout 30s`, in milliseconds.
 *
 * @throws {MaestroError} `USAGE`
 */
export function parseTimeout(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds !== null && milliseconds > MAX_DURATION) {
    throw new MaestroError(
      "USAGE",
      `Cannot use --timeout "${text}": it can be at most ${formatDuration(MAX_DURATION)}`,
    );
  }
  if (milliseconds !== null && milliseconds > 0) return milliseconds;
  const guess = milliseconds === 0 ? null : guessDuration(text);
  const remedy = guess === null
    ? "write a duration, such as 30s, 5m or 1h30m"
    : `did you mean "${guess}"?`;
  const why = milliseconds === 0 ? "no run ends in no time" : "it is no duration";
  throw new MaestroError("USAGE", `Cannot use --timeout "${text}": ${why}; ${remedy}`);
}

/**
 * Checks a run's id.
 *
 * @throws {MaestroError} `USAGE`
 */
export function parseRunId(text: string): string {
  if (!text.startsWith("-")) return parseId(text, "--run-id");
  throw new MaestroError(
    "USAGE",
    `Cannot use --run-id "${text}": an id that begins with "-" is taken for an option by other commands`,
  );
}

/**
 * Checks an id that goes to every service as metadata.
 *
 * @throws {MaestroError} `USAGE`
 */
export function parseId(text: string, option: string): string {
  if (/^[\w.:@+-]{1,128}$/.test(text)) return text;
  throw new MaestroError(
    "USAGE",
    `Cannot use ${option} "${text}": an id has 1 to 128 letters, digits and any of . _ : @ + -`,
  );
}
