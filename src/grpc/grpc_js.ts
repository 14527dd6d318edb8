/** The library, as a value to hand around: importing it costs 60 ms, so only a first call does. */
export type GrpcJs = typeof import("@grpc/grpc-js");

/** Imports grpc-js; what is imported already is there at once. */
export function loadGrpcJs(): Promise<GrpcJs> {
  return import("@grpc/grpc-js");
}
