/** A plain gRPC client for the tests of the example services: no Maestro in it. */

import { Buffer } from "node:buffer";
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { message } from "../../examples/services/node/server/descriptors.mjs";

/** How a call names itself, as Maestro would. */
export interface Keys {
  readonly key?: string;
  readonly actionKey?: string;
  readonly op?: "action" | "compensate" | "verify";
  readonly runId?: string;
}

/** Any method, generated or from a descriptor set. */
export interface Method<Input extends DescMessage, Output extends DescMessage> {
  readonly name: string;
  readonly parent: { readonly typeName: string };
  readonly input: Input;
  readonly output: Output;
}

/** A failed call: its code, and the reason in its details. */
export class CallError extends Error {
  override readonly name = "CallError";
  constructor(readonly code: number, readonly reason: string, message: string) {
    super(message);
  }
}

const Status = message("google.rpc.Status");
const ErrorInfo = message("google.rpc.ErrorInfo");

/** A streaming call that goes on. */
export interface OpenCall<Input extends DescMessage, Output extends DescMessage> {
  send(request: MessageInitShape<Input>): void;
  /** Nothing more will be sent. */
  end(): void;
  /** The next answer; `undefined` after the last one. */
  next(): Promise<MessageShape<Output> | undefined>;
  /** All the answers that are still to come. */
  rest(): Promise<MessageShape<Output>[]>;
  cancel(): void;
}

export class ServicesClient {
  readonly #client: Client;

  constructor(endpoint: string) {
    this.#client = new Client(endpoint, credentials.createInsecure(), {
      "grpc.enable_http_proxy": 0,
    });
  }

  async call<Input extends DescMessage, Output extends DescMessage>(
    method: Method<Input, Output>,
    request: MessageInitShape<Input>,
    keys: Keys = {},
  ): Promise<MessageShape<Output>> {
    return fromBinary(method.output, await this.callForBytes(method, request, keys));
  }

  /** The response as it came over the wire. */
  callForBytes<Input extends DescMessage>(
    method: Method<Input, DescMessage>,
    request: MessageInitShape<Input>,
    keys: Keys = {},
  ): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    this.#client.makeUnaryRequest(
      `/${method.parent.typeName}/${method.name}`,
      (bytes: Uint8Array) => Buffer.from(bytes),
      (bytes: Uint8Array) => new Uint8Array(bytes),
      toBinary(method.input, create(method.input, request)),
      metadataOf(keys),
      { deadline: Date.now() + 10_000 },
      (error: ServiceError | null, bytes?: Uint8Array) => {
        if (error) reject(errorOf(error));
        else resolve(bytes ?? new Uint8Array());
      },
    );
    return promise;
  }

  /** Sends all on a stream, and gives the answer as it came over the wire. */
  sendAll<Input extends DescMessage>(
    method: Method<Input, DescMessage>,
    requests: readonly MessageInitShape<Input>[],
    keys: Keys = {},
  ): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const call = this.#client.makeClientStreamRequest(
      `/${method.parent.typeName}/${method.name}`,
      (bytes: Uint8Array) => Buffer.from(bytes),
      (bytes: Uint8Array) => new Uint8Array(bytes),
      metadataOf(keys),
      { deadline: Date.now() + 10_000 },
      (error: ServiceError | null, bytes?: Uint8Array) => {
        if (error) reject(errorOf(error));
        else resolve(bytes ?? new Uint8Array());
      },
    );
    for (const request of requests) {
      call.write(toBinary(method.input, create(method.input, request)));
    }
    call.end();
    return promise;
  }

  async sendForMessage<Input extends DescMessage, Output extends DescMessage>(
    method: Method<Input, Output>,
    requests: readonly MessageInitShape<Input>[],
    keys: Keys = {},
  ): Promise<MessageShape<Output>> {
    return fromBinary(method.output, await this.sendAll(method, requests, keys));
  }

  /** A stream both ways, or answers to one request. */
  open<Input extends DescMessage, Output extends DescMessage>(
    method: Method<Input, Output>,
    keys: Keys = {},
  ): OpenCall<Input, Output> {
    const call = this.#client.makeBidiStreamRequest(
      `/${method.parent.typeName}/${method.name}`,
      (bytes: Uint8Array) => Buffer.from(bytes),
      (bytes: Uint8Array) => fromBinary(method.output, bytes),
      metadataOf(keys),
      { deadline: Date.now() + 10_000 },
    );
    const responses = call[Symbol.asyncIterator]();
    return {
      send: (request) => void call.write(toBinary(method.input, create(method.input, request))),
      end: () => void call.end(),
      async next() {
        const { done, value } = await responses.next().catch((error) => {
          throw errorOf(error);
        });
        return done ? undefined : value;
      },
      async rest() {
        const all: MessageShape<Output>[] = [];
        for (let one = await this.next(); one; one = await this.next()) all.push(one);
        return all;
      },
      cancel() {
        call.on("error", () => {});
        call.cancel();
      },
    };
  }

  close(): void {
    this.#client.close();
  }
}

function metadataOf({ key, actionKey, op, runId }: Keys): Metadata {
  const metadata = new Metadata();
  if (key) metadata.set("idempotency-key", key);
  if (actionKey) metadata.set("maestro-action-key", actionKey);
  if (op) metadata.set("maestro-op", op);
  if (runId) metadata.set("maestro-run-id", runId);
  return metadata;
}

function errorOf(error: ServiceError): CallError {
  return new CallError(error.code, reasonOf(error), error.details);
}

/** The google.rpc.ErrorInfo reason of a status, or "". */
function reasonOf(error: ServiceError): string {
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  if (bytes === undefined) return "";
  const status = fromBinary(Status, Buffer.from(bytes)) as unknown as {
    details: { typeUrl: string; value: Uint8Array }[];
  };
  const info = status.details.find(({ typeUrl }) => typeUrl.endsWith("/google.rpc.ErrorInfo"));
  if (!info) return "";
  return (fromBinary(ErrorInfo, info.value) as unknown as { reason: string }).reason;
}
