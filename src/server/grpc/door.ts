import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
} from "@grpc/grpc-js";
import { MaestroError } from "../../errors.ts";
import type { Attempt } from "../gate.ts";
import type { Caller } from "../operations.ts";
import { Places } from "../places.ts";
import { closeStream, limitMessages, RST } from "./http2_call.ts";
import { rpcError } from "./rpc_error.ts";

/** How long a request may take to arrive, and a stream of them to go on, in milliseconds. */
const ARRIVES_WITHIN = 30_000;

/** How many requests of strangers may be on their way at a time, */
const MOST_STRANGERS = 1_000;

/** and how large their messages may be, in bytes: they name a service, a file or a type. */
const LARGEST_OF_STRANGERS = 16 * 1024;

/** How calls are let in. */
export interface DoorOptions {
  /**
   * Who asks, by the `authorization` that came with a call; `null`: none did.
   *
   * @throws {MaestroError} `UNAUTHENTICATED`
   */
  readonly authenticate: (authorization: string | null, attempt: Attempt) => Caller;
  /** The full names of the services that are open to strangers. */
  readonly open: ReadonlySet<string>;
  /** @default 30 seconds */
  readonly arrivesWithin?: number;
  /** How many requests of strangers may be on their way at a time. @default 1,000 */
  readonly mostStrangers?: number;
}

/** Who may look at what is open: anybody. */
const STRANGER: Caller = { name: "anybody", role: "viewer" };

/** Where calls come in: who asks is known before a byte of what they ask for is read, and nobody takes for ever. */
export class Door {
  readonly #options: DoorOptions;
  readonly #strangers: Places;
  readonly #callers = new WeakMap<Metadata, () => Caller>();

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#strangers = new Places(
      options.mostStrangers ?? MOST_STRANGERS,
      "requests without a token are on their way",
    );
  }

  /** For grpc-js: stands before every call. */
  readonly interceptor: ServerInterceptor = ({ path, requestStream }, call) => {
    const within = this.#options.arrivesWithin ?? ARRIVES_WITHIN;
    const late = requestStream
      ? `Nothing was asked for ${within / 1_000} s`
      : `The request did not arrive within ${within / 1_000} s`;
    const arrival = new Arrival(within, () => {
      call.sendStatus(rpcError(new MaestroError("INVALID_REQUEST", late)));
    });
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, next) => {
            try {
              arrival.begin(this.#letIn(path, metadata, call));
            } catch (thrown) {
              return call.sendStatus(rpcError(thrown));
            }
            next(metadata);
          },
          onReceiveMessage: (message, next) => {
            if (requestStream) arrival.goOn();
            next(message);
          },
          onReceiveHalfClose: (next) => {
            arrival.end();
            next();
          },
          onCancel() {
            if (!arrival.isOver) setTimeout(() => closeStream(call, RST.NO_ERROR)); // what comes is not wanted
            arrival.end();
          },
        }),
    });
  };

  /** Whose call it is, as of now. @throws {MaestroError} `UNAUTHENTICATED` where their token is known no longer */
  callerOf(metadata: Metadata): Caller {
    const callerOf = this.#callers.get(metadata);
    if (callerOf !== undefined) return callerOf();
    throw new MaestroError("INTERNAL", "A call that was not let in");
  }

  /** @returns to be called when the request is there */
  #letIn(path: string, metadata: Metadata, call: ServerInterceptingCallInterface): () => void {
    if (this.#options.open.has(path.split("/")[1] ?? "")) {
      limitMessages(call, LARGEST_OF_STRANGERS);
      this.#callers.set(metadata, () => STRANGER);
      return this.#strangers.take();
    }
    const authorization = metadata.get("authorization").at(-1)?.toString() ?? null;
    const attempt = { action: path, from: addressOf(call.getPeer()) };
    const callerOf = () => this.#options.authenticate(authorization, attempt);
    callerOf();
    this.#callers.set(metadata, callerOf);
    return () => {};
  }
}

/** The time that a request has to arrive. */
class Arrival {
  readonly #within: number;
  readonly #onLate: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #onEnd = () => {};
  #isOver = false;

  constructor(within: number, onLate: () => void) {
    this.#within = within;
    this.#onLate = onLate;
  }

  /** The request is there, or nobody waits for it any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** @param onEnd hears that it is over */
  begin(onEnd: () => void): void {
    this.#onEnd = onEnd;
    this.goOn();
  }

  /** A part of it is there, and there may be more. */
  goOn(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onLate, this.#within);
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#onEnd();
  }
}

/** Without the port. */
function addressOf(peer: string): string {
  return peer.replace(/:\d+$/, "");
}
