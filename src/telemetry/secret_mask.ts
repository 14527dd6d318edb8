/** What stands in a secret's place. */
const MASKED = "[secret]";

/** Shorter ones can't be told from ordinary text, and are left. */
const SHORTEST = 4;

/**
 * Takes the secrets that a run has read out of whatever is about to be printed. Secrets only ever
 * go into metadata, endpoints and TLS settings; this is for the service that echoes its token in an
 * error message.
 */
export class SecretMask {
  readonly #values = new Set<string>();

  /** From now on, this is not to be seen. */
  remember(secret: string): void {
    if (secret.length >= SHORTEST) this.#values.add(secret);
  }

  /** The text without any secret. */
  readonly mask = (text: string): string => {
    for (const value of this.#values) text = text.replaceAll(value, MASKED);
    return text;
  };
}
