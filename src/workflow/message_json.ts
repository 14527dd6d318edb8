/**
 * Messages as ProtoJSON, even where the types inside an `Any` are not known.
 *
 * @module
 */
import {
  clone,
  create,
  type DescMessage,
  type Message,
  type Registry,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { reflect } from "@bufbuild/protobuf/reflect";
import { type Any, anyUnpack, BytesValueSchema } from "@bufbuild/protobuf/wkt";
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

/** Puts the bytes of an unknown type into a `BytesValue`, which has a JSON form. */
function concealUnknown(desc: DescMessage, message: Message, registry: Registry): void {
  eachMessage(reflect(desc, message, false), (found) => {
    if (found.desc.typeName !== "google.protobuf.Any") return;
    const any = found.message as Any; // told by its type's name
    const inner = unpack(any, registry);
    if (inner !== undefined) {
      const innerDesc = registry.getMessage(inner.$typeName);
      if (innerDesc === undefined) return;
      concealUnknown(innerDesc, inner, registry);
      any.value = toBinary(innerDesc, inner);
    } else if (any.typeUrl !== "") {
      any.value = toBinary(BytesValueSchema, create(BytesValueSchema, { value: any.value }));
    }
  });
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
    return this.#known.getMessage(typeName) ?? BytesValueSchema;
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
