import { Buffer } from "node:buffer";
import type { Metadata } from "@grpc/grpc-js";
import { MaestroError } from "../errors.ts";
import type { GrpcJs } from "./grpc_js.ts";

/** What gRPC allows in a key; keys are lower case on the wire. */
const KEY = /^[0-9a-z_.-]+$/;
/** What gRPC allows in a value: printable ASCII. */
const VALUE = /^[\x20-\x7e]*$/;
/** Base64 with or without padding, in either alphabet. */
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/**
 * Plain metadata as grpc-js wants it. Values of `-bin` keys are base64.
 *
 * @throws {MaestroError} `INVALID_REQUEST`, naming the key; never the value, which may be a secret
 */
export function toMetadata(grpc: GrpcJs, plain: Readonly<Record<string, string>>): Metadata {
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(plain)) {
    const key = name.toLowerCase();
    if (!KEY.test(key)) {
      throw refuse(name, "a key holds only letters, digits, '_', '-' and '.'");
    }
    if (key.startsWith("grpc-")) throw refuse(name, "keys that begin with 'grpc-' are gRPC's own");
    if (key.endsWith("-bin")) {
      if (!BASE64.test(value)) throw refuse(name, "the value of a '-bin' key must be base64");
      metadata.set(key, Buffer.from(value, "base64"));
    } else {
      if (!VALUE.test(value)) {
        throw refuse(
          name,
          "its value holds characters other than printable ASCII; use a '-bin' key with base64",
        );
      }
      metadata.set(key, value);
    }
  }
  return metadata;
}

function refuse(key: string, reason: string): MaestroError {
  return new MaestroError("INVALID_REQUEST", `Cannot send the metadata "${key}": ${reason}`);
}
