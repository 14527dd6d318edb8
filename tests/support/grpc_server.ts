/**
 * A gRPC server on loopback that does what a test's script says.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import * as grpc from "@grpc/grpc-js";
import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  fromJson,
  type JsonValue,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { AnySchema, type FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { StatusSchema } from "../../src/gen/google/rpc/status_pb.ts";
import type { Schema } from "../../src/grpc/schema.ts";
import { protoSchema } from "../../src/grpc/schema_proto.ts";
import { addReflection, type ReflectionOptions } from "./grpc_reflection.ts";

/** The directory of the .proto files that tests share. */
export const PROTOS = new URL("./protos", import.meta.url).pathname;

/** A call as a script sees it. */
export interface ScriptedCall {
  /** ProtoJSON with proto field names, without defaults; a stream has none. */
  readonly request: JsonValue;
  /** The request as it came over the wire; a stream has none. */
  readonly bytes: Uint8Array;
  /** The messages of a stream as they come; those that nobody asks for stay with the client. */
  readonly requests: AsyncIterable<JsonValue>;
  /** What came with the call; the last value of each key, binary ones as base64. */
  readonly metadata: Readonly<Record<string, string>>;
  /** `acme.shop.v1.Shop/Buy`. */
  readonly method: string;
  /** Counts the calls of this method from 1. */
  readonly count: number;
  /** When it came in, in milliseconds of `performance.now()`. */
  readonly arrived: number;
  /** What the client said it would wait, in milliseconds from then; `Infinity`: for ever. */
  readonly timeout: number;
  /** Aborted when the client cancels, or its deadline passes. */
  readonly signal: AbortSignal;
}

/** A message as ProtoJSON or raw bytes. */
export type Reply = JsonValue | Uint8Array;

/** Answers with a message, or as a generator with a stream of them; or throws a {@linkcode status}. */
export type Script = (call: ScriptedCall) => Reply | Promise<Reply> | AsyncIterable<Reply>;

/** How a server is made. */
export interface ServerOptions {
  /** By `acme.shop.v1.Shop/Buy`; a method without one answers UNIMPLEMENTED. */
  readonly scripts: Readonly<Record<string, Script>>;
  /** Default: the shared shop of `tests/support/protos`. */
  readonly schema?: Schema;
  /** Default: both versions, complete. */
  readonly reflection?: ReflectionOptions | "none";
  readonly credentials?: grpc.ServerCredentials;
  /** Default: a free port of 127.0.0.1. */
  readonly address?: string;
  readonly options?: grpc.ServerOptions;
}

/** A running server. */
export interface ScriptedServer extends AsyncDisposable {
  readonly port: number;
  /** `127.0.0.1:port`, or the address that was asked for. */
  readonly endpoint: string;
  /** Every call that came in, oldest first. */
  readonly calls: readonly ScriptedCall[];
  /** Calls that were cancelled, or ran out of time, at the server. */
  readonly cancelled: number;
  /** Ends the connections at once, in the middle of whatever they carry. */
  stop(): void;
}

