/**
 * A client of Maestro's gRPC API, as protobuf-es has its messages.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  create,
  createRegistry,
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  type JsonValue,
  type MessageInitShape,
  type MessageShape,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { BadRequestSchema, ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../src/gen/google/rpc/status_pb.ts";

/** A call that failed. */
export class RpcFailure extends Error {
  constructor(
    /** Its code by name. */
    readonly code: string,
    message: string,
    /** The `google.rpc.Status` that came along, as JSON. */
    readonly status: JsonValue,
  ) {
    super(`${code}: ${message}`);
  }
}

/** A stream, message by message; leaving the loop cancels it. */
export type Watch<T> = AsyncIterableIterator<T> & {
  cancel(): void;
  /** Reads nothing more, and leaves what comes where it is. */
  pause(): void;
};

/** Answers may be deeper than what this client takes by default. */
const DEEP = { recursionLimit: 10_000 };

/** One connection. */
export class ApiClient {
  readonly #client: grpc.Client;
  readonly #metadata = new grpc.Metadata();

  constructor(
    address: string,
    token: string | null,
    credentials: grpc.ChannelCredentials = grpc.credentials.createInsecure(),
  ) {
    this.#client = new grpc.Client(address, credentials, { "grpc.enable_http_proxy": 0 });
    if (token !== null) this.#metadata.set("authorization", `Bearer ${token}`);
  }

  /** @throws {RpcFailure} */
  call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I> | Uint8Array,
    metadata: Readonly<Record<string, string>> = {},
  ): Promise<MessageShape<O>> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        pathOf(method),
        (bytes: Buffer) => bytes,
        (bytes) => fromBinary(method.output, bytes, DEEP),
        bytesOf(method.input, request),
        this.#with(metadata),
        { deadline: Date.now() + 20_000 },
        (error, response) => error === null ? resolve(response!) : reject(failureOf(error)),
      );
    });
  }

  /** @throws {RpcFailure} where the stream ends with an error */
  watch<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
  ): Watch<MessageShape<O>> {
    const stream = this.#client.makeServerStreamRequest(
      pathOf(method),
      (bytes: Buffer) => bytes,
      (bytes) => fromBinary(method.output, bytes, DEEP),
      bytesOf(method.input, request),
      this.#metadata,
    );
    stream.on("error", () => {}); // the iteration says so, if anybody still looks
    const messages = (async function* () {
      try {
        for await (const message of stream) yield message as MessageShape<O>;
      } catch (error) {
        throw failureOf(error as grpc.ServiceError);
      } finally {
        stream.cancel();
      }
    })();
    return Object.assign(messages, {
      cancel: () => stream.cancel(),
      pause: () => void stream.pause(),
    });
  }

  close(): void {
    this.#client.close();
  }

  #with(more: Readonly<Record<string, string>>): grpc.Metadata {
    const metadata = this.#metadata.clone();
    for (const [key, value] of Object.entries(more)) metadata.set(key, value);
    return metadata;
  }
}

function pathOf({ parent, name }: DescMethodUnary | DescMethodServerStreaming): string {
  return `/${parent.typeName}/${name}`;
}

function bytesOf<I extends DescMessage>(
  schema: I,
  request: MessageInitShape<I> | Uint8Array,
): Buffer {
  if (request instanceof Uint8Array) return Buffer.from(request);
  return Buffer.from(toBinary(schema, create(schema, request)));
}

const DETAILS = createRegistry(BadRequestSchema, ErrorInfoSchema);

function failureOf({ code, details, metadata }: grpc.ServiceError): RpcFailure {
  const [bytes] = metadata?.get("grpc-status-details-bin") ?? [];
  const status = bytes instanceof Uint8Array
    ? toJson(StatusSchema, fromBinary(StatusSchema, bytes), {
      registry: DETAILS,
      useProtoFieldName: true,
    })
    : null;
  return new RpcFailure(grpc.status[code], details, status);
}
