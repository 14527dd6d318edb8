import { GRPC_CODES } from "../workflow/words.ts";

/** gRPC's codes by number (`google/rpc/code.proto`). */
const CODES = ["OK", ...GRPC_CODES] as const;

/** The name of a code; a number that gRPC does not know is `UNKNOWN`, as its specification asks. */
export function codeName(code: number): string {
  return CODES[code] ?? "UNKNOWN";
}
