/** How an endpoint reads: the hosts it names, or why it can't be one and what to write instead. */
export type ReadEndpoint =
  | { readonly hosts: readonly string[] }
  | { readonly advice: string };

/** Reads an endpoint as a user writes it: `host:port`, `dns:…`, `ipv4:…`, `ipv6:…` or `unix:…`. */
export function readEndpoint(endpoint: string): ReadEndpoint {
  const web = /^https?:\/\/([^/]*)/.exec(endpoint);
  if (web !== null) {
    const secure = endpoint.startsWith("https") ? ' and set "tls: true"' : "";
    return { advice: `write it without the scheme, such as "${web[1] ?? ""}"${secure}` };
  }
  const [, scheme = "", rest = endpoint] = /^(dns|ipv4|ipv6|unix):(.*)$/.exec(endpoint) ?? [];
  if (scheme === "unix") {
    return rest.replace(/^\/+/, "") === ""
      ? { advice: 'name the socket, such as "unix:/run/app.sock"' }
      : { hosts: [] };
  }
  if (scheme === "" && /^[a-z][a-z0-9+.-]*:\/\//i.test(endpoint)) {
    return { advice: 'an endpoint is "host:port", "dns:///…", "ipv4:…" or "unix:/path"' };
  }
  const addresses = scheme === "ipv4" || scheme === "ipv6"
    ? rest.split(",")
    : [rest.replace(/^\/\/[^/]*\//, "")];
  const hosts: string[] = [];
  for (const address of addresses) {
    const [, host, port] = /^(\[[^\]]+\]|[^:[\]\s/]+):(\d{1,5})$/.exec(address) ?? [];
    if (host === undefined || port === undefined) {
      const bare = /^[^:\s/]+$/.test(address);
      return {
        advice: bare
          ? `give a port, such as "${address}:50051"`
          : `"${address}" is not "host:port"`,
      };
    }
    if (Number(port) > 65_535) return { advice: `${port} is no port` };
    hosts.push(host.replace(/^\[|\]$/g, ""));
  }
  return { hosts };
}
