/**
 * What the options of `run` mean, once commander has split them.
 *
 * @module
 */
import { MaestroError } from "../errors.ts";
import { guessDuration, parseDuration } from "../workflow/durations.ts";
import { didYouMean } from "../workflow/nearest.ts";

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
 * Reads `--secret NAME=@file`, every one of them: files by name.
 *
 * @throws {MaestroError} `USAGE`
 */
export function parseSecretFiles(written: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(written.map((text) => {
    const [name, file] = splitPair(text, "--secret", "--secret PAYMENTS_TOKEN=@token.txt", true);
    if (!file.startsWith("@") || file === "@") {
      throw new MaestroError(
        "USAGE",
        `Cannot use --secret ${name}=…: a secret is never taken from the command line, where others can read it; put it into a file and write "--secret ${name}=@file", or set the environment variable ${name}`,
      );
    }
    return [name, file.slice(1)];
  }));
}

/** Splits `name=value` at its first `=`. A value that may be a secret is not repeated in messages. */
function splitPair(
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

/**
 * Reads `--timeout 30s`, in milliseconds.
 *
 * @throws {MaestroError} `USAGE`
 */
export function parseTimeout(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds !== null && milliseconds > 0) return milliseconds;
  const guess = milliseconds === 0 ? null : guessDuration(text);
  const remedy = guess === null
    ? "write a duration, such as 30s, 5m or 1h30m"
    : `did you mean "${guess}"?`;
  const why = milliseconds === 0 ? "no run ends in no time" : "it is no duration";
  throw new MaestroError("USAGE", `Cannot use --timeout "${text}": ${why}; ${remedy}`);
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

/**
 * Checks `--store`.
 *
 * @throws {MaestroError} `USAGE`
 */
export function parseStore(text: string): "memory" {
  if (text === "memory") return text;
  const why = text.startsWith("sqlite:") ? "SQLite is not supported yet" : "it is not a store";
  throw new MaestroError("USAGE", `Cannot use --store "${text}": ${why}; use "memory"`);
}
