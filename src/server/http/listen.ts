import type { Hono } from "hono";
import { MaestroError } from "../../errors.ts";
import { whyUnreadable } from "../../workflow/unreadable.ts";

/** Where a server listens. */
export interface Address {
  readonly hostname: string;
  /** 0: any that is free. */
  readonly port: number;
}

/** A certificate with its key, in PEM. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
}

/** What is known of a request besides what it says: the app's environment. */
export interface Connection {
  readonly remoteAddress: string;
}

/** An open HTTP server. */
export interface HttpListener {
  /** Where it listens, its port included. */
  readonly url: string;
  /** Takes no more connections, and resolves when those there are have ended. */
  shutdown(): Promise<void>;
}

/** Opens a server. @throws {MaestroError} `USAGE` where it can't listen there */
export function listen(
  app: Hono,
  { hostname, port }: Address,
  certificate: ServerCertificate | null,
  onDefect: (thrown: unknown) => void,
): HttpListener {
  try {
    const server = Deno.serve({
      hostname,
      port,
      ...certificate,
      onListen() {},
      onError(thrown) {
        onDefect(thrown);
        return new Response(null, { status: 500 });
      },
    }, (request, { remoteAddr }) => {
      // Of a Host that is none, Deno makes a URL that is none.
      if (!URL.canParse(request.url)) return new Response(null, { status: 400 });
      const connection: Connection = { remoteAddress: remoteAddr.hostname };
      return app.fetch(request, connection);
    });
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    const scheme = certificate === null ? "http" : "https";
    return {
      url: `${scheme}://${host}:${server.addr.port}`,
      shutdown: () => server.shutdown(),
    };
  } catch (thrown) {
    const why = thrown instanceof Deno.errors.AddrInUse
      ? "another program listens there"
      : whyUnreadable(thrown);
    throw new MaestroError("USAGE", `Cannot listen at ${hostname}:${port}: ${why}`, {
      cause: thrown,
    });
  }
}
