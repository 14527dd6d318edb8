import { Buffer } from "node:buffer";
import type grpc from "@grpc/grpc-js";

const asIs = {
  serialize: (bytes: Uint8Array) => Buffer.from(bytes),
  deserialize: (bytes: Buffer): Uint8Array => bytes,
};

/** `bench.v1.Echo/Say`; request and response have the same fields, so the bytes can go back as they came. */
export const say: grpc.MethodDefinition<Uint8Array, Uint8Array> = {
  path: "/bench.v1.Echo/Say",
  requestStream: false,
  responseStream: false,
  requestSerialize: asIs.serialize,
  requestDeserialize: asIs.deserialize,
  responseSerialize: asIs.serialize,
  responseDeserialize: asIs.deserialize,
};

/** The echo service. */
export const echoService: grpc.ServiceDefinition = { Say: say };
