import { isIP } from "node:net";
import { MaestroError } from "../errors.ts";
import { readEndpoint } from "../workflow/endpoint.ts";

/** Where calls go, as grpc-js takes it. */
export interface Endpoint {
  /** A gRPC target: `host:port`, `dns:///…`, `ipv4:…`, `ipv6:…` or `unix:…`. */
  readonly target: string;
  /** The IP address, where that is all that names the server: certificates are checked against it. */
  readonly ip: string | null;
  /** Its first address; `null`: a socket. */
  readonly address: { readonly host: string; readonly port: number } | null;
}

/**
 * Reads an endpoint as a user writes it.
 *
 * @param shown as messages may have it
 * @throws {MaestroError} `USAGE`, where nothing could be reached by it
 */
export function parseEndpoint(service: string, endpoint: string, shown = endpoint): Endpoint {
  const read = readEndpoint(endpoint);
  if ("advice" in read) {
    throw new MaestroError(
      "USAGE",
      `Cannot use "${shown}" as the endpoint of "${service}": ${read.advice}`,
    );
  }
  // With several addresses there is no one name to check a certificate against but the first's.
  const host = read.hosts[0] ?? "";
  const [, port] = /:(\d+)$/.exec(endpoint.split(",")[0] ?? "") ?? [];
  return {
    target: endpoint,
    ip: isIP(host) === 0 ? null : host,
    address: host === "" || port === undefined ? null : { host, port: Number(port) },
  };
}
