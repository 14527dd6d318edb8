import { Buffer } from "node:buffer";
import { createRegistry, fromJson, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { Metadata, type StatusObject } from "@grpc/grpc-js";
import { BadRequestSchema, ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../gen/google/rpc/status_pb.ts";
import { statusOf } from "../status.ts";

/** The details that a status can have. */
const registry = createRegistry(BadRequestSchema, ErrorInfoSchema);

/** More than this, in bytes, is not sent as details: clients refuse larger headers than 8 KiB or so. */
const MOST_DETAILS = 4_096;

/** Whatever was thrown as a gRPC status, with a `google.rpc.Status` in its trailers. */
export function rpcError(thrown: unknown): StatusObject {
  const { body } = statusOf(thrown);
  const metadata = new Metadata();
  const full = fromJson(StatusSchema, body as unknown as JsonValue, { registry });
  const details = [...full.details];
  let bytes = toBinary(StatusSchema, full);
  while (bytes.length > MOST_DETAILS && details.length > 0) {
    details.pop();
    bytes = toBinary(StatusSchema, { ...full, details });
  }
  metadata.set("grpc-status-details-bin", Buffer.from(bytes));
  return { code: body.code, details: shortened(body.message), metadata };
}

function shortened(message: string): string {
  return message.length <= MOST_DETAILS ? message : `${message.slice(0, MOST_DETAILS)}…`;
}
