import { Buffer } from "node:buffer";
import { createRegistry, fromJson, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { Metadata, type StatusObject } from "@grpc/grpc-js";
import { BadRequestSchema, ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../gen/google/rpc/status_pb.ts";
import { type StatusJson, statusOf } from "../status.ts";

/** The details that a status can have. */
const registry = createRegistry(BadRequestSchema, ErrorInfoSchema);

/**
 * What clients take of headers in all, text in percent-encoding and details in base64, is 8 KiB where
 * they take least (grpc-java): so this is the longest message in characters,
 */
const MOST_MESSAGE = 600;

/** and these are the most details, in bytes and in number. */
const MOST_DETAILS = 2_000;
const MOST_VIOLATIONS = 64;

/** Whatever was thrown as a gRPC status, with a `google.rpc.Status` in its trailers. */
export function rpcError(thrown: unknown): StatusObject {
  const { body } = statusOf(thrown);
  const metadata = new Metadata();
  const message = shortened(body.message);
  let most = MOST_VIOLATIONS;
  let bytes = bytesOf({ ...body, message }, most);
  while (bytes.length > MOST_DETAILS && most > 0) {
    bytes = bytesOf({ ...body, message }, most = Math.floor(most / 2));
  }
  metadata.set("grpc-status-details-bin", Buffer.from(bytes));
  return { code: body.code, details: message, metadata };
}

/** A status with so many of its violations. */
function bytesOf(body: StatusJson, most: number): Uint8Array {
  const details = body.details.map((detail) => {
    const { field_violations: all } = detail;
    return Array.isArray(all) ? { ...detail, field_violations: all.slice(0, most) } : detail;
  });
  const json = { ...body, details } as unknown as JsonValue; // which has its own arrays
  return toBinary(StatusSchema, fromJson(StatusSchema, json, { registry }));
}

function shortened(message: string): string {
  return message.length <= MOST_MESSAGE ? message : `${message.slice(0, MOST_MESSAGE - 1)}…`;
}
