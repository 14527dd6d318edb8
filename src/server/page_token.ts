import { MaestroError } from "../errors.ts";
import { canonicalJson } from "../workflow/digest.ts";
import type { Json } from "../workflow/json.ts";

/** A page token: the last run of a page, and what was asked for. Only who made it reads it. */
export function pageToken(after: string, filters: Json): string {
  return encode(JSON.stringify([after, canonicalJson(filters)]));
}

/**
 * The run that a page begins after.
 *
 * @throws {MaestroError} `USAGE` where it is no token, or one of a page with other filters
 */
export function readPageToken(token: string, filters: Json): string {
  const [after, asked] = decode(token);
  if (after === undefined) {
    throw new MaestroError("USAGE", 'Cannot use this "page_token": it is none that was given out');
  }
  if (asked === canonicalJson(filters)) return after;
  throw new MaestroError(
    "USAGE",
    'Cannot use this "page_token": it is of a list with other filters; ask with the same ones, or begin again without it',
  );
}

function encode(text: string): string {
  return new TextEncoder().encode(text).toBase64({ alphabet: "base64url", omitPadding: true });
}

function decode(token: string): readonly string[] {
  try {
    const bytes = Uint8Array.fromBase64(token, { alphabet: "base64url" });
    const parts: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const isOurs = Array.isArray(parts) && parts.length === 2 &&
      parts.every((part) => typeof part === "string");
    return isOurs ? parts : [];
  } catch {
    return [];
  }
}
