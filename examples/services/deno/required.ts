import { status } from "@grpc/grpc-js";
import { rpcError } from "../node/server/rpc_error.mjs";

/** A field that must not be empty; INVALID_ARGUMENT when it is. */
export function required(field: string, value: string): string {
  if (value === "") throw rpcError(status.INVALID_ARGUMENT, `Cannot be empty: ${field}`);
  return value;
}
