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
import { type FieldPath, invalid, itemAt, misfit } from "./invalid_request.ts";
import { methodName } from "./methods.ts";

/** What the workflow calls the request. */
const INPUT: FieldPath = "input";

/** Messages that are lists in JSON: a list may well be one of them. */
const LISTS: ReadonlySet<string> = new Set([
  "google.protobuf.ListValue",
  "google.protobuf.Value",
]);

/** A request, ready to be written as often as it takes. */
export class WireRequest implements EncodedRequest {
  /** The message; a list of them where the method takes a stream. */
  readonly message: Message | readonly Message[];
  /** What goes over the wire, message by message. */
  readonly parts: readonly Buffer[];
  readonly #desc: DescMethod["input"];
  readonly #registry: Registry;
  #json: Json | undefined;

  constructor(
    desc: DescMethod["input"],
    message: Message | readonly Message[],
    parts: readonly Buffer[],
    registry: Registry,
  ) {
    this.#desc = desc;
    this.message = message;
    this.parts = parts;
    this.#registry = registry;
  }

  /** Made when it is first asked for: many calls never need it. */
  get json(): Json {
    return this.#json ??= isList(this.message)
      ? this.message.map((message) => this.#jsonOf(message))
      : this.#jsonOf(this.message);
  }

  #jsonOf(message: Message): Json {
    return toJson(messageValue(this.#desc, message, this.#registry));
  }
}

/**
 * A method's request from plain data, messages, or a mixture; from a list of them where it takes a
 * stream.
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
  if (method.methodKind === "unary" || method.methodKind === "server_streaming") {
    if (isList(input) && !LISTS.has(desc.typeName)) {
      throw invalid(INPUT, `${methodName(method)} takes one ${desc.typeName}, and not a list`);
    }
    const message = encodeMessage(desc, input, registry, INPUT);
    return new WireRequest(desc, message, [serialize(desc, message, service, "")], registry);
  }
  if (!isList(input)) {
    const wanted = `${methodName(method)} takes a list of ${desc.typeName}, such as [{ … }]`;
    throw misfit(INPUT, input, `a stream: ${wanted}`);
  }
  const messages: Message[] = [];
  const parts: Buffer[] = [];
  for (const [index, item] of input.entries()) {
    const path = itemAt(INPUT, index);
    const message = encodeMessage(desc, item, registry, path);
    messages.push(message);
    parts.push(serialize(desc, message, service, `${path}: `));
  }
  return new WireRequest(desc, messages, parts, registry);
}

/** @param lead says which of several messages it is */
function serialize(
  desc: DescMethod["input"],
  message: Message,
  service: Pick<Service, "name" | "maxMessageSize">,
  lead: string,
): Buffer {
  let bytes: Uint8Array;
  try {
    bytes = toBinary(desc, message);
  } catch (error) {
    // Such as a field that proto2 requires.
    const reason = error instanceof Error ? error.message : String(error);
    throw new MaestroError(
      "INVALID_REQUEST",
      `${lead}Cannot encode a ${desc.typeName}: ${reason}`,
      { cause: error },
    );
  }
  const { buffer, byteOffset, byteLength } = bytes;
  if (byteLength > service.maxMessageSize) {
    throw new MaestroError(
      "INVALID_REQUEST",
      `${lead}Cannot send a ${desc.typeName} of ${byteLength} bytes: the "max_message_size" of ` +
        `"${service.name}" is ${formatSize(service.maxMessageSize)}`,
    );
  }
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** `Array.isArray` forgets what the items are. */
function isList<T>(value: T): value is Extract<T, readonly unknown[]> {
  return Array.isArray(value);
}
