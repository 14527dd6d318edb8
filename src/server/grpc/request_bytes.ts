/**
 * The bytes of requests. What can't be read is an answer of ours, not one of grpc-js.
 *
 * @module
 */
import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { MaestroError } from "../../errors.ts";
import { DEEPEST } from "../json_depth.ts";

/**
 * How many messages may be in each other: a level of JSON takes two of them, `Value` and `Struct` or
 * `ListValue`, and some are around it.
 */
export const DEEPEST_MESSAGE = 2 * DEEPEST + 20;

/** A request whose bytes are no message of its type. */
class Unreadable {
  constructor(readonly why: string) {}
}

/** A message from its bytes, for {@linkcode readable} to look at. */
export function fromBytes<D extends DescMessage>(
  schema: D,
  bytes: Uint8Array,
): MessageShape<D> | Unreadable {
  try {
    return fromBinary(schema, bytes, { recursionLimit: DEEPEST_MESSAGE });
  } catch (thrown) {
    const isTooDeep = thrown instanceof Error && thrown.message.includes("recursion depth");
    return new Unreadable(
      isTooDeep
        ? `its JSON is more than ${DEEPEST} levels deep`
        : `its bytes are no ${schema.typeName}`,
    );
  }
}

/** @throws {MaestroError} `INVALID_REQUEST` where it is none */
export function readable<T>(request: T | Unreadable): T {
  if (!(request instanceof Unreadable)) return request;
  throw new MaestroError("INVALID_REQUEST", `Cannot read the request: ${request.why}`);
}
