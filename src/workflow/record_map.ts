import type { CelMap, CelUint, CelValue } from "@bufbuild/cel";

/** A key as CEL asks for it. */
export type CelKey = bigint | string | boolean | CelUint | number;

/** The brand by which the CEL library knows a map; it gives no other way to make one of one's own. */
const CEL_MAP = Symbol.for("@bufbuild/cel/map");

/**
 * A map of CEL over entries that are made when they are asked for. Unlike the library's own it
 * tells a null value from a missing one.
 */
export abstract class FieldMap {
  readonly [CEL_MAP] = {};

  /** The keys, in order. */
  abstract names(): readonly string[];
  /** The value of a key; `undefined`: there is none. */
  abstract field(name: string): CelValue | undefined;

  get size(): number {
    return this.names().length;
  }

  get(key: CelKey): CelValue | undefined {
    return typeof key === "string" ? this.field(key) : undefined;
  }

  has(key: CelKey): boolean {
    return this.get(key) !== undefined;
  }

  forEach(callback: (value: CelValue, key: string, map: ReadonlyMap<string, CelValue>) => void): void {
    for (const [key, value] of this.entries()) callback(value, key, this as never);
  }

  *entries(): MapIterator<[string, CelValue]> {
    for (const name of this.names()) {
      const value = this.field(name);
      if (value !== undefined) yield [name, value];
    }
  }

  *keys(): MapIterator<string> {
    yield* this.names();
  }

  *values(): MapIterator<CelValue> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): MapIterator<[string, CelValue]> {
    return this.entries();
  }

  /** As the CEL library takes it. */
  get asCelMap(): CelMap {
    return this as unknown as CelMap; // the brand is the only part its type keeps to itself
  }
}

/** A plain record as a map of CEL. */
export class RecordMap extends FieldMap {
  readonly #convert: (value: unknown) => CelValue;

  /** @param source is never changed, so it comes back as it is where an expression yields the whole */
  constructor(readonly source: Readonly<Record<string, unknown>>, convert: (value: unknown) => CelValue) {
    super();
    this.#convert = convert;
  }

  override names(): readonly string[] {
    return Object.keys(this.source);
  }

  override field(name: string): CelValue | undefined {
    return Object.hasOwn(this.source, name) ? this.#convert(this.source[name]) : undefined;
  }
}
