import type { DescMessage, Message, Registry } from "@bufbuild/protobuf";

/** A protobuf message as a value of expressions. */
export class MessageValue {
  constructor(
    readonly desc: DescMessage,
    readonly message: Message,
    readonly registry: Registry,
  ) {}
}

/** PROVISIONAL */
export function messageValue(desc: DescMessage, message: Message, registry: Registry): MessageValue {
  return new MessageValue(desc, message, registry);
}
