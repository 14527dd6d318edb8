import { MaestroError } from "../../errors.ts";

/** A server did not answer. */
export class Unreachable extends MaestroError {}

/** A server was asked, and it is not known whether it has done it. */
export class Unanswered extends Unreachable {}

/**
 * What is said of a server that did not answer.
 *
 * @param patience how long it was waited for, in milliseconds
 */
export function unreachable(url: string, thrown: unknown, patience: number): Unreachable {
  const options = { cause: thrown };
  if (thrown instanceof DOMException && thrown.name === "TimeoutError") {
    const late = `The server at ${url} did not answer within ${patience / 1_000} s`;
    return new Unanswered("STORE_FAILED", late, options);
  }
  const { reason, wasAsked } = lastWord(thrown);
  const remedy = REMEDIES.find(([said]) => said.test(reason))?.[1];
  const why = remedy === undefined ? reason : `${reason}; ${remedy}`;
  return wasAsked
    ? new Unanswered("STORE_FAILED", `Lost the server at ${url}: ${why}`, options)
    : new Unreachable("STORE_FAILED", `Cannot reach the server at ${url}: ${why}`, options);
}

/** What to do about what the network says. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [/InvalidContentType/, "it speaks no TLS there: use http://"],
  [
    /invalid HTTP version/,
    "no HTTP/1 is spoken there: use https:// where it has TLS, and the port of its --http",
  ],
  [
    /UnknownIssuer|CaUsedAsEndEntity/,
    "its certificate is of no authority that is known here: name a file with its authority in the environment variable DENO_CERT",
  ],
  [/NotValidForName/, "its certificate is for another name: use that one"],
  [/Failed opening CA file/, "the environment variable DENO_CERT names it"],
];

/** What the network said last, without the way it took to say it; and whether the server was asked by then. */
function lastWord(thrown: unknown): { readonly reason: string; readonly wasAsked: boolean } {
  if (!(thrown instanceof Error)) return { reason: String(thrown), wasAsked: false };
  if (thrown.cause instanceof Error) return lastWord(thrown.cause);
  const [, where = "Connect", reason = thrown.message] =
    /client error \((\w+)\): (?:tcp connect error: |dns error: )?(.*)$/s.exec(thrown.message) ?? [];
  return { reason: reason.replace(/ \(os error \d+\)$/, ""), wasAsked: where !== "Connect" };
}
