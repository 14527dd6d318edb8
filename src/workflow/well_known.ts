import { type CelValue, celFromScalar } from "@bufbuild/cel";
import type { DescMessage, Message, Registry } from "@bufbuild/protobuf";
import { isMessage, toJson } from "@bufbuild/protobuf";
import type { ReflectMessage } from "@bufbuild/protobuf/reflect";
import {
  AnySchema,
  anyUnpack,
  DurationSchema,
  isWrapperDesc,
  ListValueSchema,
  StructSchema,
  TimestampSchema,
  ValueSchema,
} from "@bufbuild/protobuf/wkt";
import { plainToCel } from "./cel_values.ts";

/** Types that CEL has as values of its own. */
const TIMES: ReadonlySet<string> = new Set([TimestampSchema.typeName, DurationSchema.typeName]);

/** Types that stand for plain JSON. */
const PLAIN = [StructSchema, ValueSchema, ListValueSchema] as const;

/**
 * A well-known type as what it stands for: times stay times, wrappers become scalars, `Struct` and
 * `Value` plain values, an `Any` what is in it. `undefined`: the message is none of them.
 *
 * @param bind makes a value of a message that was in an `Any`
 */
export function wellKnownToCel(
  reflected: ReflectMessage,
  registry: Registry,
  bind: (desc: DescMessage, message: Message, typeUrl: string) => CelValue,
): CelValue | undefined {
  const { desc, message } = reflected;
  if (TIMES.has(desc.typeName)) return reflected;
  if (isWrapperDesc(desc)) {
    const [value] = desc.fields;
    return value?.fieldKind === "scalar" ? celFromScalar(value.scalar, reflected.get(value)) : null;
  }
  for (const schema of PLAIN) {
    if (isMessage(message, schema)) return plainToCel(toJson<DescMessage>(schema, message));
  }
  if (!isMessage(message, AnySchema)) return undefined;
  const inner = anyUnpack(message, registry);
  const type = inner && registry.getMessage(inner.$typeName);
  if (inner === undefined || type === undefined) {
    return plainToCel({ "@type": message.typeUrl, value: message.value });
  }
  return bind(type, inner, message.typeUrl);
}
