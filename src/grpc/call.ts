import type { Buffer } from "node:buffer";
import { setImmediate } from "node:timers";
import { type DescMethod, fromBinary, type Registry } from "@bufbuild/protobuf";
import type { Client, InterceptingListener, StatusObject } from "@grpc/grpc-js";
import type { Answer, CallOptions } from "../engine/doors.ts";
import type { AttemptFailure } from "../machines/failure.ts";
import { messageValue } from "../workflow/message.ts";
import type { Value } from "../workflow/value.ts";
import type { Cancellable } from "./inflight.ts";
import { toMetadata } from "./metadata.ts";
import { cancelledBefore, notSent } from "./not_sent.ts";
import { type Connection, isConnected } from "./pool.ts";
import type { WireRequest } from "./request.ts";
import { failureOfStatus } from "./status.ts";
import type { Destination } from "./transport_message.ts";

/** A method that may be called. */
export interface Callable {
  readonly method: DescMethod;
  /** `/acme.v1.Payments/Charge`. */
  readonly path: string;
  readonly registry: Registry;
  readonly where: Omit<Destination, "timeout">;
}

/**
 * Makes one attempt at a method of any of the four kinds; the promise is fulfilled exactly once, and
 * never rejected.
 *
 * @param spent how much of its time it took to get the connection, in milliseconds
 */
export function makeCall(
  connection: Connection,
  callable: Callable,
  request: WireRequest,
  options: CallOptions,
  spent = 0,
): Promise<Answer> {
  if (options.signal.aborted) return Promise.resolve(cancelledBefore(callable.where));
  const { promise, resolve } = Promise.withResolvers<Answer>();
  try {
    new ActiveCall(connection, callable, request, options, spent, resolve).begin();
  } catch (error) {
    resolve(notSent(error));
  }
  return promise;
}

/** What grpc-js's clients make of a channel; its package does not export the name. */
type ChannelCall = ReturnType<ReturnType<Client["getChannel"]>["createCall"]>;

/**
 * A call on the channel itself: grpc-js's clients would wrap it in emitters and interceptors, which
 * every call would pay for. Nothing in here may throw: grpc-js calls it from its promises.
 */
class ActiveCall implements InterceptingListener, Cancellable {
  readonly #connection: Connection;
  readonly #callable: Callable;
  readonly #parts: readonly Buffer[];
  readonly #options: CallOptions;
  readonly #resolve: (answer: Answer) => void;
  readonly #call: ChannelCall;
  readonly #deadline: number;
  readonly #metadata: ReturnType<typeof toMetadata>;
  readonly #cancel = () => this.cancel();
  /** What came back, decoded. */
  readonly #received: Value[] = [];
  place = -1;
  #written = 0;
  #hasHeaders = false;
  #hasMessage = false;
  #ended = false;
  /** What this side found wrong with the answer, whatever the status says then. */
  #objection: AttemptFailure | null = null;

