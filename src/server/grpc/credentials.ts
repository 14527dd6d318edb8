import { Buffer } from "node:buffer";
import { ServerCredentials } from "@grpc/grpc-js";
import type { ServerCertificate } from "../http/listen.ts";

/**
 * How a server is reached: with TLS, or in plain text.
 *
 * Deno (2.9.3) tells every client, in the handshake, which authorities it would take a client's
 * certificate from, though nobody asked for one. All that it knows are more than TLS allows in one
 * message, and no client connects: so it is given one, the server's own certificate.
 */
export function serverCredentials(certificate: ServerCertificate | null): ServerCredentials {
  if (certificate === null) return ServerCredentials.createInsecure();
  const cert = Buffer.from(certificate.cert);
  const pair = { private_key: Buffer.from(certificate.key), cert_chain: cert };
  return ServerCredentials.createSsl(cert, [pair], false);
}
