import { Buffer } from "node:buffer";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ClientDuplexStream } from "@grpc/grpc-js";
import {
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from "../gen/grpc/reflection/v1/reflection_pb.ts";
import { cancellable, type InFlight } from "./inflight.ts";
import { toMetadata } from "./metadata.ts";
import type { Connection } from "./pool.ts";

/** What is asked of a server. */
export type ReflectionQuery = ServerReflectionRequest["messageRequest"];

/** v1alpha has the same messages as v1, under another name. */
export type ReflectionVersion = "v1" | "v1alpha";

type Ask = ClientDuplexStream<ServerReflectionRequest, ServerReflectionResponse>;

/** One conversation with a server's reflection service; answers come in the order of the questions. */
export class ReflectionStream implements Disposable {
  readonly #stream: Ask;
  readonly #waiting: PromiseWithResolvers<ServerReflectionResponse>[] = [];
  readonly #inFlight: InFlight;
  readonly #counted = cancellable(() => this.#stream.cancel());
  #ended: Error | null = null;

  /** @param deadline in milliseconds since the epoch, for the whole conversation */
  constructor(
    { client, grpc, inFlight }: Connection,
    version: ReflectionVersion,
    deadline: number,
    metadata: Readonly<Record<string, string>>,
  ) {
    this.#stream = client.makeBidiStreamRequest(
      `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
      (request: ServerReflectionRequest) =>
        asBuffer(toBinary(ServerReflectionRequestSchema, request)),
      (bytes) => fromBinary(ServerReflectionResponseSchema, bytes),
      toMetadata(grpc, metadata),
      { deadline },
    );
    this.#inFlight = inFlight;
    inFlight.begin(this.#counted);
    this.#stream.on("data", (answer: ServerReflectionResponse) => {
      this.#waiting.shift()?.resolve(answer);
    });
    // Stays for as long as the stream: grpc-js reports the cancelling below as an error too.
    this.#stream.on("error", (error: Error) => this.#end(error));
    this.#stream.on("end", () => this.#end(new Error("the server ended the conversation early")));
  }

  /** @throws what the stream failed with: a `ServiceError` of grpc-js */
  ask(query: ReflectionQuery): Promise<ServerReflectionResponse> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    const waiting = Promise.withResolvers<ServerReflectionResponse>();
    this.#waiting.push(waiting);
    this.#stream.write(create(ServerReflectionRequestSchema, { messageRequest: query }));
    return waiting.promise;
  }

  /** Ends the conversation. */
  [Symbol.dispose](): void {
    this.#end(new Error("the conversation is over"));
    this.#stream.cancel();
  }

  #end(error: Error): void {
    this.#ended ??= error;
    this.#inFlight.end(this.#counted);
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

/** The same bytes, as grpc-js wants them. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
