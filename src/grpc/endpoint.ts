import { isIP } from "node:net";
import { MaestroError } from "../errors.ts";

/** Where calls go, as grpc-js takes it. */
export interface Endpoint {
  /** A gRPC target: `host:port`, `dns:///…`, `ipv4:…`, `ipv6:…` or `unix:…`. */
  readonly target: string;
  /** The IP address, where that is all that names the server: certificates are checked against it. */
  readonly ip: string | null;
}

/**
 * Reads an endpoint as a user writes it.
 *
 * @throws {MaestroError} `USAGE`, where nothing could be reached by it
 */
export function parseEndpoint(service: string, endpoint: string): Endpoint {
  const refuse = (advice: string) =>
    new MaestroError(
      "USAGE",
      `Cannot use "${endpoint}" as the endpoint of "${service}": ${advice}`,
    );

  const web = /^https?:\/\/([^/]*)/.exec(endpoint);
  if (web !== null) {
    const secure = endpoint.startsWith("https") ? ' and set "tls: true"' : "";
    throw refuse(`write it without the scheme, such as "${web[1] ?? ""}"${secure}`);
  }
  const [, scheme = "", rest = endpoint] = /^(dns|ipv4|ipv6|unix):(.*)$/.exec(endpoint) ?? [];
  if (scheme === "unix") {
    if (rest.replace(/^\/+/, "") === "") {
      throw refuse('name the socket, such as "unix:/run/app.sock"');
    }
    return { target: endpoint, ip: null };
  }
  if (scheme === "" && /^[a-z][a-z0-9+.-]*:\/\//i.test(endpoint)) {
    throw refuse('an endpoint is "host:port", "dns:///…", "ipv4:…" or "unix:/path"');
  }
  const addresses = scheme === "ipv4" || scheme === "ipv6"
    ? rest.split(",")
    : [rest.replace(/^\/\/[^/]*\//, "")];
  const parsed = addresses.map((address) => {
    const [, host, port] = /^(\[[^\]]+\]|[^:[\]\s/]+):(\d{1,5})$/.exec(address) ?? [];
    if (host === undefined || port === undefined) {
      throw refuse(
        /^[^:\s/]+$/.test(address)
          ? `give a port, such as "${address}:50051"`
          : `"${address}" is not "host:port"`,
      );
    }
    if (Number(port) > 65_535) throw refuse(`${port} is no port`);
    return host.replace(/^\[|\]$/g, "");
  });
  // With several addresses there is no one name to check a certificate against but the first's.
  const host = parsed[0] ?? "";
  return { target: endpoint, ip: isIP(host) === 0 ? null : host };
}
