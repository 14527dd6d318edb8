/**
 * What expressions see and yield, and what flows from step to step.
 *
 * Plain data from JSON and YAML stays what it is; a service's answer stays a message
 * ({@linkcode MessageValue}), so that no digit, type or presence is lost on the way.
 *
 * @module
 */
import type { CelUint } from "@bufbuild/cel";
import type { ReflectMessage } from "@bufbuild/protobuf/reflect";
import type { MessageValue } from "./message.ts";

/** A value: scalars as CEL has them (ints are bigints), times and durations as protobuf messages. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | CelUint
  | ReflectMessage
  | MessageValue
  | readonly Value[]
  | { readonly [key: string]: Value };
