/**
 * A TCP relay that can be stopped: what a network, or a process that hangs, does to a connection.
 *
 * @module
 */

/** Stands between a client and a server. */
export interface Relay extends Disposable {
  readonly port: number;
  /** Passes nothing more on from the server, and takes nothing more from it. */
  pause(): void;
  /** Goes on. */
  resume(): void;
  /** Drops every connection. */
  cut(): void;
}

/** Opens a relay to a port of loopback. */
export function openRelay(target: number): Relay {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections = new Set<Deno.Conn>();
  let going = Promise.resolve();
  let goOn = () => {};
  const close = (connection: Deno.Conn) => {
    if (connections.delete(connection)) connection.close();
  };
  const pass = async (from: Deno.Conn, to: Deno.Conn, gate: () => Promise<void>) => {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (;;) {
        await gate();
        const count = await from.read(buffer);
        if (count === null) break;
        for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
      }
    } catch {
      // The other end is gone.
    }
    close(from);
    close(to);
  };
  const accept = async () => {
    for await (const client of listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: target });
      connections.add(client).add(server);
      pass(client, server, () => Promise.resolve());
      pass(server, client, () => going);
    }
  };
  accept();
  const cut = () => [...connections].forEach(close);
  return {
    port: listener.addr.port,
    pause: () => ({ promise: going, resolve: goOn } = Promise.withResolvers<void>()),
    resume: () => goOn(),
    cut,
    [Symbol.dispose]: () => {
      goOn();
      listener.close();
      cut();
    },
  };
}
