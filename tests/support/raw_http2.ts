/**
 * A server that writes HTTP/2 frame by frame: what no library would send, at the moment it is wanted.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { type RawServer, startTcp } from "./raw_server.ts";

/** HTTP/2's error codes that are of use here (RFC 9113 §7). */
export const H2 = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  ENHANCE_YOUR_CALM: 11,
  INADEQUATE_SECURITY: 12,
} as const;

/** One request that has come in whole, and what may be done about it. */
export interface RawStream {
  readonly id: number;
  /** Counts the connections to this server from 1. */
  readonly connection: number;
  readonly socket: Socket;
  /** @param end whether nothing follows */
  headers(fields: Readonly<Record<string, string>>, end?: boolean): void;
  data(bytes: Uint8Array, end?: boolean): void;
  reset(code: number): void;
  /** @param last the last stream that is served */
  goaway(last: number, code: number): void;
  /** Resolves when the client has seen everything so far, and had a turn to think about it. */
  seen(): Promise<void>;
  /** Resolves when the client has reset it. */
  readonly wasReset: Promise<void>;
}

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".length;
const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7 } as const;
const END_STREAM = 1;
const END_HEADERS = 4;
const ACK = 1;

/** The headers of a gRPC answer. */
export const GRPC_HEADERS = { ":status": "200", "content-type": "application/grpc" };

/**
 * Answers each request, once it is there whole, as the test says.
 *
 * @param at `headers`: answers as soon as the request has begun, and never reads the rest of it
 */
export function startFrames(
  onRequest: (stream: RawStream) => void,
  at: "end" | "headers" = "end",
): Promise<RawServer> {
  let connections = 0;
  return startTcp((socket) => {
    const connection = ++connections;
    socket.setNoDelay(true);
    const resets = new Map<number, PromiseWithResolvers<void>>();
    const pings: (() => void)[] = [];
    const send = (type: number, flags: number, id: number, payload: Uint8Array) => {
      if (!socket.writable) return;
      const head = Buffer.alloc(9);
      head.writeUIntBE(payload.length, 0, 3);
      head[3] = type;
      head[4] = flags;
      head.writeUInt32BE(id, 5);
      socket.write(Buffer.concat([head, payload]));
    };
    const ping = () =>
      new Promise<void>((resolve) => {
        pings.push(resolve);
        send(FRAME.ping, 0, 0, new Uint8Array(8));
      });
    const streamOf = (id: number): RawStream => {
      const reset = Promise.withResolvers<void>();
      resets.set(id, reset);
      return {
        id,
        connection,
        socket,
        headers: (fields, end = false) =>
          send(FRAME.headers, END_HEADERS | (end ? END_STREAM : 0), id, fieldBlock(fields)),
        data: (bytes, end = false) => send(FRAME.data, end ? END_STREAM : 0, id, bytes),
        reset: (code) => send(FRAME.reset, 0, id, words(code)),
        goaway: (last, code) => send(FRAME.goaway, 0, 0, words(last, code)),
        seen: async () => {
          await ping();
          await ping();
        },
        wasReset: reset.promise,
      };
    };
    let bytes = Buffer.alloc(0);
    let skip = PREFACE;
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (skip > 0) {
        if (bytes.length < skip) return;
        bytes = bytes.subarray(skip);
        skip = 0;
        send(FRAME.settings, 0, 0, new Uint8Array());
      }
      while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
        const length = bytes.readUIntBE(0, 3);
        const [type, flags] = [bytes[3], bytes[4] ?? 0];
        const id = bytes.readUInt32BE(5);
        const payload = bytes.subarray(9, 9 + length);
        bytes = bytes.subarray(9 + length);
        const ends = (type === FRAME.data || type === FRAME.headers) && (flags & END_STREAM) !== 0;
        if (at === "end" ? ends : type === FRAME.headers) onRequest(streamOf(id));
        if (type === FRAME.reset) resets.get(id)?.resolve();
        if (type === FRAME.settings && (flags & ACK) === 0) {
          send(FRAME.settings, ACK, 0, new Uint8Array());
        }
        if (type === FRAME.ping) {
          if ((flags & ACK) === 0) send(FRAME.ping, ACK, 0, payload);
          else pings.shift()?.();
        }
      }
    });
  });
}

/** A complete answer: these messages, and this status. */
export function answerFrames(
  stream: RawStream,
  messages: Uint8Array,
  trailers: Readonly<Record<string, string>> = { "grpc-status": "0" },
): void {
  stream.headers(GRPC_HEADERS);
  if (messages.length > 0) stream.data(messages);
  stream.headers(trailers, true);
}

/** HPACK without its tables: each field is a literal (RFC 7541 §6.2.2). */
function fieldBlock(fields: Readonly<Record<string, string>>): Uint8Array {
  const text = (value: string) => {
    const bytes = Buffer.from(value);
    if (bytes.length > 126) throw new Error("longer than one byte can say");
    return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  };
  return Buffer.concat(
    Object.entries(fields).flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]),
  );
}

function words(...values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => bytes.writeUInt32BE(value, 4 * index));
  return bytes;
}
