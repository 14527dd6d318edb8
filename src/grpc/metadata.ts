import { Buffer } from "node:buffer";
import type { Metadata } from "@grpc/grpc-js";
import { MaestroError } from "../errors.ts";
import { type MakeMetadata, metadataMaker } from "./call_metadata.ts";
import type { GrpcJs } from "./grpc_js.ts";

/** What gRPC allows in a key; keys are lower case on the wire. */
const KEY = /^[0-9a-z_.-]+$/;
/** What gRPC allows in a value: printable ASCII. */
const VALUE = /^[\x20-\x7e]*$/;
/** Base64 with or without padding, in either alphabet. */
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/**
 * What HTTP/2 forbids (RFC 9113 §8.2.2): grpc-js would give up the connection, with every call on it,
 * again and again until the deadline.
 */
const HTTP =
  /^(?:connection|content-length|http2-settings|keep-alive|proxy-connection|transfer-encoding|upgrade)$/;

/** A key as it goes over the wire. */
interface Key {
  readonly name: string;
  readonly binary: boolean;
}

/** Good keys by how they were written: every call has the same few. */
const known = new Map<string, Key>();

/** More keys than this are not remembered: then somebody makes them up as they go. */
const REMEMBERED = 256;

/**
 * Plain metadata as grpc-js wants it. Values of `-bin` keys are base64.
 *
 * @throws {MaestroError} `INVALID_REQUEST`, naming the key; never the value, which may be a secret
 */
export function toMetadata(grpc: GrpcJs, plain: Readonly<Record<string, string>>): Metadata {
  const texts: Record<string, string> = {};
  const binaries: (readonly [string, Buffer])[] = [];
  for (const written in plain) {
    const value = plain[written] ?? "";
    const { name, binary } = known.get(written) ?? readKey(written);
    if (binary) {
      if (!BASE64.test(value)) throw refuse(written, "the value of a '-bin' key must be base64");
      binaries.push([name, Buffer.from(value, "base64")]);
    } else {
      if (!VALUE.test(value)) {
        throw refuse(
          written,
          "its value holds characters other than printable ASCII; use a '-bin' key with base64",
        );
      }
      texts[name] = value;
    }
  }
  const metadata = (make ??= metadataMaker(grpc))(texts);
  for (const [name, bytes] of binaries) metadata.set(name, bytes);
  return metadata;
}

let make: MakeMetadata | undefined;

function readKey(written: string): Key {
  const name = written.toLowerCase();
  if (!KEY.test(name)) {
    throw refuse(written, "a key holds only letters, digits, '_', '-' and '.'");
  }
  if (name.startsWith("grpc-")) {
    throw refuse(written, "keys that begin with 'grpc-' are gRPC's own");
  }
  if (HTTP.test(name)) throw refuse(written, "it is about the connection, and HTTP/2 forbids it");
  const key = { name, binary: name.endsWith("-bin") };
  if (known.size < REMEMBERED) known.set(written, key);
  return key;
}

function refuse(key: string, reason: string): MaestroError {
  return new MaestroError("INVALID_REQUEST", `Cannot send the metadata "${key}": ${reason}`);
}
