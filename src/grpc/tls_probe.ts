import { connect, type ConnectionOptions, type PeerCertificate, type TLSSocket } from "node:tls";
import type { TlsRule } from "../workflow/service_rules.ts";
import type { Endpoint } from "./endpoint.ts";
import { readOwnCertificate } from "./own_certificate.ts";
import { NO_NAME, type TlsFiles } from "./tls.ts";
import {
  clientExpired,
  clientRefused,
  clientUntrusted,
  clientWithout,
  handshakeRefused,
  handshakeTooLarge,
  noTls,
  serverExpired,
  serverNotYetValid,
  serverUntrusted,
} from "./tls_reason.ts";

/** What a probe may take, in milliseconds. */
const PATIENCE = 500;

/** How a handshake went. */
interface Handshake {
  /** Why this side does not trust the server: a code of node:tls. */
  readonly distrust: string | null;
  readonly peer: PeerCertificate | null;
  /** What ended it. */
  readonly end: "answered" | "closed" | "no time" | Error;
}

/**
 * Shakes hands with a server once more, to find out which side refuses the other: where a server
 * refuses this side, it says so only after the handshake, and grpc-js may have been writing by then.
 *
 * @returns the end of a sentence for people; `null` where nothing was found
 */
export async function probeTls(
  endpoint: Endpoint,
  rule: TlsRule,
  files: TlsFiles,
): Promise<string | null> {
  const { address, ip } = endpoint;
  if (address === null) return null;
  return explain(
    await shakeHands({
      host: address.host,
      port: address.port,
      servername: rule.serverName ?? (ip === null ? address.host : NO_NAME),
      ALPNProtocols: ["h2"],
      // Only looked at: nothing is sent, and the connection is closed at once.
      rejectUnauthorized: false,
      // A wrong name is told well enough by grpc-js.
      checkServerIdentity: () => undefined,
      ...(files.ca === null ? {} : { ca: files.ca }),
      ...(files.cert === null || files.key === null ? {} : { cert: files.cert, key: files.key }),
    }),
    rule,
    files,
  );
}

function shakeHands(options: ConnectionOptions): Promise<Handshake> {
  const { promise, resolve } = Promise.withResolvers<Handshake>();
  let distrust: string | null = null;
  let peer: PeerCertificate | null = null;
  const end = (end: Handshake["end"]) => {
    clearTimeout(timer);
    resolve({ distrust, peer, end });
    socket.destroy();
  };
  const timer = setTimeout(() => end("no time"), PATIENCE);
  const socket: TLSSocket = connect(options, () => {
    peer = socket.getPeerCertificate();
    if (!socket.authorized) {
      distrust = codeOf(socket.authorizationError);
      end("answered");
    }
  });
  socket.on("error", end);
  socket.on("data", () => end("answered"));
  socket.on("close", () => end("closed"));
  return promise;
}

function explain({ distrust, peer, end }: Handshake, rule: TlsRule, files: TlsFiles) {
  if (distrust !== null) return whyDistrusted(distrust, peer, rule);
  if (end === "answered" || end === "no time") return null;
  if (end instanceof Error && peer === null) {
    if (/HandshakePayloadTooLarge/.test(end.message)) return handshakeTooLarge();
    if (/wrong version|corrupt message/.test(end.message)) return noTls();
  }
  const [, alert = null] = end instanceof Error ? /fatal alert: (\w+)/.exec(end.message) ?? [] : [];
  if (files.cert === null || rule.cert === null) {
    // TLS 1.2 has no alert of its own for it.
    if (alert === "CertificateRequired" || alert === "BadCertificate") return clientWithout();
    if (alert !== null) return handshakeRefused(alert);
    // gRPC's C core, and so Python, sends none at all: it shakes hands and hangs up.
    return peer === null ? null : clientWithout();
  }
  // Where it is not even known to have been a refusal, the certificate must have been seen.
  if (alert === null && peer === null) return null;
  const own = readOwnCertificate(files.cert);
  if (own !== null && own.expires.getTime() < Date.now()) {
    return clientExpired(rule.cert, own.expires);
  }
  if (alert === "UnknownCA") return clientUntrusted(rule.cert, own?.issuer ?? null);
  return clientRefused(rule.cert, alert ?? "it closed the connection when it was shown it");
}

function whyDistrusted(code: string, peer: PeerCertificate | null, { ca }: TlsRule): string {
  const from = dateOf(peer?.valid_from);
  const to = dateOf(peer?.valid_to);
  const now = Date.now();
  if (to !== null && to.getTime() < now) return serverExpired(to);
  if (from !== null && from.getTime() > now) return serverNotYetValid(from);
  // One of those between it and its authority.
  if (code === "CERT_HAS_EXPIRED") return serverExpired();
  if (code === "CERT_NOT_YET_VALID") return serverNotYetValid();
  return serverUntrusted(issuerOf(peer), ca);
}

function issuerOf(peer: PeerCertificate | null): string | null {
  const name = (of: PeerCertificate["issuer"] | undefined) =>
    Object.entries(of ?? {}).map(([key, value]) => `${key}=${value}`).join(", ");
  const issuer = name(peer?.issuer);
  if (issuer === "") return null;
  return issuer === name(peer?.subject) ? "self" : issuer;
}

function dateOf(text: string | undefined): Date | null {
  const date = new Date(text ?? "");
  return Number.isNaN(date.getTime()) ? null : date;
}

/** node's types say `Error`; what is there is its code. */
function codeOf(error: unknown): string {
  return String(error instanceof Error && "code" in error ? error.code : error);
}
