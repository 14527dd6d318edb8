/**
 * Messages as ProtoJSON, even where the types inside an `Any` are not known.
 *
 * @module
 */
import {
  clone,
  create,
  createFileRegistry,
  type DescMessage,
  type Message,
  type Registry,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { reflect } from "@bufbuild/protobuf/reflect";
import {
  type Any,
  anyUnpack,
  BytesValueSchema,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import type { Json } from "./json.ts";
import { eachMessage } from "./message_walk.ts";

/**
 * A message as results and logs show it: ProtoJSON with proto field names, defaults included.
 *
 * An `Any` of a type that the registry doesn't know becomes `{"@type": …, "value": base64}`. So does
 * a whole message that JSON has no form for, such as one with a `Timestamp` after the year 9999:
 * showing a value never fails.
 */
export function messageToJson(desc: DescMessage, message: Message, registry: Registry): Json {
  const options = { registry, useProtoFieldName: true, alwaysEmitImplicit: true };
  try {
    return toJson(desc, message, options) as Json;
  } catch {
    try {
      const copy = clone(desc, message);
      concealUnknown(desc, copy, registry);
      const bytesForUnknown = { ...options, registry: new BytesForUnknown(registry) };
      return toJson(desc, copy, bytesForUnknown) as Json;
    } catch {
      return {
        "@type": `type.googleapis.com/${desc.typeName}`,
        value: base64Encode(toBinary(desc, message)),
      };
    }
  }
}

/** Makes the bytes of an unknown type the bytes of a {@linkcode bytesType}. */
function concealUnknown(desc: DescMessage, message: Message, registry: Registry): void {
  eachMessage(reflect(desc, message, false), (found) => {
    if (found.desc.typeName !== "google.protobuf.Any") return;
    const any = found.message as Any; // told by its type's name
    const inner = unpack(any, registry);
    const innerDesc = inner && registry.getMessage(inner.$typeName);
    if (inner !== undefined && innerDesc !== undefined) {
      concealUnknown(innerDesc, inner, registry);
      any.value = toBinary(innerDesc, inner);
    } else if (any.typeUrl !== "") {
      any.value = toBinary(BytesValueSchema, create(BytesValueSchema, { value: any.value }));
    }
  });
}

/** A message type of that name which has, like a `BytesValue`, only the field `value`. */
function bytesType(typeName: string): DescMessage {
  const dot = typeName.lastIndexOf(".");
  const file = create(FileDescriptorProtoSchema, {
    name: `${typeName}.proto`,
    package: typeName.slice(0, Math.max(dot, 0)),
    syntax: "proto3",
    messageType: [{ ...BytesValueSchema.proto, name: typeName.slice(dot + 1) }],
  });
  return createFileRegistry(file, () => undefined).getMessage(typeName) ?? BytesValueSchema;
}

/** What an `Any` holds; `undefined` where its type is unknown or its bytes are broken. */
export function unpack(any: Any, registry: Registry): Message | undefined {
  try {
    return anyUnpack(any, registry);
  } catch {
    return undefined;
  }
}

/** Has every message type: those that the other registry doesn't know are bytes. */
class BytesForUnknown implements Registry {
  readonly kind = "registry";
  readonly #known: Registry;

  constructor(known: Registry) {
    this.#known = known;
  }

  getMessage(typeName: string): DescMessage {
    return this.#known.getMessage(typeName) ?? bytesType(typeName);
  }

  get(typeName: string): ReturnType<Registry["get"]> {
    return this.#known.get(typeName);
  }

  getEnum(typeName: string): ReturnType<Registry["getEnum"]> {
    return this.#known.getEnum(typeName);
  }

  getExtension(typeName: string): ReturnType<Registry["getExtension"]> {
    return this.#known.getExtension(typeName);
  }

  getExtensionFor(extendee: DescMessage, no: number): ReturnType<Registry["getExtensionFor"]> {
    return this.#known.getExtensionFor(extendee, no);
  }

  getService(typeName: string): ReturnType<Registry["getService"]> {
    return this.#known.getService(typeName);
  }

  [Symbol.iterator](): ReturnType<Registry[typeof Symbol.iterator]> {
    return this.#known[Symbol.iterator]();
  }
}
