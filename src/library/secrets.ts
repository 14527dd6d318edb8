import type { Secrets } from "../engine/doors.ts";
import { MaestroError } from "../errors.ts";
import { whyUnreadable } from "../workflow/unreadable.ts";

/** Where secrets come from. */
export interface SecretSources {
  /** Files by the secret's name; a trailing line break does not count. */
  readonly files?: Readonly<Record<string, string>>;
  /**
   * Asked for what is in no file.
   * @default the environment variables
   */
  readonly env?: (name: string) => string | undefined;
}

/**
 * Secrets from files and environment variables. Files are read again each time, so that they can
 * rotate.
 */
export function secretsFrom(sources: SecretSources = {}): Secrets {
  const { files = {}, env = environment } = sources;
  return {
    async read(name) {
      const file = Object.hasOwn(files, name) ? files[name] : undefined;
      if (file === undefined) return env(name);
      try {
        return (await Deno.readTextFile(file)).replace(/\r?\n$/, "");
      } catch (thrown) {
        throw new MaestroError(
          "INPUT_INVALID",
          `Cannot read "${file}" for the secret "${name}": ${whyUnreadable(thrown)}`,
          { cause: thrown },
        );
      }
    },
  };
}

/** An environment variable; where the program may not read it, it counts as not set. */
export function environment(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch {
    return undefined;
  }
}
