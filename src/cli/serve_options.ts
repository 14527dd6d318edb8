/**
 * What the options of `serve` mean, once commander has split them.
 *
 * @module
 */
import { MaestroError } from "../errors.ts";
import { isLoopback } from "../server/access.ts";
import type { Address, ServerCertificate } from "../server/http/listen.ts";
import { readBytes } from "./read_file.ts";

/** The options that say who reaches the server, and how. */
export interface ReachFlags {
  readonly tokens?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly insecure?: true | undefined;
}

/** The largest file of a certificate or key, in bytes. */
const MAX_PEM = 1024 * 1024;

/**
 * Reads `--http host:port`, and others like it.
 *
 * @throws {MaestroError} `USAGE`
 */
export function parseAddress(text: string, option: string): Address {
  const [, bracketed, bare, port = ""] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s/]+)):(\d{1,5})$/.exec(text) ??
      [];
  const hostname = bracketed ?? bare;
  if (hostname !== undefined && Number(port) <= 65_535) return { hostname, port: Number(port) };
  throw new MaestroError(
    "USAGE",
    `Cannot use ${option} "${text}": write a host and a port, such as 127.0.0.1:8080 or [::1]:8080`,
  );
}

/**
 * Refuses to listen to other machines without TLS and tokens, unless that is wanted.
 *
 * @throws {MaestroError} `USAGE`
 */
export function checkReach({ hostname }: Address, option: string, flags: ReachFlags): void {
  const { tokens, tlsCert, insecure } = flags;
  if (isLoopback(hostname) || insecure) return;
  const missing = [
    ...(tlsCert === undefined ? ["--tls-cert and --tls-key"] : []),
    ...(tokens === undefined ? ["--tokens"] : []),
  ];
  if (missing.length === 0) return;
  throw new MaestroError(
    "USAGE",
    `Cannot listen at ${option} ${hostname}, where other machines reach it, without ${
      missing.join(", and without ")
    }; or say --insecure, where something else keeps others out`,
  );
}

/** Reads the certificate and its key; `null` where none is asked for. @throws {MaestroError} `USAGE` */
export async function readCertificate(
  { tlsCert, tlsKey }: ReachFlags,
): Promise<ServerCertificate | null> {
  if (tlsCert === undefined && tlsKey === undefined) return null;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new MaestroError("USAGE", "Cannot use one of --tls-cert and --tls-key without the other");
  }
  const decoder = new TextDecoder();
  return {
    cert: decoder.decode(await readBytes(tlsCert, "--tls-cert", MAX_PEM)),
    key: decoder.decode(await readBytes(tlsKey, "--tls-key", MAX_PEM)),
  };
}

/** Reads `--max-runs`, and others like it. @throws {MaestroError} `USAGE` */
export function parseMost(text: string, option: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number > 0 && Number.isSafeInteger(number)) return number;
  throw new MaestroError("USAGE", `Cannot use ${option} "${text}": it is a whole number from 1`);
}
