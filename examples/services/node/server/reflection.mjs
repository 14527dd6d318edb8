// gRPC server reflection, v1 and v1alpha, answered from services.binpb.
//
// The descriptors go out as the compiler wrote them. (@grpc/reflection takes them from
// proto-loader, which loses package names and imports on the way.)

import { status } from "@grpc/grpc-js";
import { toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { registry, service } from "./descriptors.mjs";
import { serviceDefinition } from "./definition.mjs";

const versions = ["grpc.reflection.v1", "grpc.reflection.v1alpha"];

/**
 * @param {import("@grpc/grpc-js").Server} server
 * @param {string[]} hosted full names of the services to list
 */
export function addReflection(server, hosted) {
  for (const version of versions) {
    const reflection = service(`${version}.ServerReflection`);
    server.addService(serviceDefinition(reflection), {
      serverReflectionInfo(call) {
        call.on("data", (request) => {
          const messageResponse = answer(request.messageRequest, hosted);
          call.write({ validHost: request.host, originalRequest: request, messageResponse });
        });
        call.on("end", () => call.end());
      },
    });
  }
}

function answer(request, hosted) {
  switch (request.case) {
    case "listServices": {
      const names = [...hosted, ...versions.map((version) => `${version}.ServerReflection`)];
      return { case: "listServicesResponse", value: { service: names.map((name) => ({ name })) } };
    }
    case "fileByFilename":
      return files(registry.getFile(request.value), request.value);
    case "fileContainingSymbol":
      return files(declaring(request.value), request.value);
    default:
      return failure(status.NOT_FOUND, "There are no extensions here");
  }
}

/** The file that declares a type or a service, or one of their fields, values or methods. */
function declaring(symbol) {
  const whole = registry.get(symbol);
  if (whole) return whole.file;
  const dot = symbol.lastIndexOf(".");
  const parent = registry.get(symbol.slice(0, dot));
  const members = parent?.fields ?? parent?.values ?? parent?.methods ?? [];
  return members.some(({ name }) => name === symbol.slice(dot + 1)) ? parent.file : undefined;
}

/** A file and all that it imports, so that a client needs to ask only once. */
function files(file, asked) {
  if (!file) return failure(status.NOT_FOUND, `Cannot find in the descriptors: ${asked}`);
  const fileDescriptorProto = [...withImports(file)].map(({ proto }) =>
    toBinary(FileDescriptorProtoSchema, proto)
  );
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

function withImports(file, found = new Set()) {
  if (!found.has(file)) {
    found.add(file);
    for (const imported of file.dependencies) withImports(imported, found);
  }
  return found;
}

function failure(errorCode, errorMessage) {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
