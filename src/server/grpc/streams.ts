import type { ServerDuplexStream, ServerWritableStream } from "@grpc/grpc-js";
import { MaestroError } from "../../errors.ts";
import type { Places } from "../places.ts";
import { Backlog } from "./backlog.ts";

/** How many bytes may wait for a reader before it is waited for: a few times what is under way on a fast line. */
const MAY_WAIT = 1024 * 1024;

/** How often it is looked whether they have left, in milliseconds. */
const LOOK_EVERY = 20;

/** How often it is looked whether a stream's reader may still have it, in milliseconds. */
const LOOK_WHO_EVERY = 15_000;

/** How streams are bounded. */
export interface StreamLimits {
  /** For how long a reader may take nothing, in milliseconds. @default 30 seconds */
  readonly patience?: number;
  /** How often it is looked whether a reader may still read, in milliseconds. @default 15 seconds */
  readonly lookWhoEvery?: number;
}

type WritableCall =
  | ServerWritableStream<unknown, Uint8Array>
  | ServerDuplexStream<unknown, Uint8Array>;

/** What the streams of a server have in common: there may be so many, and nobody holds one up for ever. */
export class Streams {
  readonly #places: Places;
  readonly #patience: number;
  readonly #lookWhoEvery: number;
  readonly #open = new Set<AbortController>();
  #isClosed = false;

  constructor(places: Places, limits: StreamLimits = {}) {
    const { patience = 30_000, lookWhoEvery = LOOK_WHO_EVERY } = limits;
    this.#places = places;
    this.#patience = patience;
    this.#lookWhoEvery = lookWhoEvery;
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Sends what is made, one message at a time, as fast as it is read. A reader that takes nothing is
   * cut off, as gRPC's RESOURCE_EXHAUSTED, and what waits for it is dropped.
   *
   * @param make hears by the signal that nobody reads any more
   * @param checkReader throws what the stream is to end with, once its reader may not have it any more
   * @throws {MaestroError} `OVERLOADED` where there are too many; `ENGINE_CLOSED` where the server stops
   */
  async send(
    call: WritableCall,
    make: (signal: AbortSignal) => AsyncIterable<Uint8Array>,
    checkReader: () => void,
  ): Promise<void> {
    this.#checkClosed();
    const leave = this.#places.take();
    let refused: { readonly thrown: unknown } | null = null;
    const abort = new AbortController();
    this.#open.add(abort);
    call.on("cancelled", () => abort.abort());
    if (call.cancelled) abort.abort();
    const look = setInterval(() => {
      try {
        checkReader();
      } catch (thrown) {
        refused = { thrown };
        abort.abort();
      }
    }, this.#lookWhoEvery);
    const backlog = new Backlog(call);
    try {
      for await (const message of make(abort.signal)) {
        if (abort.signal.aborted) break;
        backlog.add(message.length);
        if (!call.write(message)) await drained(call, abort.signal);
        if (backlog.size > MAY_WAIT && !await this.#read(backlog, abort.signal)) {
          return backlog.drop();
        }
      }
      rethrow(refused);
      this.#checkClosed();
      call.end();
    } finally {
      clearInterval(look);
      this.#open.delete(abort);
      leave();
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

  /** Waits until most has left. @returns `false` where nothing does any more */
  async #read(backlog: Backlog, signal: AbortSignal): Promise<boolean> {
    let { left } = backlog;
    let since = performance.now();
    while (backlog.size > MAY_WAIT && !signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
      if (backlog.left > left) {
        left = backlog.left;
        since = performance.now();
      } else if (performance.now() - since > this.#patience) return false;
    }
    return true;
  }
}

function rethrow(caught: { readonly thrown: unknown } | null): void {
  if (caught !== null) throw caught.thrown;
}

/** Waits until grpc-js takes more. */
function drained(
  call: WritableCall,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = () => resolve();
  call.once("drain", done);
  signal.addEventListener("abort", done);
  return promise.finally(() => {
    call.off("drain", done);
    signal.removeEventListener("abort", done);
  });
}
