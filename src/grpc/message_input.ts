import { type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { isReflectMessage } from "@bufbuild/protobuf/reflect";
import { isCelUint } from "@bufbuild/cel";
import { MessageValue } from "../workflow/message.ts";
import { toJson, type Value } from "../workflow/value.ts";

/** A value that holds others by name. */
export interface Fields {
  readonly [key: string]: Value;
}

/** A message, with what it is one of. */
export interface TypedMessage {
  readonly desc: DescMessage;
  readonly message: Message;
}

/** The message that a value is; `undefined` for plain data. */
export function messageOf(value: Value): TypedMessage | undefined {
  if (value instanceof MessageValue) return value;
  return isReflectMessage(value) ? value : undefined;
}

/** A message as one of another descriptor's, which has the same type name: another service's copy of it. */
export function asType(desc: DescMessage, { desc: own, message }: TypedMessage): Message {
  return own === desc ? message : fromBinary(desc, toBinary(own, message));
}

/** A map as it is, a message as its ProtoJSON; `undefined` for what has no fields. */
export function fieldsOf(value: Value): Fields | undefined {
  const plain = messageOf(value) === undefined ? value : toJson(value);
  return isFields(plain) ? plain : undefined;
}

function isFields(value: Value): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof Uint8Array) && !isCelUint(value);
}
