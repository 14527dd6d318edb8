import { fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { ServiceError } from "@grpc/grpc-js";
import type { Connection } from "./pool.ts";
import {
  type ReflectionQuery,
  ReflectionStream,
  type ReflectionVersion,
} from "./reflection_stream.ts";
import { wellKnownFile } from "./well_known.ts";

/** gRPC's number for UNIMPLEMENTED. */
const UNIMPLEMENTED = 12;

/** The server answers calls, but not about its schema. */
export class NoReflection extends Error {}

/**
 * Asks a server for the descriptors of everything it serves.
 *
 * @param deadline in milliseconds since the epoch
 * @throws {NoReflection} where the server has no reflection service
 * @throws a `ServiceError` of grpc-js, where it can't be asked
 */
export async function reflectFiles(
  connection: Connection,
  deadline: number,
  metadata: Readonly<Record<string, string>> = {},
): Promise<FileDescriptorProto[]> {
  const versions: readonly ReflectionVersion[] = ["v1", "v1alpha"];
  for (const version of versions) {
    try {
      using stream = new ReflectionStream(connection, version, deadline, metadata);
      return await collectFiles(stream);
    } catch (error) {
      if (!isUnimplemented(error)) throw error;
    }
  }
  throw new NoReflection();
}

/** A web server's 404 gets the same code, and is no gRPC server without reflection. */
function isUnimplemented(error: unknown): boolean {
  const { code, details = "" } = error as Partial<ServiceError>;
  return code === UNIMPLEMENTED && !details.startsWith("Received HTTP status");
}

function readDescriptor(bytes: Uint8Array): FileDescriptorProto {
  try {
    return fromBinary(FileDescriptorProtoSchema, bytes);
  } catch (error) {
    throw new Error("a file descriptor that it sent cannot be read", { cause: error });
  }
}

async function collectFiles(stream: ReflectionStream): Promise<FileDescriptorProto[]> {
  const files = new Map<string, FileDescriptorProto>();
  /** `false`, where the server says that it doesn't have it. */
  const add = async (query: ReflectionQuery): Promise<boolean> => {
    const { messageResponse: answer } = await stream.ask(query);
    if (answer.case !== "fileDescriptorResponse") return false;
    for (const bytes of answer.value.fileDescriptorProto) {
      const file = readDescriptor(bytes);
      if (!files.has(file.name)) files.set(file.name, file);
    }
    return true;
  };

  const { messageResponse: list } = await stream.ask({ case: "listServices", value: "*" });
  const services = list.case === "listServicesResponse" ? list.value.service : [];
  await Promise.all(
    services
      .filter(({ name }) => !name.startsWith("grpc.reflection."))
      // A service that is listed and not described is left out: the others can still be called.
      .map(({ name }) => add({ case: "fileContainingSymbol", value: name })),
  );

  // Servers may send a service's own file only: imports are asked for by name, level by level.
  const asked = new Set<string>();
  for (;;) {
    const missing = [...files.values()].flatMap((file) => file.dependency).filter((name) =>
      !files.has(name) && !asked.has(name) && wellKnownFile(name) === undefined
    );
    if (missing.length === 0) return [...files.values()];
    await Promise.all([...new Set(missing)].map((name) => {
      asked.add(name);
      return add({ case: "fileByFilename", value: name });
    }));
  }
}
