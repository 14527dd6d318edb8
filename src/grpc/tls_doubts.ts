import type { AttemptFailure } from "../machines/failure.ts";
import type { TlsRule } from "../workflow/service_rules.ts";
import type { Endpoint } from "./endpoint.ts";
import { isTlsDoubt } from "./reach_reason.ts";
import type { TlsFiles } from "./tls.ts";
import { probeTls } from "./tls_probe.ts";

/** For how long what a probe found is taken to be so, in milliseconds. */
const FRESH = 5_000;

/**
 * Says more exactly why no connection could be made, where TLS may be why. Asks the server itself,
 * which takes a second at most, and not for every call.
 */
export async function explainTls(
  { tls }: { readonly tls: TlsDoubts | null },
  failure: AttemptFailure,
): Promise<AttemptFailure> {
  if (tls === null || failure.outcome !== "not_sent") return failure;
  const [, reach, reason = ""] = /^(Cannot reach ".*?" at \S+: )(.*)$/s.exec(failure.message) ?? [];
  if (reach === undefined || !isTlsDoubt(reason)) return failure;
  const found = await tls.reason();
  return found === null ? failure : { ...failure, message: reach + found };
}

/** Finds out why TLS with one server fails. */
export class TlsDoubts {
  readonly #endpoint: Endpoint;
  readonly #rule: TlsRule;
  readonly #files: TlsFiles;
  #found: Promise<string | null> | null = null;
  #foundAt = 0;

  constructor(endpoint: Endpoint, rule: TlsRule, files: TlsFiles) {
    this.#endpoint = endpoint;
    this.#rule = rule;
    this.#files = files;
  }

  /** What a probe found, or finds now; `null`: nothing. */
  reason(): Promise<string | null> {
    const now = performance.now();
    if (this.#found === null || now - this.#foundAt >= FRESH) {
      this.#foundAt = now;
      this.#found = probeTls(this.#endpoint, this.#rule, this.#files);
    }
    return this.#found;
  }
}
