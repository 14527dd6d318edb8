import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import type { FieldMask } from "@bufbuild/protobuf/wkt";
import { fieldError } from "./field_error.ts";

/** The fields that are wanted, each with those wanted of it; none: all of them. */
type Wanted = Map<string, Wanted>;

/**
 * Takes from a message what nobody asked for (AIP-157).
 *
 * @param mask absent, or `*`: everything is wanted
 * @throws {MaestroError} `USAGE`
 */
export function applyReadMask<M extends Message>(
  schema: DescMessage,
  message: M,
  mask: FieldMask | undefined,
): M {
  const paths = mask?.paths ?? [];
  if (paths.length === 0 || paths.includes("*")) return message;
  prune(reflect(schema, message), wantedOf(schema, paths));
  return message;
}

function wantedOf(schema: DescMessage, paths: readonly string[]): Wanted {
  const root: Wanted = new Map();
  // Who wants the whole of a field gets it, also where they name a part of it too.
  const whole = paths.filter((path) => !paths.some((other) => path.startsWith(`${other}.`)));
  for (const path of whole) {
    let fields: DescMessage | null = schema;
    let wanted = root;
    for (const name of path.split(".")) {
      const field: DescField | undefined = fields?.fields.find((field) => field.name === name);
      if (field === undefined) {
        throw fieldError("read_mask", `${JSON.stringify(path)} is no field of ${schema.typeName}`);
      }
      let inner = wanted.get(name);
      if (inner === undefined) wanted.set(name, inner = new Map());
      wanted = inner;
      fields = field.fieldKind === "message" ? field.message : null;
    }
  }
  return root;
}

function prune(message: ReflectMessage, wanted: Wanted): void {
  for (const field of message.fields) {
    const inner = wanted.get(field.name);
    if (inner === undefined) message.clear(field);
    else if (inner.size > 0 && field.fieldKind === "message" && message.isSet(field)) {
      prune(message.get(field), inner);
    }
  }
}
