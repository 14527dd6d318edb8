/**
 * Why TLS failed, in a newcomer's words: which side refused which, why, and what to do. Each is the
 * end of `Cannot reach "shop" at localhost:50051: …`.
 *
 * @module
 */

const AT_SERVER = "Maestro refuses its certificate";
const AT_CLIENT = "it refuses";

/** @param at when it did, where that is known */
export function serverExpired(at: Date | null = null): string {
  return `${AT_SERVER}: it ${at === null ? "has expired" : `expired on ${day(at)}`}; ` +
    "renew it at the server";
}

/** @param from from when on it is valid, where that is known */
export function serverNotYetValid(from: Date | null = null): string {
  const when = from === null ? "" : ` until ${day(from)}`;
  return `${AT_SERVER}: it is not valid yet${when}; are the clocks right?`;
}

/**
 * @param issuer who signed it, where that is known; `"self"`: it signed itself
 * @param ca the file of the authorities that are trusted; `null`: the system's
 */
export function serverUntrusted(issuer: string | null, ca: string | null): string {
  const judge = ca === null ? "this system does not trust" : `"${ca}" does not hold`;
  const signer = issuer === "self"
    ? "it, and no authority signed it"
    : `the authority that signed it${issuer === null ? "" : `, ${issuer}`}`;
  const whose = issuer === "self" ? "the certificate's own file" : "the file of its authority";
  return `${AT_SERVER}: ${judge} ${signer}; name ${whose} as "tls.ca"`;
}

/** @param wanted such as `the name localhost` */
export function serverMisnamed(wanted: string, names: string): string {
  const held = names.trim() === ""
    ? "other names"
    : names.trim().replaceAll(/\b(?:DNS|IP(?: Address)?):/g, "");
  return `${AT_SERVER}: it is not for ${wanted}, but for ${held}; ` +
    'set "tls.server_name" where it goes by another name';
}

/** The server asks for a certificate, and was shown none. */
export function clientWithout(): string {
  return `${AT_CLIENT} callers without a certificate: give "tls.cert" and "tls.key"`;
}

/** @param cert the file of the certificate that was shown */
export function clientExpired(cert: string, at: Date): string {
  return `${AT_CLIENT} the certificate in "${cert}", which expired on ${day(at)}: renew it`;
}

/** @param issuer who signed it, where that is known */
export function clientUntrusted(cert: string, issuer: string | null): string {
  return `${AT_CLIENT} the certificate in "${cert}": it does not trust the authority that signed ` +
    `it${issuer === null ? "" : `, ${issuer}`}; use one from an authority that it trusts`;
}

/** @param how such as an alert's name */
export function clientRefused(cert: string, how: string): string {
  return `${AT_CLIENT} the certificate in "${cert}" (${how}): is it meant for clients, and from ` +
    "an authority that the server trusts?";
}

/** How {@linkcode handshakeRefused} begins. */
export const HANDSHAKE_REFUSED: string = `${AT_CLIENT} the TLS handshake`;

/** @param alert TLS's name for the reason */
export function handshakeRefused(alert: string): string {
  return `${HANDSHAKE_REFUSED} (${alert})`;
}

/** The bytes that came were none of TLS. */
export function noTls(): string {
  return 'it does not speak TLS: leave "tls" out, or use its TLS port';
}

/** Such as a request for a client certificate that names every authority of a system. */
export function handshakeTooLarge(): string {
  return "its TLS handshake is too large to be read: does it ask for client certificates of too many authorities?";
}

function day(at: Date): string {
  return at.toISOString().replace(/\.\d+Z$/, "Z");
}
