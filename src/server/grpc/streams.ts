import type { ServerWritableStream } from "@grpc/grpc-js";
import { MaestroError } from "../../errors.ts";

/** How streams are bounded. */
export interface StreamLimits {
  /** How many may be open at a time. @default 1,000 */
  readonly maxStreams?: number;
  /** For how long a reader may take nothing, in milliseconds. @default 30 seconds */
  readonly patience?: number;
}

/** What the streams of a server have in common: there may be so many, and nobody holds one up for ever. */
export class Streams {
  readonly #most: number;
  readonly #patience: number;
  readonly #open = new Set<AbortController>();
  #isClosed = false;

  constructor({ maxStreams = 1_000, patience = 30_000 }: StreamLimits = {}) {
    this.#most = maxStreams;
    this.#patience = patience;
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Sends what is made, one message at a time, as fast as it is read.
   *
   * @param make hears by the signal that nobody reads any more
   * @throws {MaestroError} `OVERLOADED` where there are too many, or the reader is too slow;
   * `ENGINE_CLOSED` where the server stops
   */
  async send<T>(
    call: ServerWritableStream<unknown, T>,
    make: (signal: AbortSignal) => AsyncIterable<T>,
  ): Promise<void> {
    this.#checkClosed();
    if (this.#open.size >= this.#most) {
      throw new MaestroError(
        "OVERLOADED",
        `${this.#most} streams are open, which is the most that this server takes on; try again later`,
      );
    }
    const abort = new AbortController();
    this.#open.add(abort);
    call.on("cancelled", () => abort.abort());
    if (call.cancelled) abort.abort();
    try {
      for await (const message of make(abort.signal)) {
        if (abort.signal.aborted) break;
        if (!call.write(message)) await this.#drained(call, abort.signal);
      }
      this.#checkClosed();
      call.end();
    } finally {
      this.#open.delete(abort);
    }
  }

  /** Ends all of them; there are no more. */
  close(): void {
    this.#isClosed = true;
    for (const abort of this.#open) abort.abort();
  }

  #checkClosed(): void {
    if (!this.#isClosed) return;
    throw new MaestroError(
      "ENGINE_CLOSED",
      "The server is being stopped; watch again, from the last event that came",
    );
  }

  #drained(call: ServerWritableStream<unknown, unknown>, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const late = () =>
      reject(
        new MaestroError(
          "OVERLOADED",
          `Nothing was read for ${
            this.#patience / 1_000
          } s; watch again, from the last event that came`,
        ),
      );
    const timer = setTimeout(late, this.#patience);
    const done = () => resolve();
    call.once("drain", done);
    signal.addEventListener("abort", done);
    return promise.finally(() => {
      clearTimeout(timer);
      call.off("drain", done);
      signal.removeEventListener("abort", done);
    });
  }
}
