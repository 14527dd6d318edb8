import type { CelUint } from "@bufbuild/cel";
import type { ReflectMessage } from "@bufbuild/protobuf/reflect";
import type { FieldMap } from "./record_map.ts";

/** A value: scalars as CEL has them (ints are bigints), times and durations as protobuf messages, other messages as `MessageValue`. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | CelUint
  | ReflectMessage
  | FieldMap
  | readonly Value[]
  | { readonly [key: string]: Value };
