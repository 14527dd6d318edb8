import type { Secrets } from "../engine/doors.ts";
import { MaestroError } from "../errors.ts";
import { secretsFrom } from "../library/secrets.ts";
import type { SecretMask } from "../telemetry/secret_mask.ts";
import { splitPair } from "./split_pair.ts";

/**
 * Secrets as `--secret` gives them, else from the environment. They are remembered, so that they can
 * be kept out of what is printed.
 *
 * @throws {MaestroError} `USAGE`, or `INPUT_INVALID` where a file can't be read
 */
export async function readSecrets(
  written: readonly string[] | undefined,
  mask: SecretMask,
): Promise<Secrets> {
  const files = parseSecretFiles(written ?? []);
  const source = secretsFrom({ files });
  const secrets: Secrets = {
    async read(name) {
      const value = await source.read(name);
      if (value !== undefined) mask.remember(value);
      return value;
    },
  };
  for (const name of Object.keys(files)) {
    const value = await secrets.read(name);
    if (value === "") {
      throw new MaestroError(
        "USAGE",
        `Cannot use --secret ${name}: its file "${files[name]}" is empty`,
      );
    }
  }
  return secrets;
}

/**
 * Reads `--secret NAME=@file`, every one of them: files by name.
 *
 * @throws {MaestroError} `USAGE`
 */
function parseSecretFiles(written: readonly string[]): Readonly<Record<string, string>> {
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
