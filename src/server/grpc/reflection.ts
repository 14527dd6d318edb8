import { Buffer } from "node:buffer";
import {
  create,
  type DescFile,
  type DescMessage,
  type DescService,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { type Server, type ServerDuplexStream, status } from "@grpc/grpc-js";
import {
  ServerReflection,
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
} from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionV1Alpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { fromBytes, readable } from "./request_bytes.ts";
import { bufferOf, type RpcOptions, told } from "./rpc.ts";

type Answer = NonNullable<
  MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"]
>;
type Request = ReturnType<typeof fromBytes<typeof ServerReflectionRequestSchema>>;
type Answers = (request: ServerReflectionRequest["messageRequest"]) => Answer;
type Conversation = ServerDuplexStream<Request, Uint8Array>;

/** Its two versions. */
export const REFLECTIONS = [ServerReflection, ServerReflectionV1Alpha] as const;

/**
 * Adds server reflection in both of its versions, whose messages are the same on the wire. The
 * descriptors are those that the services are made from.
 */
export function addReflection(
  server: Server,
  services: readonly DescService[],
  options: RpcOptions,
): void {
  const answer = answersFrom([...services, ...REFLECTIONS]);
  for (const { typeName } of REFLECTIONS) {
    server.addService({
      ServerReflectionInfo: {
        path: `/${typeName}/ServerReflectionInfo`,
        requestStream: true,
        responseStream: true,
        requestSerialize: (request: ServerReflectionRequest) =>
          Buffer.from(toBinary(ServerReflectionRequestSchema, request)),
        requestDeserialize: (bytes: Buffer) => fromBytes(ServerReflectionRequestSchema, bytes),
        responseSerialize: bufferOf,
        responseDeserialize: (bytes: Buffer) => fromBinary(ServerReflectionResponseSchema, bytes),
      },
    }, {
      ServerReflectionInfo: (call: Conversation) => converse(call, answer, options),
    });
  }
}

/** Answers as fast as the answers are read. */
async function converse(call: Conversation, answer: Answers, options: RpcOptions): Promise<void> {
  try {
    await options.streams.send(call, async function* (signal): AsyncGenerator<Uint8Array> {
      signal.addEventListener("abort", () => call.push(null)); // there are no more requests
      for await (const bytes of call.iterator({ destroyOnReturn: false })) {
        const request = readable(bytes as Request);
        yield toBinary(
          ServerReflectionResponseSchema,
          create(ServerReflectionResponseSchema, {
            validHost: request.host,
            originalRequest: request,
            messageResponse: answer(request.messageRequest),
          }),
        );
      }
    }, () => {});
  } catch (thrown) {
    if (!call.cancelled) call.emit("error", told(thrown, options));
  }
}

function answersFrom(services: readonly DescService[]): Answers {
  const files = new Map<string, DescFile>();
  for (const { file } of services) collect(file, files);
  const symbols = new Map<string, DescFile>();
  for (const file of files.values()) {
    for (const symbol of symbolsOf(file)) symbols.set(symbol, file);
  }
  return (request) => {
    switch (request.case) {
      case "listServices":
        return {
          case: "listServicesResponse",
          value: { service: services.map(({ typeName }) => ({ name: typeName })) },
        };
      case "fileByFilename":
        return described(files.get(request.value), `file "${request.value}"`);
      case "fileContainingSymbol":
        return described(symbols.get(request.value), `symbol "${request.value}"`);
      case "fileContainingExtension":
        return refused(status.NOT_FOUND, "There are no extensions here");
      case "allExtensionNumbersOfType": {
        const baseTypeName = request.value;
        return symbols.has(baseTypeName)
          ? { case: "allExtensionNumbersResponse", value: { baseTypeName } }
          : described(undefined, `type "${baseTypeName}"`);
      }
      default:
        return refused(status.INVALID_ARGUMENT, "The request asks for nothing");
    }
  };
}

/** Each file after those that it imports. */
function collect(file: DescFile, into: Map<string, DescFile>): void {
  if (into.has(file.proto.name)) return;
  for (const imported of file.dependencies) collect(imported, into);
  into.set(file.proto.name, file);
}

/** The full names of everything that a file declares, down to fields and methods. */
function* symbolsOf({ services, messages, enums }: DescFile): Generator<string> {
  for (const { typeName, methods } of services) {
    yield typeName;
    for (const { name } of methods) yield `${typeName}.${name}`;
  }
  for (const message of messages) yield* symbolsOfMessage(message);
  for (const { typeName } of enums) yield typeName;
}

function* symbolsOfMessage(message: DescMessage): Generator<string> {
  const { typeName, fields, nestedMessages, nestedEnums } = message;
  yield typeName;
  for (const { name } of fields) yield `${typeName}.${name}`;
  for (const { typeName } of nestedEnums) yield typeName;
  for (const nested of nestedMessages) yield* symbolsOfMessage(nested);
}

/** The file with all that it imports, so that nobody has to ask again. */
function described(file: DescFile | undefined, asked: string): Answer {
  if (file === undefined) return refused(status.NOT_FOUND, `There is no ${asked} here`);
  const files = new Map<string, DescFile>();
  collect(file, files);
  // Clients take the first one for the answer.
  const ordered = [...files.values()].reverse();
  const fileDescriptorProto = ordered.map(({ proto }) =>
    toBinary(FileDescriptorProtoSchema, proto)
  );
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

function refused(errorCode: status, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
