import {
  clientWithout,
  HANDSHAKE_REFUSED,
  handshakeRefused,
  handshakeTooLarge,
  noTls,
  serverExpired,
  serverMisnamed,
  serverNotYetValid,
} from "./tls_reason.ts";

const CLOSED = "it closed the connection at once";

const UNTRUSTED =
  'Maestro refuses its certificate: it has expired, or "tls.ca" does not hold the authority that signed it';

/** Beginnings of reasons that may not be the whole truth, or not the half of it. */
const DOUBTS = [
  CLOSED,
  UNTRUSTED,
  serverExpired(),
  serverNotYetValid(),
  HANDSHAKE_REFUSED,
];

/** What the operating system, HTTP/2 or TLS say on connecting (Deno 2.9), and what it means. */
const REASONS: readonly (readonly [RegExp, (tls: boolean, match: RegExpExecArray) => string])[] = [
  [/ECONNREFUSED|Connection refused/i, () => "connection refused"],
  [/ENOTFOUND|EAI_AGAIN|failed to lookup/i, () => "its name cannot be resolved"],
  [
    /EHOSTUNREACH|ENETUNREACH|No route to host|Network is unreachable/i,
    () => "there is no route to it",
  ],
  [/ETIMEDOUT|timed out/i, () => "connecting timed out"],
  [/ENOENT|No such file/i, () => "there is no such socket"],
  [/EACCES|Permission denied/i, () => "permission denied"],
  [
    /IP: (\S+) is not in the cert's list: (.*)$/,
    (_tls, [, wanted, names]) => serverMisnamed(`the address ${wanted}`, names ?? ""),
  ],
  [
    /Host: (\S+?)\.? is not (?:in the cert's altnames|cert's CN): (.*)$/,
    (_tls, [, wanted, names]) => serverMisnamed(`the name ${wanted}`, names ?? ""),
  ],
  [/certificate has expired/i, () => serverExpired()],
  [/certificate is not yet valid|NotValidYet/i, () => serverNotYetValid()],
  [/unable to verify the first certificate|UnknownIssuer|self[- ]signed/i, () => UNTRUSTED],
  [/alert: CertificateRequired/, () => clientWithout()],
  [/fatal alert: (\w+)/, (_tls, [, alert = ""]) => handshakeRefused(alert)],
  // On Deno its text goes on like the next one's.
  [/HandshakePayloadTooLarge/, () => handshakeTooLarge()],
  [/wrong version number|corrupt message/, () => noTls()],
  [/unsupported protocol/, () => 'TLS failed: do "tls.cert" and "tls.key" belong together?'],
  [
    /ECONNRESET|Connection reset|socket disconnected before|EPIPE|Broken pipe|write after end|^Failed to connect/i,
    (tls) =>
      `${CLOSED}: check that it is a gRPC server` +
      (tls ? "" : '; if it uses TLS, set "tls: true" for it'),
  ],
];

/**
 * Why no connection could be made, in a newcomer's words.
 *
 * @param text what grpc-js gives as the last error
 * @param tls whether TLS was tried
 */
export function reachReason(text: string, tls: boolean): string {
  // Such as "Error: … (2026-01-31T12:00:00.000Z)".
  const plain = text
    .replace(/^(?:\w*Error(?: \[\w+\])?: )+/, "")
    .replace(/ \(\d{4}-\d\d-\d\dT[^)]*\)$/, "");
  for (const [pattern, explain] of REASONS) {
    const match = pattern.exec(plain);
    if (match !== null) return explain(tls, match);
  }
  return plain;
}

/** Whether a reason that was given is one that TLS has a better one for. */
export function isTlsDoubt(reason: string): boolean {
  return DOUBTS.some((doubt) => reason.startsWith(doubt));
}
