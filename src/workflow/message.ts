import { type CelValue, celFromScalar, celList, celMap } from "@bufbuild/cel";
import type { DescEnum, DescField, DescMessage, Message, Registry } from "@bufbuild/protobuf";
import { reflect, type ReflectList, type ReflectMap, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import { FieldMap } from "./record_map.ts";
import { wellKnownToCel } from "./well_known.ts";

/** `google.protobuf.FeatureSet.FieldPresence.IMPLICIT`: a field that always exists. */
const IMPLICIT_PRESENCE = 2;

/**
 * A protobuf message as a value of expressions. It reads like a map by the proto field names: a
 * field without presence always exists, with its default; one with presence that is not set is
 * missing. Enums are names, 64-bit integers are exact.
 */
export class MessageValue extends FieldMap {
  readonly #reflected: ReflectMessage;
  readonly #byName: ReadonlyMap<string, DescField>;

  /**
   * @param registry finds the types of `Any`
   * @param typeUrl set where the message was in an `Any`
   */
  constructor(
    readonly desc: DescMessage,
    readonly message: Message,
    readonly registry: Registry,
    readonly typeUrl: string | null = null,
  ) {
    super();
    this.#reflected = reflect(desc, message);
    this.#byName = fieldsByName(desc);
  }

  override names(): readonly string[] {
    const names = [...this.#byName.values()].filter((field) => this.#exists(field))
      .map((field) => field.name);
    return this.typeUrl === null ? names : ["@type", ...names];
  }

  override field(name: string): CelValue | undefined {
    if (name === "@type" && this.typeUrl !== null) return this.typeUrl;
    const field = this.#byName.get(name);
    return field !== undefined && this.#exists(field) ? this.#read(field) : undefined;
  }

  /** Every field there could be, set or not. */
  get fieldNames(): readonly string[] {
    return [...this.#byName.keys()];
  }

  #exists(field: DescField): boolean {
    return field.fieldKind === "list" || field.fieldKind === "map" ||
      (field.presence as number) === IMPLICIT_PRESENCE || this.#reflected.isSet(field);
  }

  #read(field: DescField): CelValue {
    switch (field.fieldKind) {
      case "scalar":
        return celFromScalar(field.scalar, this.#reflected.get(field));
      case "enum":
        return enumName(field.enum, this.#reflected.get(field));
      case "message":
        return messageToCel(this.#reflected.get(field), this.registry);
      case "list":
        return this.#readList(field, this.#reflected.get(field));
      case "map":
        return this.#readMap(field, this.#reflected.get(field));
    }
  }

  #readList(field: DescField & { fieldKind: "list" }, list: ReflectList): CelValue {
    return celList([...list].map((item) => this.#readItem(field, item)));
  }

  #readMap(field: DescField & { fieldKind: "map" }, map: ReflectMap): CelValue {
    return celMap(
      new Map([...map].map(([key, value]) => [
        celFromScalar(field.mapKey, key as never) as string, // a map's key is a scalar of CEL
        this.#readItem(field, value),
      ])),
    );
  }

  #readItem(field: DescField & { fieldKind: "list" | "map" }, item: unknown): CelValue {
    // Reflection types an item only together with its field's kind.
    if (field.enum !== undefined) return enumName(field.enum, item as number);
    if (field.message !== undefined) return messageToCel(item as ReflectMessage, this.registry);
    return celFromScalar(field.scalar as NonNullable<typeof field.scalar>, item as never);
  }
}

/** A message as a value of expressions. */
export function messageValue(desc: DescMessage, message: Message, registry: Registry): MessageValue {
  return new MessageValue(desc, message, registry);
}

/** A message as CEL has it: the well-known types as what they stand for, others as {@linkcode MessageValue}. */
function messageToCel(reflected: ReflectMessage, registry: Registry): CelValue {
  const wellKnown = wellKnownToCel(reflected, registry, (desc, message, typeUrl) =>
    new MessageValue(desc, message, registry, typeUrl).asCelMap);
  return wellKnown ?? new MessageValue(reflected.desc, reflected.message, registry).asCelMap;
}

/** An enum's value by name; one that the schema doesn't know by its number. */
function enumName(type: DescEnum, number: number): string {
  return type.value[number]?.name ?? String(number);
}

const byName = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>();

function fieldsByName(desc: DescMessage): ReadonlyMap<string, DescField> {
  let fields = byName.get(desc);
  if (fields === undefined) {
    byName.set(desc, fields = new Map(desc.fields.map((field) => [field.name, field])));
  }
  return fields;
}
