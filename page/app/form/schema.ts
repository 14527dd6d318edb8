/**
 * What a form has to know of a JSON Schema (2020-12). It is no validator: the server is; this only
 * finds the field that suits, and what it can say before anything is sent.
 *
 * @module
 */
import type { JsonValue } from "../api/json.ts";

/** A schema, as far as a form reads it. */
export interface Schema {
  readonly [keyword: string]: JsonValue;
}

/** What a field is made for. */
export type FieldKind =
  | "object"
  | "array"
  | "string"
  | "number"
  | "integer"
  | "boolean"
  | "choice"
  | "fixed"
  | "variant"
  | "json";

/** A schema with its local references followed. */
export function resolve(schema: JsonValue | undefined, root: Schema): Schema {
  let found = asSchema(schema);
  for (let hops = 0; hops < MOST_HOPS; hops++) {
    const reference = found["$ref"];
    if (typeof reference !== "string" || !reference.startsWith("#")) return found;
    const { $ref: _, ...beside } = found;
    found = { ...asSchema(lookUp(root, reference.slice(1))), ...beside };
  }
  return {}; // it goes in a circle
}

const MOST_HOPS = 16;

function lookUp(root: Schema, pointer: string): JsonValue | undefined {
  let found: JsonValue | undefined = root;
  for (const part of pointer.split("/").slice(1)) {
    const key = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
    found = isObject(found) ? found[key] : undefined;
  }
  return found;
}

/** The field that suits a schema whose references have been followed. */
export function kindOf(schema: Schema): FieldKind {
  if ("const" in schema) return "fixed";
  if (optionsOf(schema) !== null) return "choice";
  if (isVariant(schema)) return "variant";
  if (MIXED.some((keyword) => keyword in schema)) return "json";
  const type = typeOf(schema);
  switch (type) {
    case "object":
      return isObject(schema["properties"]) ? "object" : "json";
    case "array":
      return isObject(schema["items"]) ? "array" : "json";
    case "null":
      return "fixed";
    case "string":
    case "number":
    case "integer":
    case "boolean":
      return type;
    default:
      return isObject(schema["properties"]) ? "object" : "json";
  }
}

/** A form can't say what these come to together. */
const MIXED = ["oneOf", "anyOf", "allOf", "if", "not", "patternProperties", "prefixItems"];

/** Nothing but one of several. */
function isVariant(schema: Schema): boolean {
  return variantsOf(schema).length > 0 && !isObject(schema["properties"]) &&
    MIXED.filter((keyword) => keyword in schema).length === 1;
}

/** What a value may be one of; `[]`: that is not how its schema is made. */
export function variantsOf({ oneOf, anyOf }: Schema): readonly JsonValue[] {
  const given = oneOf ?? anyOf;
  return Array.isArray(given) && given.every(isObject) ? given : [];
}

/** The values to choose from; `null`: there is no such list. */
export function optionsOf(schema: Schema): readonly JsonValue[] | null {
  if (Array.isArray(schema["enum"])) return schema["enum"];
  // A box to check says two things, and this may be three.
  return typeOf(schema) === "boolean" && isNullable(schema) ? [true, false] : null;
}

/** Whether a value may be `null`, among others. */
export function isNullable({ type }: Schema): boolean {
  return Array.isArray(type) && type.includes("null");
}

function typeOf({ type }: Schema): JsonValue | undefined {
  if (!Array.isArray(type)) return type;
  const types = type.filter((one) => one !== "null");
  return types.length === 1 ? types[0] : undefined;
}

/** What a field holds at first: its default, else as little as fits; `undefined`: nothing. */
export function initialOf(
  given: JsonValue | undefined,
  root: Schema,
  depth = 0,
): JsonValue | undefined {
  const schema = resolve(given, root);
  if (schema["default"] !== undefined) return schema["default"];
  switch (kindOf(schema)) {
    case "fixed":
      return schema["const"] ?? null;
    case "variant":
      return initialOf(variantsOf(schema)[0], root, depth + 1);
    case "object":
      return depth > MOST_DEPTH ? {} : initialObject(schema, root, depth);
    case "array":
      return initialList(schema, root, depth);
    case "boolean":
      return false;
    case "json":
      return typeOf(schema) === "array" ? [] : typeOf(schema) === "object" ? {} : undefined;
    default:
      return undefined;
  }
}

const MOST_DEPTH = 8;

function initialObject(schema: Schema, root: Schema, depth: number): JsonValue {
  const value: Record<string, JsonValue> = {};
  for (const { name, schema: inner, isRequired } of propertiesOf(schema, root)) {
    // What is fixed has no field of its own; it often says which of several kinds this is.
    const isFixed = kindOf(inner) === "fixed";
    if (!isRequired && !isFixed && inner["default"] === undefined) continue;
    const initial = initialOf(inner, root, depth + 1);
    if (initial !== undefined) value[name] = initial;
    else if (isRequired && isNullable(inner)) value[name] = null;
  }
  return value;
}

function initialList(schema: Schema, root: Schema, depth: number): JsonValue {
  const least = typeof schema["minItems"] === "number" ? schema["minItems"] : 0;
  const item = initialOf(schema["items"], root, depth + 1) ?? null;
  return Array.from({ length: Math.min(least, 10) }, () => item);
}

/** One field of an object. */
export interface Property {
  readonly name: string;
  readonly schema: Schema;
  readonly isRequired: boolean;
}

/** An object's fields, in the order of the schema. */
export function propertiesOf(schema: Schema, root: Schema): readonly Property[] {
  const { properties, required } = schema;
  if (!isObject(properties)) return [];
  const names = new Set(Array.isArray(required) ? required : []);
  return Object.entries(properties).map(([name, inner]) => ({
    name,
    schema: resolve(inner, root),
    isRequired: names.has(name),
  }));
}

/** What the label of a field says. */
export function titleOf(schema: Schema, name: string): string {
  const { title } = schema;
  return typeof title === "string" && title !== "" ? title : name.replaceAll("_", " ");
}

/** A schema's pattern as an input's: that one is anchored, and refused by browsers where it can't be read. */
export function patternOf({ pattern }: Schema): string | undefined {
  if (typeof pattern !== "string") return undefined;
  const anchored = `${pattern.startsWith("^") ? "" : ".*"}(?:${pattern})${
    pattern.endsWith("$") ? "" : ".*"
  }`;
  try {
    new RegExp(anchored, "v");
    return anchored;
  } catch {
    return undefined;
  }
}

/** What a schema says, where it is an object. */
export function asSchema(schema: JsonValue | undefined): Schema {
  return isObject(schema) ? schema : {};
}

/** Whether a value is a JSON object. */
export function isObject(
  value: JsonValue | undefined,
): value is { readonly [key: string]: JsonValue } {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
