import { create, type DescMessage, type Message, type Registry, toJson } from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { base64Encode } from "@bufbuild/protobuf/wire";
import type { Json } from "./json.ts";

/**
 * A message as ProtoJSON the way language.md §3 asks: proto field names, defaults included. An
 * `Any` whose type nobody knows keeps its bytes, as `{"@type", "value"}`.
 */
export function protoJson(desc: DescMessage, message: Message, registry: Registry): Json {
  try {
    return toJson(desc, message, {
      registry,
      useProtoFieldName: true,
      alwaysEmitImplicit: true,
    }) as Json;
  } catch (thrown) {
    if (!("fields" in desc) || desc.fields.every((field) => field.message === undefined)) throw thrown;
    return byFields(reflect(desc, message), registry);
  }
}

/** Field by field, since one of them holds what `toJson` can't say. */
function byFields(reflected: ReflectMessage, registry: Registry): Json {
  const { desc, message } = reflected;
  if (desc.typeName === AnySchema.typeName) return rawAny(message as Any);
  const json: Record<string, Json> = {};
  const one = (item: unknown) => messageJson(item as ReflectMessage, registry);
  for (const field of desc.fields) {
    if (field.message === undefined) {
      Object.assign(json, fieldJson(reflected, field, registry));
    } else if (field.fieldKind === "list") {
      json[field.name] = [...reflected.get(field)].map(one);
    } else if (field.fieldKind === "map") {
      const entries = [...reflected.get(field)].map(([key, item]) => [String(key), one(item)]);
      json[field.name] = Object.fromEntries(entries);
    } else if (field.fieldKind === "message" && reflected.isSet(field)) {
      json[field.name] = one(reflected.get(field));
    }
  }
  return json;
}

function messageJson({ desc, message }: ReflectMessage, registry: Registry): Json {
  if (desc.typeName !== AnySchema.typeName) return protoJson(desc, message, registry);
  try {
    return toJson(desc, message, { registry, useProtoFieldName: true, alwaysEmitImplicit: true }) as Json;
  } catch {
    return rawAny(message as Any);
  }
}

function rawAny({ typeUrl, value }: Any): Json {
  return { "@type": typeUrl, value: base64Encode(value) };
}

/** The one field as a message that has no other. */
function fieldJson(
  reflected: ReflectMessage,
  field: DescMessage["fields"][number],
  registry: Registry,
): Readonly<Record<string, Json>> {
  const alone = reflect(reflected.desc, create(reflected.desc));
  if (reflected.isSet(field)) alone.set(field, reflected.get(field));
  const json = protoJson(reflected.desc, alone.message, registry) as Readonly<Record<string, Json>>;
  const value = json[field.name];
  return value === undefined ? {} : { [field.name]: value };
}
