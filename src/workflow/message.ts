/** @internal Types of npm packages are not documented here. */
import type { DescMessage, Message, Registry } from "@bufbuild/protobuf";
import { keepMessage, type KeptMessage } from "./message_kept.ts";

/**
 * A protobuf message as a value of expressions: made by {@linkcode messageValue} from a service's
 * answer, and never changed afterwards. Which fields it has in expressions, and as what, is told by
 * `message_fields.ts`.
 */
export class MessageValue {
  /** Made when it is first asked for: a result is written to the journal more than once. */
  #kept: KeptMessage | undefined;

  /** Made by {@linkcode messageValue}. */
  constructor(
    /** The message's type. */
    readonly desc: DescMessage,
    /** The message itself. */
    readonly message: Message,
    /** Finds the types that an `Any` names. */
    readonly registry: Registry,
  ) {}

  /** The message as a journal keeps it. */
  get kept(): KeptMessage {
    return this.#kept ??= keepMessage(this.desc, this.message, this.registry);
  }
}

/** A message as a value; `registry` finds the types that an `Any` inside it names. */
export function messageValue(
  desc: DescMessage,
  message: Message,
  registry: Registry,
): MessageValue {
  return new MessageValue(desc, message, registry);
}
