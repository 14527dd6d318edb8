/**
 * Server reflection for the scripted server, as good or as bad as a test wants it.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import * as grpc from "@grpc/grpc-js";
import {
  create,
  type DescFile,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import {
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from "../../src/gen/grpc/reflection/v1/reflection_pb.ts";
import type { Schema } from "../../src/grpc/schema.ts";

/** What a server's reflection is like. */
export interface ReflectionOptions {
  /** Default: both. */
  readonly versions?: readonly ("v1" | "v1alpha")[];
  /** A service's own file alone, as some servers do it: imports have to be asked for. Default: false. */
  readonly ownFileOnly?: boolean;
  /** Called once for each conversation, with what was sent along. */
  readonly onStream?: (metadata: Readonly<Record<string, unknown>>) => void;
  /** The `authorization` without which a conversation ends as UNAUTHENTICATED. Default: none is wanted. */
  readonly authorization?: string;
  /** The status that every conversation ends with, instead of answers. */
  readonly refuse?: { readonly code: grpc.status; readonly details: string };
  /** Never answers. */
  readonly silent?: boolean;
}

/** Adds `grpc.reflection.v1` and `v1alpha` to a server. */
export function addReflection(
  server: grpc.Server,
  schema: Schema,
  options: ReflectionOptions = {},
): void {
  for (const version of options.versions ?? ["v1", "v1alpha"]) {
    server.addService({
      ServerReflectionInfo: {
        path: `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
        requestStream: true,
        responseStream: true,
        requestSerialize: (request: ServerReflectionRequest) =>
          Buffer.from(toBinary(ServerReflectionRequestSchema, request)),
        requestDeserialize: (bytes: Buffer) => fromBinary(ServerReflectionRequestSchema, bytes),
        responseSerialize: (response: ServerReflectionResponse) =>
          Buffer.from(toBinary(ServerReflectionResponseSchema, response)),
        responseDeserialize: (bytes: Buffer) => fromBinary(ServerReflectionResponseSchema, bytes),
      },
    }, {
      ServerReflectionInfo: (
        call: grpc.ServerDuplexStream<ServerReflectionRequest, ServerReflectionResponse>,
      ) => {
        const metadata = call.metadata.getMap();
        options.onStream?.(metadata);
        const { authorization = metadata["authorization"] } = options;
        if (metadata["authorization"] !== authorization) {
          const details = "Who are you?";
          return call.emit("error", { code: grpc.status.UNAUTHENTICATED, details });
        }
        if (options.refuse !== undefined) return call.emit("error", options.refuse);
        call.on("data", (request: ServerReflectionRequest) => {
          if (!options.silent) {
            const messageResponse = answer(schema, request, options.ownFileOnly ?? false);
            call.write(create(ServerReflectionResponseSchema, { messageResponse }));
          }
        });
        call.on("end", () => call.end());
      },
    });
  }
}

type Answer = MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"];

function answer(
  { registry, services }: Schema,
  { messageRequest: request }: ServerReflectionRequest,
  ownFileOnly: boolean,
): NonNullable<Answer> {
  switch (request.case) {
    case "listServices": {
      const names = ["grpc.reflection.v1.ServerReflection", ...services.map((one) => one.typeName)];
      return {
        case: "listServicesResponse",
        value: { service: names.map((name) => ({ name })) },
      };
    }
    case "fileContainingSymbol": {
      const file = services.find((one) => one.typeName === request.value)?.file;
      return fileResponse(file, ownFileOnly);
    }
    case "fileByFilename":
      return fileResponse(registry.getFile(request.value), ownFileOnly);
    default:
      return { case: "errorResponse", value: { errorCode: grpc.status.UNIMPLEMENTED } };
  }
}

function fileResponse(file: DescFile | undefined, ownFileOnly: boolean): NonNullable<Answer> {
  if (file === undefined) {
    return {
      case: "errorResponse",
      value: { errorCode: grpc.status.NOT_FOUND, errorMessage: "not found" },
    };
  }
  const files = new Set<DescFile>();
  const collect = (one: DescFile) => {
    if (files.has(one)) return;
    files.add(one);
    if (!ownFileOnly) one.dependencies.forEach(collect);
  };
  collect(file);
  return {
    case: "fileDescriptorResponse",
    value: {
      fileDescriptorProto: [...files].map((one) => toBinary(FileDescriptorProtoSchema, one.proto)),
    },
  };
}
