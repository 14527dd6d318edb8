import { Buffer } from "node:buffer";
import { type DescMethod, fromBinary, type Registry } from "@bufbuild/protobuf";
import type { ServiceError } from "@grpc/grpc-js";
import type { Answer, CallOptions } from "../engine/doors.ts";
import { MaestroError } from "../errors.ts";
import { messageValue } from "../workflow/message.ts";
import { toMetadata } from "./metadata.ts";
import { type Connection, isConnected } from "./pool.ts";
import type { WireRequest } from "./request.ts";
import { failureOfStatus } from "./status.ts";
import type { Destination } from "./transport_message.ts";

/** A unary call that may be made. */
export interface UnaryCall {
  readonly method: DescMethod;
  /** `/acme.v1.Payments/Charge`. */
  readonly path: string;
  readonly registry: Registry;
  readonly where: Omit<Destination, "timeout">;
}

/** Makes one attempt; the promise is fulfilled exactly once, and never rejected. */
export function callUnary(
  connection: Connection,
  unary: UnaryCall,
  request: WireRequest,
  { metadata, timeout, signal }: CallOptions,
): Promise<Answer> {
  const { grpc, client, target, inFlight } = connection;
  const where = { ...unary.where, timeout };
  if (signal.aborted) return Promise.resolve(cancelledBefore(where));
  const { promise, resolve } = Promise.withResolvers<Answer>();
  try {
    const call = client.makeUnaryRequest(
      unary.path,
      (request: WireRequest) => request.bytes,
      // Decoded in the callback: what is thrown in here would be reported without its reason.
      (bytes: Buffer) => bytes,
      request,
      toMetadata(grpc, metadata),
      // Always a deadline: a server that answers twice would hang the call for ever.
      { deadline: Date.now() + timeout },
      (error: ServiceError | null, bytes?: Buffer) => {
        signal.removeEventListener("abort", cancel);
        inFlight.end(call);
        if (error === null) return resolve(decode(unary, where, bytes));
        const connected = isConnected(connection);
        const { registry } = unary;
        const end = { where, peer: call.getPeer(), target, connected, registry };
        resolve({ ok: false, failure: failureOfStatus(error, end) });
      },
    );
    inFlight.begin(call);
    const cancel = () => call.cancel();
    signal.addEventListener("abort", cancel, { once: true });
  } catch (error) {
    resolve(notSent(error));
  }
  return promise;
}

/** What kept a call from being made at all, as its answer. */
export function notSent(error: unknown): Answer {
  const { code, message } = MaestroError.from(error);
  // A file that is being replaced may be there at the next attempt.
  const named = code === "INVALID_REQUEST" ? code : "UNAVAILABLE";
  return { ok: false, failure: { code: named, message, outcome: "not_sent" } };
}

function cancelledBefore({ service, endpoint }: Destination): Answer {
  const message = `The call to "${service}" at ${endpoint} was cancelled before it was sent`;
  return { ok: false, failure: { code: "CANCELLED", message, outcome: "not_sent" } };
}

const NO_BYTES = Buffer.alloc(0);

function decode(unary: UnaryCall, where: Destination, bytes: Buffer = NO_BYTES): Answer {
  const { output } = unary.method;
  try {
    // A plain view, so that no Buffer, with its own idea of equality and JSON, gets into a message.
    const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const message = fromBinary(output, plain);
    return { ok: true, output: messageValue(output, message, unary.registry) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      ok: false,
      failure: {
        code: "INTERNAL",
        message: `"${where.service}" at ${where.endpoint} answered with data that is no ` +
          `${output.typeName}: ${reason}; does its schema differ from the one in use?`,
        outcome: "unknown",
      },
    };
  }
}