  constructor(
    connection: Connection,
    callable: Callable,
    request: WireRequest,
    options: CallOptions,
    spent: number,
    resolve: (answer: Answer) => void,
  ) {
    this.#connection = connection;
    this.#callable = callable;
    this.#parts = request.parts;
    this.#options = options;
    this.#resolve = resolve;
    this.#metadata = toMetadata(connection.grpc, options.metadata);
    // Always a deadline: nothing else ends a call that its server has forgotten.
    this.#deadline = Date.now() + options.timeout - spent;
    this.#call = connection.client.getChannel()
      .createCall(callable.path, this.#deadline, null, null, null);
  }

  begin(): void {
    this.#connection.inFlight.begin(this);
    this.#options.signal.addEventListener("abort", this.#cancel, { once: true });
    this.#call.start(this.#metadata, this);
    this.#call.startRead();
    if (this.#parts.length === 0) this.#call.halfClose();
    else this.#writeNext();
  }

  cancel(): void {
    this.#call.cancelWithStatus(this.#connection.grpc.status.CANCELLED, "Cancelled on client");
  }

  onReceiveMetadata(): void {
    this.#hasHeaders = true;
  }

  /** Comes once after each `startRead`: what is not asked for waits, by HTTP/2's flow control. */
  onReceiveMessage(bytes: Buffer): void {
    if (this.#objection !== null) return;
    this.#hasMessage = true;
    const { method: { output }, registry } = this.#callable;
    const { maxMessages } = this.#options;
    if (this.#received.length === (this.#answersWithStream ? maxMessages : 1)) {
      return this.#answersWithStream
        ? this.#object("RESOURCE_EXHAUSTED", tooMany(maxMessages), true)
        : this.#object("INTERNAL", "answered with more than the one message that is due");
    }
    try {
      // A plain view, so that no Buffer, with its own idea of equality and JSON, gets into a message.
      const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.#received.push(messageValue(output, fromBinary(output, plain), registry));
    } catch (error) {
      return this.#object("INTERNAL", undecodable(output.typeName, error));
    }
    this.#call.startRead();
  }

  onReceiveStatus(status: StatusObject): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#connection.inFlight.end(this);
    this.#options.signal.removeEventListener("abort", this.#cancel);
    this.#resolve(this.#answer(status));
  }

  #answer(status: StatusObject): Answer {
    if (this.#objection !== null) return { ok: false, failure: this.#objection };
    if (status.code !== this.#connection.grpc.status.OK) {
      return { ok: false, failure: this.#marked(this.#failureOf(status)) };
    }
    if (this.#answersWithStream) return { ok: true, output: this.#received };
    const [output] = this.#received;
    if (output !== undefined) return { ok: true, output };
    // gRPC's own code for it is UNIMPLEMENTED, which would mean that nothing was done.
    return { ok: false, failure: this.#wrong("INTERNAL", "answered OK without a message") };
  }

  #failureOf(status: StatusObject): AttemptFailure {
    const { where, registry } = this.#callable;
    return failureOfStatus(status, {
      where: { ...where, timeout: this.#options.timeout },
      peer: this.#call.getPeer(),
      target: this.#connection.target,
      connected: isConnected(this.#connection),
      hasHeaders: this.#hasHeaders,
      messages: this.#received.length,
      late: Date.now() >= this.#deadline,
      registry,
    });
  }

  /** Ends a call whose answer can't be used. */
  #object(code: string, what: string, local = false): void {
    const failure = this.#marked(this.#wrong(code, what));
    this.#objection = local ? { ...failure, local } : failure;
    this.cancel();
  }

  #wrong(code: string, what: string): AttemptFailure {
    const { service, endpoint } = this.#callable.where;
    return { code, message: `"${service}" at ${endpoint} ${what}`, outcome: "unknown" };
  }

  /** semantics.md §1: a streaming call is not made again once a message has come back. */
  #marked(failure: AttemptFailure): AttemptFailure {
    const begun = this.#hasMessage && this.#callable.method.methodKind !== "unary";
    return begun ? { ...failure, begun } : failure;
  }

  get #answersWithStream(): boolean {
    const { methodKind } = this.#callable.method;
    return methodKind === "server_streaming" || methodKind === "bidi_streaming";
  }

  /** The next message goes once grpc-js has taken the one before; the last one closes this side. */
  #writeNext(): void {
    const part = this.#parts[this.#written];
    if (this.#ended || part === undefined) return;
    this.#written++;
    if (this.#written < this.#parts.length) {
      // A turn later: by then it is known whether the server has ended the call meanwhile, and
      // grpc-js would keep for ever what is written to an ended one.
      const callback = () => {
        if (!this.#ended) setImmediate(() => this.#writeNext());
      };
      return this.#call.sendMessageWithContext({ callback }, part);
    }
    this.#call.sendMessageWithContext({}, part);
    this.#call.halfClose();
  }
}

function tooMany(max: number): string {
  return `answered with more than ${max} message${max === 1 ? "" : "s"}, its "max_messages"`;
}

function undecodable(typeName: string, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `answered with data that is no ${typeName}: ${reason}; ` +
    "does its schema differ from the one in use?";
}
