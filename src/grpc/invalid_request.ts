import { MaestroError } from "../errors.ts";
import type { Value } from "../workflow/value.ts";

/** Where a value stands: `input.items[2].price.units`; `""` is the request itself. */
export type FieldPath = string;

/** The path of a field of what stands at a path. */
export function fieldAt(path: FieldPath, name: string): FieldPath {
  return path === "" ? name : `${path}.${name}`;
}

/** The path of a list's item. */
export function itemAt(path: FieldPath, index: number): FieldPath {
  return `${path}[${index}]`;
}

/** The path of a map's entry. */
export function entryAt(path: FieldPath, key: string): FieldPath {
  return `${path}[${JSON.stringify(key)}]`;
}

/** The error for a value that its field can't take. */
export function misfit(path: FieldPath, value: unknown, expected: string): MaestroError {
  return invalid(path, `Cannot use ${spell(value)} as ${expected}`);
}

/** An `INVALID_REQUEST` that begins with the field's path. */
export function invalid(path: FieldPath, message: string): MaestroError {
  return new MaestroError("INVALID_REQUEST", `${path === "" ? "the request" : path}: ${message}`);
}

/** A value, short enough for a message. */
export function spell(value: unknown): string {
  if (typeof value === "string") {
    return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  }
  if (value instanceof Uint8Array) return "bytes";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  return String(value as Exclude<Value, object>);
}
