/**
 * Servers that are no gRPC servers, or bad ones, for what a client has to survive.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  createServer as createHttp2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { connect, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";

/** A server on a free port of loopback. */
export interface RawServer extends AsyncDisposable {
  readonly port: number;
  readonly endpoint: string;
  /** How many connections came in. */
  readonly accepted: number;
  /** Breaks every connection. */
  cut(): void;
}

/** Accepts TCP connections and does with them what the test says. */
export function startTcp(onConnection: (socket: Socket) => void): Promise<RawServer> {
  return listen(createServer(onConnection));
}

/** Speaks HTTP/2 and answers each request as the test says. */
export function startHttp2(
  onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
): Promise<RawServer> {
  const server = createHttp2Server();
  server.on("session", (session) => session.on("error", ignore));
  server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on("error", ignore);
    onStream(stream, headers);
  });
  return listen(server);
}

/** Ends TLS in front of a server: on Deno, grpc-js's own server can't (it answers in plain text). */
export function startTlsFront(port: number, options: TlsOptions): Promise<RawServer> {
  const server = createTlsServer({ ...options, ALPNProtocols: ["h2"] }, (outside) => {
    const inside = connect(port, "127.0.0.1");
    join(outside, inside);
  });
  server.on("tlsClientError", ignore);
  return listen(server);
}

/** Passes bytes on to a server, until it is cut. */
export function startProxy(port: number): Promise<RawServer> {
  return startTcp((outside) => join(outside, connect(port, "127.0.0.1")));
}

/** Passes bytes on to a server, until it swallows all that come on the connections that there are. */
export async function startBlackHole(port: number): Promise<RawServer & { swallow(): void }> {
  const pairs: (readonly [Socket, Socket])[] = [];
  const server = await startTcp((outside) => {
    const inside = connect(port, "127.0.0.1");
    pairs.push([outside, inside]);
    join(outside, inside);
  });
  return Object.assign(server, {
    swallow() {
      for (const [outside, inside] of pairs.splice(0)) {
        for (const socket of [outside, inside]) socket.unpipe().resume();
      }
    },
  });
}

/** Answers in the form of gRPC: headers, these bytes, and these trailers. */
export function answerGrpc(
  stream: ServerHttp2Stream,
  bytes: Uint8Array,
  trailers: Record<string, string> = { "grpc-status": "0" },
): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  stream.end(Buffer.from(bytes));
}

/** A message with gRPC's five bytes before it; `length` may lie. */
export function frame(message: Uint8Array, length: number = message.length): Uint8Array {
  const bytes = Buffer.alloc(5 + message.length);
  bytes.writeUInt32BE(length, 1);
  bytes.set(message, 5);
  return bytes;
}

/** The same with the mark of a compressed message. */
export function compressedFrame(message: Uint8Array): Uint8Array {
  const bytes = frame(message);
  bytes[0] = 1;
  return bytes;
}

/** Passes bytes on, both ways. */
export function join(one: Socket, other: Socket): void {
  one.on("error", () => other.destroy()).on("close", () => other.destroy());
  other.on("error", () => one.destroy()).on("close", () => one.destroy());
  one.pipe(other);
  other.pipe(one);
}

async function listen(server: Server): Promise<RawServer> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  server.on("connection", () => accepted++);
  for (const event of ["connection", "secureConnection"]) {
    server.on(event, (socket: Socket) => {
      sockets.add(socket);
      socket.on("error", ignore);
      socket.on("close", () => sockets.delete(socket));
    });
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not on a port");
  const cut = () => sockets.forEach((socket) => socket.destroy());
  return {
    port: address.port,
    endpoint: `127.0.0.1:${address.port}`,
    get accepted() {
      return accepted;
    },
    cut,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      cut();
      await closed;
    },
  };
}

function ignore(): void {}
