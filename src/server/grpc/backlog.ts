import { type Http2Stream, RST, streamOf } from "./http2_call.ts";

/** What was handed to each connection, in bytes, since all of it had left the last time. */
const handedTo = new WeakMap<object, { bytes: number }>();

/**
 * What was written to a stream and has not left. Deno's HTTP/2 (2.9.3) takes whatever it is given,
 * however little is read, and keeps it in memory: so whoever writes has to look.
 */
export class Backlog {
  readonly #stream: Http2Stream | undefined;
  /** Stays when the stream has lost it. */
  readonly #session: Http2Stream["session"];
  readonly #handed: { bytes: number };

  constructor(call: object) {
    const stream = streamOf(call);
    this.#stream = stream;
    this.#session = stream?.session;
    const known = this.#session && handedTo.get(this.#session);
    this.#handed = known ?? { bytes: 0 };
    if (this.#session && !known) handedTo.set(this.#session, this.#handed);
  }

  /** So many bytes have left the connection so far. */
  get left(): number {
    try {
      return this.#session?.socket?.bytesWritten ?? Infinity;
    } catch {
      return Infinity; // the connection is gone
    }
  }

  /** How many bytes wait, on all streams of the connection. */
  get size(): number {
    return Math.max(0, this.#handed.bytes - this.left);
  }

  /** So many were written. */
  add(bytes: number): void {
    const { left } = this;
    if (left > this.#handed.bytes && left !== Infinity) this.#handed.bytes = left;
    this.#handed.bytes += bytes;
  }

  /** Drops what waits, and the stream. */
  drop(): void {
    this.#stream?.close(RST.ENHANCE_YOUR_CALM);
  }
}
