// TLS: from the command line to the server's credentials.

import { readFileSync } from "node:fs";
import { ServerCredentials } from "@grpc/grpc-js";

/** What `parseArgs` has to know. */
export const tlsOptions = {
  "tls-cert": { type: "string" },
  "tls-key": { type: "string" },
  "tls-client-ca": { type: "string" },
};

/**
 * Plain text without a certificate. With a client CA, a client has to show a certificate that it
 * signed.
 *
 * @param {Record<string, string | undefined>} values the options, names of PEM files
 * @returns {ServerCredentials}
 */
export function tlsCredentials(values) {
  const { "tls-cert": cert, "tls-key": key, "tls-client-ca": clientCa } = values;
  if (!cert && !key && !clientCa) return ServerCredentials.createInsecure();
  if (!cert || !key) throw new Error("TLS needs both --tls-cert and --tls-key");
  return ServerCredentials.createSsl(
    clientCa ? readFileSync(clientCa) : null,
    [{ private_key: readFileSync(key), cert_chain: readFileSync(cert) }],
    clientCa !== undefined,
  );
}
