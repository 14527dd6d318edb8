import { Buffer } from "node:buffer";
import { type DescMethod, type Message, type Registry, toBinary } from "@bufbuild/protobuf";
import type { EncodedRequest } from "../engine/doors.ts";
import { MaestroError } from "../errors.ts";
import type { Json } from "../workflow/json.ts";
import { messageValue } from "../workflow/message.ts";
import type { Service } from "../workflow/model.ts";
import { formatSize } from "../workflow/sizes.ts";
import { toJson, type Value } from "../workflow/value.ts";
import { encodeMessage } from "./encode.ts";

/** A request, ready to be written as often as it takes. */
export class WireRequest implements EncodedRequest {
  readonly message: Message;
  readonly bytes: Buffer;
  readonly #desc: DescMethod["input"];
  readonly #registry: Registry;
  #json: Json | undefined;

  constructor(desc: DescMethod["input"], message: Message, bytes: Buffer, registry: Registry) {
    this.#desc = desc;
    this.message = message;
    this.bytes = bytes;
    this.#registry = registry;
  }

  /** Made when it is first asked for: many calls never need it. */
  get json(): Json {
    return this.#json ??= toJson(messageValue(this.#desc, this.message, this.#registry));
  }
}

/**
 * A method's request from plain data, messages, or a mixture.
 *
 * @throws {MaestroError} `INVALID_REQUEST`, where it does not fit the method's message, or is too large
 */
export function encodeRequest(
  method: DescMethod,
  registry: Registry,
  service: Pick<Service, "name" | "maxMessageSize">,
  input: Value,
): WireRequest {
  const desc = method.input;
  const message = encodeMessage(desc, input, registry, "input"); // as the workflow calls it
  const bytes = serialize(desc, message);
  if (bytes.length > service.maxMessageSize) {
    throw new MaestroError(
      "INVALID_REQUEST",
      `Cannot send a ${desc.typeName} of ${bytes.length} bytes: the "max_message_size" of ` +
        `"${service.name}" is ${formatSize(service.maxMessageSize)}`,
    );
  }
  return new WireRequest(desc, message, bytes, registry);
}

function serialize(desc: DescMethod["input"], message: Message): Buffer {
  try {
    const { buffer, byteOffset, byteLength } = toBinary(desc, message);
    return Buffer.from(buffer, byteOffset, byteLength);
  } catch (error) {
    // Such as a field that proto2 requires.
    const reason = error instanceof Error ? error.message : String(error);
    throw new MaestroError("INVALID_REQUEST", `Cannot encode a ${desc.typeName}: ${reason}`, {
      cause: error,
    });
  }
}
