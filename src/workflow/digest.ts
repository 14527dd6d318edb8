import { createHash } from "node:crypto";
import type { Json } from "./json.ts";
import type { Workflow } from "./model.ts";

/**
 * Names a definition by what it says: SHA-256, in hex, of its canonical JSON (keys sorted, no
 * spaces). Where things stand in files is left out, so a comment does not make another definition.
 */
export function definitionDigest(workflow: Workflow): string {
  const definition = JSON.parse(JSON.stringify(workflow)) as Json; // the model is JSON-safe
  return createHash("sha256").update(canonicalJson(withoutPlaces(definition))).digest("hex");
}

/** JSON with its keys sorted by UTF-16 unit and no spaces (RFC 8785). */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const parts = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1)
    .map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`);
  return `{${parts.join(",")}}`;
}

/** Places are told by what they hold: users' data with the same three keys stays, if it is not all there is. */
function withoutPlaces(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutPlaces);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => !((key === "place" || key === "methodPlace") && isPlace(item)))
      .map(([key, item]) => [key, withoutPlaces(item)]),
  );
}

function isPlace(value: Json): boolean {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  return Object.keys(value).sort().join() === "column,file,line";
}
