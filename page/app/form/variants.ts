import type { JsonValue } from "../api/json.ts";
import { asSchema, isObject, kindOf, resolve, type Schema, titleOf } from "./schema.ts";

/**
 * Whether a value is one of a kind, as far as that can be told at a glance: by its type, what can't be
 * left out, and what is fixed.
 */
export function looksLike(value: JsonValue | undefined, given: JsonValue, root: Schema): boolean {
  const schema = resolve(given, root);
  if (value === undefined) return false;
  if ("const" in schema) return JSON.stringify(schema["const"]) === JSON.stringify(value);
  if (Array.isArray(schema["enum"])) return schema["enum"].some((option) => option === value);
  const { type, required, properties } = schema;
  const types = Array.isArray(type) ? type : type === undefined ? [] : [type];
  if (types.length > 0 && !types.some((one) => isOfType(value, one))) return false;
  if (!isObject(value)) return true;
  const needed = Array.isArray(required) ? required : [];
  if (!needed.every((name) => Object.hasOwn(value, String(name)))) return false;
  return Object.entries(asSchema(properties)).every(([name, inner]) =>
    !("const" in asSchema(inner)) || value[name] === undefined ||
    looksLike(value[name], inner, root)
  );
}

function isOfType(value: JsonValue, type: JsonValue): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    case "integer":
      return Number.isInteger(value);
    default:
      return type === TYPES[typeof value];
  }
}

/** What JSON Schema calls them. */
const TYPES: Readonly<Record<string, string>> = {
  string: "string",
  number: "number",
  boolean: "boolean",
};

/** What one of several is called. */
export function variantName(given: JsonValue, root: Schema, at: number): string {
  const schema = resolve(given, root);
  const name = titleOf(schema, "");
  if (name !== "") return name;
  if (schema["type"] === "null") return "nothing";
  const kind = kindOf(schema);
  if (kind === "fixed") return JSON.stringify(schema["const"]);
  const mark = Object.values(asSchema(schema["properties"]))
    .map((inner) => asSchema(inner)["const"]).find((fixed) => typeof fixed === "string");
  if (typeof mark === "string") return mark;
  return kind === "json" ? `Kind ${at + 1}` : NAMES[kind] ?? kind;
}

const NAMES: Readonly<Record<string, string>> = {
  string: "text",
  integer: "whole number",
  boolean: "yes or no",
  array: "list",
};
