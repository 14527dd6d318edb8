// The bridge between @bufbuild/protobuf, which knows messages, and grpc-js, which carries them.

import { Buffer } from "node:buffer";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";

/**
 * What grpc-js needs to know of a service, for `server.addService` and `makeClientConstructor`.
 *
 * @param {import("@bufbuild/protobuf").DescService} service
 * @returns {import("@grpc/grpc-js").ServiceDefinition}
 */
export function serviceDefinition(service) {
  return Object.fromEntries(service.methods.map((method) => [method.localName, {
    path: `/${service.typeName}/${method.name}`,
    originalName: method.localName,
    requestStream: method.methodKind === "client_streaming" ||
      method.methodKind === "bidi_streaming",
    responseStream: method.methodKind === "server_streaming" ||
      method.methodKind === "bidi_streaming",
    ...codec("request", method.input),
    ...codec("response", method.output),
  }]));
}

/** Messages may be given as plain objects: what is left out gets its default. */
function codec(side, schema) {
  return {
    [`${side}Serialize`]: (value) => Buffer.from(toBinary(schema, create(schema, value))),
    [`${side}Deserialize`]: (bytes) => fromBinary(schema, bytes),
  };
}

/**
 * A grpc-js handler of a plain function: what it returns is the answer, what it throws the status.
 *
 * @template Request, Response
 * @param {(request: Request, metadata: import("@grpc/grpc-js").Metadata) => Response} handle
 * @returns {import("@grpc/grpc-js").handleUnaryCall<Request, Response>}
 */
export function unary(handle) {
  return (call, callback) => {
    try {
      callback(null, handle(call.request, call.metadata));
    } catch (error) {
      callback(error);
    }
  };
}
