/**
 * Reads protobuf's wire format field by field, knowing no schema: what a service really received.
 *
 * @module
 */

/** How a field is read: as a number, as bytes, or as a message of such fields by their numbers. */
export type Shape =
  | "int"
  | "uint"
  | "zigzag"
  | "fixed"
  | "double"
  | "text"
  | "hex"
  | "packed"
  | { readonly [field: number]: Shape };

/** Every value of every field by its number, in the order of the wire. */
export interface WireFields {
  readonly [field: number]: readonly unknown[];
}

/** Reads a message. @throws where a field is not in the shape */
export function readWire(
  bytes: Uint8Array,
  shape: { readonly [field: number]: Shape },
): WireFields {
  const reader = new Reader(bytes);
  const fields: Record<number, unknown[]> = {};
  while (!reader.ended) {
    const tag = Number(reader.varint());
    const field = tag >>> 3;
    const form = shape[field];
    if (form === undefined) throw new Error(`There is a field ${field}`);
    (fields[field] ??= []).push(valueOf(reader.value(tag & 7), form));
  }
  return fields;
}

function valueOf(raw: bigint | Uint8Array, form: Shape): unknown {
  if (typeof raw === "bigint") {
    if (form === "uint") return raw;
    if (form === "zigzag") return (raw >> 1n) ^ -(raw & 1n);
    if (form === "int" || form === "fixed") return BigInt.asIntN(64, raw);
    if (form === "double") {
      return new Float64Array(new BigUint64Array([raw]).buffer)[0];
    }
  } else if (form === "text") {
    return new TextDecoder("utf-8", { fatal: true }).decode(raw);
  } else if (form === "hex") {
    return raw.toHex();
  } else if (form === "packed") {
    const reader = new Reader(raw);
    const values: bigint[] = [];
    while (!reader.ended) values.push(BigInt.asIntN(64, reader.varint()));
    return values;
  } else if (typeof form === "object") {
    return readWire(raw, form);
  }
  throw new Error(`Not of the shape ${form}: ${raw}`);
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): bigint {
    for (let value = 0n, shift = 0n;; shift += 7n) {
      const byte = BigInt(this.#take(1)[0]!);
      value |= (byte & 0x7fn) << shift;
      if (byte < 0x80n) return value;
    }
  }

  /** A value of wire type 0, 1 or 2. */
  value(type: number): bigint | Uint8Array {
    if (type === 0) return this.varint();
    if (type === 1) {
      const { buffer, byteOffset } = this.#take(8);
      return new DataView(buffer, byteOffset).getBigUint64(0, true);
    }
    if (type === 2) return this.#take(Number(this.varint()));
    throw new Error(`Wire type ${type}`);
  }

  #take(length: number): Uint8Array {
    const taken = this.#bytes.subarray(this.#at, this.#at += length);
    if (taken.length < length) throw new Error("The message is cut off");
    return taken;
  }
}
