import { type DescEnum, ScalarType } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { isCelUint } from "@bufbuild/cel";
import type { Value } from "../workflow/value.ts";
import { didYouMean } from "../workflow/nearest.ts";
import { type FieldPath, invalid, misfit, spell } from "./invalid_request.ts";

/** What a message of @bufbuild/protobuf holds in a scalar field. */
export type Scalar = string | number | bigint | boolean | Uint8Array;

/** What a newcomer calls each type. */
const NAMES: Readonly<Record<ScalarType, string>> = {
  [ScalarType.DOUBLE]: "a number (double)",
  [ScalarType.FLOAT]: "a number (float)",
  [ScalarType.INT64]: "a whole number (int64)",
  [ScalarType.UINT64]: "a whole number (uint64)",
  [ScalarType.INT32]: "a whole number (int32)",
  [ScalarType.FIXED64]: "a whole number (fixed64)",
  [ScalarType.FIXED32]: "a whole number (fixed32)",
  [ScalarType.BOOL]: "true or false",
  [ScalarType.STRING]: "a string",
  [ScalarType.BYTES]: "bytes (base64)",
  [ScalarType.UINT32]: "a whole number (uint32)",
  [ScalarType.SFIXED32]: "a whole number (sfixed32)",
  [ScalarType.SFIXED64]: "a whole number (sfixed64)",
  [ScalarType.SINT32]: "a whole number (sint32)",
  [ScalarType.SINT64]: "a whole number (sint64)",
};

const INT32 = [-(2n ** 31n), 2n ** 31n - 1n] as const;
const UINT32 = [0n, 2n ** 32n - 1n] as const;
const INT64 = [-(2n ** 63n), 2n ** 63n - 1n] as const;
const UINT64 = [0n, 2n ** 64n - 1n] as const;

/** The least and the most of each type of whole numbers. */
const RANGES: { readonly [type in ScalarType]?: readonly [min: bigint, max: bigint] } = {
  [ScalarType.INT32]: INT32,
  [ScalarType.SINT32]: INT32,
  [ScalarType.SFIXED32]: INT32,
  [ScalarType.UINT32]: UINT32,
  [ScalarType.FIXED32]: UINT32,
  [ScalarType.INT64]: INT64,
  [ScalarType.SINT64]: INT64,
  [ScalarType.SFIXED64]: INT64,
  [ScalarType.UINT64]: UINT64,
  [ScalarType.FIXED64]: UINT64,
};

/** The largest finite float. */
const FLOAT_MAX = 3.4028234663852886e38;

/**
 * A value as a scalar field holds it, by ProtoJSON's rules: numbers may be strings, whole ones may
 * be written `1e3` or `5.0`, bytes are base64; and by CEL's types: ints are bigints.
 *
 * @throws {MaestroError} `INVALID_REQUEST`, where it is of another type, or out of range
 */
export function encodeScalar(type: ScalarType, value: Value, path: FieldPath): Scalar {
  const plain = isCelUint(value) ? value.value : value;
  const encoded = tryScalar(type, plain);
  if (encoded !== undefined) return encoded;
  const [min, max] = RANGES[type] ?? [];
  if (min === undefined || max === undefined || !isWhole(plain)) {
    throw misfit(path, plain, NAMES[type]);
  }
  const name = ScalarType[type].toLowerCase();
  const article = /^[is]/.test(name) ? "an" : "a";
  throw invalid(path, `${spell(plain)} does not fit ${article} ${name} (${min} to ${max})`);
}

/** An enum's value by its name or number; `null` fits `google.protobuf.NullValue` alone. */
export function encodeEnum(type: DescEnum, value: Value, path: FieldPath): number {
  const names = type.values.map(({ name }) => name);
  if (value === null && type.typeName === "google.protobuf.NullValue") return 0;
  if (typeof value === "string") {
    const found = type.values.find(({ name }) => name === value);
    if (found !== undefined) return found.number;
    const guess = didYouMean(value, names);
    const known = guess || `; it has ${names.slice(0, 20).join(", ")}`;
    throw invalid(path, `The enum ${type.typeName} has no value "${value}"${known}`);
  }
  const number = isCelUint(value) ? value.value : value;
  const whole = typeof number === "number" || typeof number === "bigint"
    ? wholeNumber(number)
    : undefined;
  if (whole === undefined || whole < -(2n ** 31n) || whole >= 2n ** 31n) {
    throw misfit(path, value, `a value of the enum ${type.typeName}`);
  }
  if (!type.open && type.value[Number(whole)] === undefined) {
    throw invalid(path, `The enum ${type.typeName} has no value ${whole}`);
  }
  return Number(whole);
}

function tryScalar(type: ScalarType, value: Value): Scalar | undefined {
  switch (type) {
    case ScalarType.STRING:
      return typeof value === "string" ? value : undefined;
    case ScalarType.BOOL:
      return typeof value === "boolean" ? value : undefined;
    case ScalarType.BYTES:
      return bytes(value);
    case ScalarType.DOUBLE:
      return float(value);
    case ScalarType.FLOAT: {
      const number = float(value);
      const fits = number === undefined || !Number.isFinite(number) ||
        Math.abs(number) <= FLOAT_MAX;
      return fits ? number : undefined;
    }
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return small(value, ...INT32);
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return small(value, ...UINT32);
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return large(value, ...INT64);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return large(value, ...UINT64);
  }
}

function bytes(value: Value): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (typeof value !== "string") return undefined;
  try {
    return base64Decode(value);
  } catch {
    return undefined;
  }
}

function float(value: Value): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value === "NaN" || value === "Infinity" || value === "-Infinity") return Number(value);
  return typeof value === "string" && NUMBER.test(value) ? Number(value) : undefined;
}

function small(value: Value, min: bigint, max: bigint): number | undefined {
  if (typeof value === "number" && Number.isInteger(value)) {
    // Adding 0 turns -0 into 0.
    return value >= min && value <= max ? value + 0 : undefined;
  }
  const whole = large(value, min, max);
  return whole === undefined ? undefined : Number(whole);
}

function large(value: Value, min: bigint, max: bigint): bigint | undefined {
  if (typeof value !== "number" && typeof value !== "bigint" && typeof value !== "string") {
    return undefined;
  }
  const whole = wholeNumber(value);
  return whole !== undefined && whole >= min && whole <= max ? whole : undefined;
}

/** Whether it is a whole number of any size. */
function isWhole(value: Value): value is number | bigint | string {
  if (typeof value === "string") {
    return /^-?(?:0|[1-9]\d*)$/.test(value) || isWhole(float(value) ?? null);
  }
  return typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
}

/** JSON's grammar of a number. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function wholeNumber(value: number | bigint | string): bigint | undefined {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : undefined;
  if (/^-?\d{1,20}$/.test(value)) return BigInt(value);
  if (!NUMBER.test(value)) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? BigInt(number) : undefined;
}
