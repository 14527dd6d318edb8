import { type AddressInfo, createServer, type Socket } from "node:net";
import type { Server } from "@grpc/grpc-js";
import { MaestroError } from "../../errors.ts";
import type { Address, ServerCertificate } from "../http/listen.ts";
import { serverCredentials } from "./credentials.ts";

/** Where a server's connections come from, and how they are bounded. */
export interface ConnectionOptions {
  readonly address: Address;
  /** `null`: in plain text. */
  readonly certificate: ServerCertificate | null;
  /** How many there may be at a time; what is beyond that is closed at once. */
  readonly most: number;
  /** How long one may be silent, in milliseconds. */
  readonly silentFor: number;
}

/** Connections as they come. */
export interface Connections {
  readonly port: number;
  /** Takes no more, and closes those that have not said a word. */
  close(): void;
}

/**
 * Hands a server its connections. grpc-js would take any number of them by itself, and keep those that
 * never say a word, such as half of a TLS handshake.
 *
 * @throws {MaestroError} `USAGE` where it can't listen
 */
export function acceptConnections(
  server: Server,
  { address: { hostname, port }, certificate, most, silentFor }: ConnectionOptions,
): Promise<Connections> {
  const injector = server.createConnectionInjector(serverCredentials(certificate));
  const silent = new Set<Socket>();
  const listener = createServer((socket: Socket) => {
    socket.setNoDelay(true);
    socket.setTimeout(silentFor, () => socket.destroy());
    socket.on("error", () => {}); // whoever uses it hears that it is gone
    silent.add(socket);
    socket.once("close", () => silent.delete(socket));
    onFirstBytes(socket, () => {
      silent.delete(socket);
      injector.injectConnection(socket);
    });
  });
  listener.maxConnections = most;
  const { promise, resolve, reject } = Promise.withResolvers<Connections>();
  listener.once("error", (error) => {
    const where = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
    const message = `Cannot listen for gRPC at ${where}: ${error.message}`;
    reject(new MaestroError("USAGE", message, { cause: error }));
  });
  listener.listen(port, hostname, () => {
    resolve({
      port: (listener.address() as AddressInfo).port, // it listens on TCP
      close() {
        listener.close();
        for (const socket of silent) socket.destroy();
      },
    });
  });
  return promise;
}

/**
 * Deno's HTTP/2 (2.9.3) keeps some 20 KB of every connection that it was given for ever: those that close
 * without a word, as probes and scanners do, it need not see.
 */
function onFirstBytes(socket: Socket, hear: () => void): void {
  socket.once("readable", () => {
    const bytes = socket.read();
    if (bytes === null) return void socket.destroy(); // it was closed
    socket.unshift(bytes);
    hear();
  });
}
