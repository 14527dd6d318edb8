// Errors that a program can tell apart: a gRPC status with a google.rpc.ErrorInfo in its details.

import { Buffer } from "node:buffer";
import { create, toBinary } from "@bufbuild/protobuf";
import { Metadata } from "@grpc/grpc-js";
import { message } from "./descriptors.mjs";

const Status = message("google.rpc.Status");
const ErrorInfo = message("google.rpc.ErrorInfo");

/** Whose reasons these are: a reason is unique within its domain. */
const DOMAIN = "services.example.com";

/**
 * An error to throw from a handler. Messages are for people and change; `reason` is for programs
 * and doesn't.
 *
 * @param {import("@grpc/grpc-js").status} code
 * @param {string} details what went wrong, for people
 * @param {string} [reason] UPPER_SNAKE_CASE, for example "NO_CARRIER"
 * @returns {Error & {code: import("@grpc/grpc-js").status, details: string, metadata: Metadata}}
 */
export function rpcError(code, details, reason) {
  const metadata = new Metadata();
  if (reason) metadata.set("grpc-status-details-bin", statusDetails(code, details, reason));
  return Object.assign(new Error(details), { code, details, metadata });
}

function statusDetails(code, details, reason) {
  const info = toBinary(ErrorInfo, create(ErrorInfo, { reason, domain: DOMAIN }));
  const any = { typeUrl: `type.googleapis.com/${ErrorInfo.typeName}`, value: info };
  const status = create(Status, { code, message: details, details: [any] });
  return Buffer.from(toBinary(Status, status));
}