/** Starts a server. */
export async function startServer(options: ServerOptions): Promise<ScriptedServer> {
  const schema = options.schema ?? await shopSchema();
  const server = new grpc.Server(options.options ?? {});
  const calls: ScriptedCall[] = [];
  let cancelled = 0;
  for (const service of schema.services) {
    const definition: Record<string, grpc.MethodDefinition<ScriptedRequest, Uint8Array>> = {};
    const handlers: grpc.UntypedServiceImplementation = {};
    for (const method of service.methods) {
      const name = `${service.typeName}/${method.name}`;
      const script = options.scripts[name];
      if (script === undefined) continue;
      definition[method.name] = definitionOf(name, method);
      let count = 0;
      const encoded = (answer: Reply) => encode(schema, method.output, answer);
      const json = (bytes: Uint8Array) =>
        toJson(method.input, fromBinary(method.input, bytes), {
          registry: schema.registry,
          useProtoFieldName: true,
        });
      const begin = (call: AnyCall) => {
        const abort = new AbortController();
        let replied = false;
        call.on("cancelled", () => {
          if (replied) return; // grpc-js says so at the end of every call
          cancelled++;
          abort.abort();
        });
        const bytes = call.request?.bytes;
        const scripted: ScriptedCall = {
          request: bytes === undefined ? null : json(bytes),
          bytes: bytes ?? new Uint8Array(),
          requests: requestsOf(call, json),
          metadata: plainMetadata(call.metadata),
          method: name,
          count: ++count,
          arrived: performance.now(),
          timeout: Number(call.getDeadline()) - Date.now(),
          signal: abort.signal,
        };
        calls.push(scripted);
        const ended = () => replied = true;
        return { scripted, ended };
      };
      const one = (call: AnyCall, reply: grpc.sendUnaryData<Uint8Array>) => {
        const { scripted, ended } = begin(call);
        (async () => await script(scripted) as Reply)() // what such a script gives
          .finally(ended).then(
            (answer) => reply(null, encoded(answer)),
            (error) => reply(error),
          );
      };
      const many = (call: WritingCall) => {
        const { scripted, ended } = begin(call);
        writeAll(call, script(scripted) as AsyncIterable<Reply>, encoded).finally(ended).then(
          () => call.end(),
          (error) => void call.emit("error", error),
        );
      };
      handlers[method.name] = definition[method.name]?.responseStream ? many : one;
    }
    if (Object.keys(definition).length > 0) server.addService(definition, handlers);
  }
  if (options.reflection !== "none") addReflection(server, schema, options.reflection);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(
      options.address ?? "127.0.0.1:0",
      options.credentials ?? grpc.ServerCredentials.createInsecure(),
      (error, bound) => error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    port,
    endpoint: options.address ?? `127.0.0.1:${port}`,
    calls,
    get cancelled() {
      return cancelled;
    },
    stop: () => server.forceShutdown(),
    [Symbol.asyncDispose]: () => {
      // Closing gracefully would wait for clients that a test leaves open on purpose.
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}

/** The schema of `tests/support/protos/acme/shop.proto`. */
export async function shopSchema(): Promise<Schema> {
  return (await protoSchema([`${PROTOS}/acme/shop.proto`], [PROTOS])).schema;
}

/** All files of a schema, well-known ones included, imports first. */
export function filesOf(schema: Schema): FileDescriptorProto[] {
  return [...schema.registry.files].map((file) => file.proto);
}

/** A status to be thrown by a script. */
export function status(
  code: grpc.status,
  message: string,
  more: {
    /** `google.rpc.Status` details, each with its descriptor and ProtoJSON. */
    readonly details?: readonly (readonly [DescMessage, JsonValue])[];
    /** Details byte by byte, before those. */
    readonly anys?: readonly { readonly typeUrl: string; readonly value: Uint8Array }[];
    readonly trailers?: Readonly<Record<string, string>>;
  } = {},
): Error {
  const metadata = new grpc.Metadata();
  for (const [key, value] of Object.entries(more.trailers ?? {})) metadata.add(key, value);
  const { details: known = [], anys = [] } = more;
  if (known.length + anys.length > 0) {
    const encoded = known.map(([desc, json]) => ({
      typeUrl: `type.googleapis.com/${desc.typeName}`,
      value: toBinary(desc, fromJson(desc, json)),
    }));
    const details = [...anys, ...encoded].map((any) => create(AnySchema, any));
    const bytes = toBinary(StatusSchema, create(StatusSchema, { code, message, details }));
    metadata.set("grpc-status-details-bin", Buffer.from(bytes));
  }
  return Object.assign(new Error(message), { code, details: message, metadata });
}

interface ScriptedRequest {
  readonly bytes: Uint8Array;
}

type WritingCall = grpc.ServerWritableStream<ScriptedRequest, Uint8Array>;

/** What the calls of all four kinds have in common. */
type AnyCall =
  & Pick<grpc.ServerUnaryCall<ScriptedRequest, Uint8Array>, "on" | "metadata" | "getDeadline">
  & { readonly request?: ScriptedRequest };

async function* requestsOf(call: object, json: (bytes: Uint8Array) => JsonValue) {
  if (!(call instanceof Readable)) return;
  try {
    // A stream both ways is not to be destroyed at the end of what it reads.
    for await (const { bytes } of call.iterator({ destroyOnReturn: false })) yield json(bytes);
  } catch {
    // Cancelled: its signal says so.
  }
}

/** Writes as fast as the client reads. */
async function writeAll(
  call: WritingCall,
  answers: AsyncIterable<Reply>,
  encoded: (answer: Reply) => Uint8Array,
): Promise<void> {
  for await (const answer of answers) {
    if (call.cancelled) return;
    if (call.write(encoded(answer))) continue;
    await new Promise<void>((resolve) => {
      call.once("drain", resolve);
      call.once("cancelled", resolve);
    });
  }
}

function definitionOf(
  name: string,
  method: DescMethod,
): grpc.MethodDefinition<ScriptedRequest, Uint8Array> {
  return {
    path: `/${name}`,
    requestStream: method.methodKind === "client_streaming" ||
      method.methodKind === "bidi_streaming",
    responseStream: method.methodKind === "server_streaming" ||
      method.methodKind === "bidi_streaming",
    requestSerialize: (request) => Buffer.from(request.bytes),
    requestDeserialize: (bytes) => ({ bytes }),
    responseSerialize: (bytes) => Buffer.from(bytes),
    responseDeserialize: (bytes) => bytes,
  };
}

function encode(
  schema: Schema,
  desc: DescMessage,
  answer: JsonValue | Uint8Array,
): Uint8Array {
  return answer instanceof Uint8Array
    ? answer
    : toBinary(desc, fromJson(desc, answer, { registry: schema.registry }));
}

function plainMetadata(metadata: grpc.Metadata): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const key of Object.keys(metadata.getMap())) {
    for (const value of metadata.get(key)) {
      plain[key] = typeof value === "string" ? value : value.toString("base64");
    }
  }
  return plain;
}
