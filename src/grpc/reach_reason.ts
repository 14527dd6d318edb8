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
    (_tls, [, wanted, names]) => wrongName(`the address ${wanted}`, names),
  ],
  [
    /Host: (\S+?)\.? is not (?:in the cert's altnames|cert's CN): (.*)$/,
    (_tls, [, wanted, names]) => wrongName(`the name ${wanted}`, names),
  ],
  [
    /unable to verify the first certificate|UnknownIssuer|self[- ]signed/i,
    () =>
      'its certificate is not trusted: it has expired, or "tls.ca" is not the authority that signed it',
  ],
  [
    /alert: CertificateRequired/,
    () => 'it asks for a client certificate: give "tls.cert" and "tls.key"',
  ],
  [/fatal alert: (\w+)/, (_tls, [, alert]) => `it refused the TLS handshake (${alert})`],
  [
    /wrong version number|corrupt message/,
    () => 'it does not speak TLS: leave "tls" out, or use its TLS port',
  ],
  [/unsupported protocol/, () => 'TLS failed: do "tls.cert" and "tls.key" belong together?'],
  [
    /ECONNRESET|Connection reset|EPIPE|Broken pipe|write after end|^Failed to connect/i,
    (tls) =>
      "it closed the connection at once: check that it is a gRPC server" +
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

function wrongName(wanted: string, names = ""): string {
  const held = names.trim() === "" ? "other names" : names.trim().replaceAll(/\b(?:DNS|IP):/g, "");
  return `its certificate is not for ${wanted}, but for ${held}; ` +
    `set "tls.server_name" where it goes by another name`;
}
