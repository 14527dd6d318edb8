/**
 * A service of the API on a grpc-js server: bytes to messages, who asks, errors to statuses.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  create,
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type {
  Metadata,
  sendUnaryData,
  Server,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { Caller } from "../operations.ts";
import { isForTheLog } from "../status.ts";
import type { Door } from "./door.ts";
import { fromBytes, readable } from "./request_bytes.ts";
import { rpcError } from "./rpc_error.ts";
import type { Streams } from "./streams.ts";

/** What a method knows of a call besides its request. */
export interface Asked {
  /** Who asks. */
  readonly who: Caller;
  /** Aborted once nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** What was sent with the call; the last value of a key. */
  header(name: string): string | undefined;
}

/** What the methods of a service do. A stream's messages are made one by one, as they can be sent. */
export type Methods<S extends DescService> = {
  readonly [M in keyof S["method"]]: S["method"][M] extends
    DescMethodServerStreaming<infer I, infer O>
    ? (request: MessageShape<I>, asked: Asked) => AsyncIterable<MessageInitShape<O>>
    : S["method"][M] extends DescMethodUnary<infer I, infer O>
      ? (request: MessageShape<I>, asked: Asked) => Answer<MessageInitShape<O>>
    : never;
};

type Answer<T> = T | Promise<T>;

/** What all services of a server have in common. */
export interface RpcOptions {
  /** Where its calls come in. */
  readonly door: Door;
  /** The open streams. */
  readonly streams: Streams;
  /** Hears of a defect: what the caller is not told. */
  readonly onDefect: (error: unknown) => void;
}

/** Adds a service to a server. */
export function addService<S extends DescService>(
  server: Server,
  service: S,
  methods: Methods<S>,
  options: RpcOptions,
): void {
  const definition: Record<string, ServiceDefinition[string]> = {};
  const implementation: UntypedServiceImplementation = {};
  for (const method of service.methods) {
    const { input, output, methodKind } = method;
    definition[method.name] = {
      path: `/${service.typeName}/${method.name}`,
      requestStream: false,
      responseStream: methodKind === "server_streaming",
      requestSerialize: (message: MessageShape<typeof input>) =>
        Buffer.from(toBinary(input, message)),
      requestDeserialize: (bytes: Buffer) => fromBytes(input, bytes),
      responseSerialize: bufferOf,
      responseDeserialize: (bytes: Buffer) => fromBinary(output, bytes),
    };
    const encode = (message: MessageInitShape<typeof output>) =>
      toBinary(output, create(output, message));
    // Its type is that of its method: the table above is made from the service.
    const perform = methods[method.localName as keyof Methods<S>] as unknown;
    implementation[method.name] = methodKind === "server_streaming"
      ? (call: StreamCall) => stream(call, perform as Streaming, encode, options)
      : (call: UnaryCall, callback: sendUnaryData<Uint8Array>) =>
        answer(call, callback, perform as Unary, encode, options);
  }
  server.addService(definition, implementation);
}

type UnaryCall = ServerUnaryCall<unknown, Uint8Array>;
type StreamCall = ServerWritableStream<unknown, Uint8Array>;
type Message = MessageInitShape<DescMessage>;
type Unary = (request: unknown, asked: Asked) => Answer<Message>;
type Streaming = (request: unknown, asked: Asked) => AsyncIterable<Message>;
type Encode = (message: Message) => Uint8Array;

async function answer(
  call: UnaryCall,
  callback: sendUnaryData<Uint8Array>,
  perform: Unary,
  encode: Encode,
  options: RpcOptions,
): Promise<void> {
  try {
    const known = asked(call, options);
    callback(null, encode(await perform(readable(call.request), known)));
  } catch (thrown) {
    callback(told(thrown, options));
  }
}

async function stream(
  call: StreamCall,
  perform: Streaming,
  encode: Encode,
  options: RpcOptions,
): Promise<void> {
  try {
    const known = asked(call, options);
    const request = readable(call.request);
    await options.streams.send(call, async function* (signal) {
      for await (const message of perform(request, { ...known, signal })) yield encode(message);
    }, () => options.door.callerOf(call.metadata));
  } catch (thrown) {
    call.emit("error", told(thrown, options));
  }
}

/** The same bytes, as grpc-js wants them. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** What a caller is told of whatever was thrown. */
export function told(thrown: unknown, { onDefect }: RpcOptions) {
  if (isForTheLog(thrown)) onDefect(thrown);
  return rpcError(thrown);
}

function asked(
  call: { readonly metadata: Metadata; on(event: "cancelled", hear: () => void): unknown },
  { door }: RpcOptions,
): Asked {
  const abort = new AbortController();
  call.on("cancelled", () => abort.abort());
  const header = (name: string) => call.metadata.get(name).at(-1)?.toString();
  return { who: door.callerOf(call.metadata), signal: abort.signal, header };
}
