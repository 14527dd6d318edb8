/**
 * Checks the JSON Schema (2020-12) that a workflow gives for its input, with the place of every
 * mistake. By hand and not by ajv: it is quick enough for every load, and it knows places.
 *
 * @module
 */
import type { Problem } from "../errors.ts";
import type { Json } from "./json.ts";
import { DRAFT, FORMATS, KEYWORDS, type Kind, TYPES } from "./json_schema_words.ts";
import { didYouMean } from "./nearest.ts";
import { problemAt, warningAt } from "./problems.ts";
import { isOwnKey, isRecord } from "./schema_parts.ts";
import type { Path, Places } from "./source.ts";

/** Every problem of the workflow's `input` schema. */
export function checkInputSchema(schema: Json | null, places: Places): readonly Problem[] {
  if (schema === null) return [];
  const check = new SchemaCheck(schema, places);
  check.schema(schema, ["input"]);
  return check.problems;
}

class SchemaCheck {
  readonly problems: Problem[] = [];
  readonly #seen = new Set<object>();

  constructor(readonly root: Json, readonly places: Places) {}

  schema(schema: unknown, at: Path): void {
    if (typeof schema === "boolean") return;
    if (!isRecord(schema)) return this.#wrong(at, "a schema: a map, true or false");
    if (this.#seen.has(schema)) return; // an alias
    this.#seen.add(schema);
    for (const [key, value] of Object.entries(schema)) {
      if (isOwnKey(key)) continue;
      const kind = Object.hasOwn(KEYWORDS, key) ? KEYWORDS[key] : undefined;
      if (kind === undefined) {
        const message = `Unknown key "${key}" in a JSON Schema${
          didYouMean(key, Object.keys(KEYWORDS))
        }`;
        this.#tell([...at, key], "unknown_key", message);
      } else this.#keyword(kind, key, value, [...at, key]);
    }
  }

  #keyword(kind: Kind, key: string, value: unknown, at: Path): void {
    switch (kind) {
      case "schema":
        if (key === "items" && Array.isArray(value)) {
          return this.#wrong(at, "one schema for all items (a list of schemas is prefixItems)");
        }
        return this.schema(value, at);
      case "schemas":
        if (!Array.isArray(value) || value.length === 0) {
          return this.#wrong(at, "a list of schemas");
        }
        return value.forEach((item, index) => this.schema(item, [...at, index]));
      case "named":
        if (!isRecord(value)) return this.#wrong(at, "a map of schemas");
        return Object.entries(value).forEach(([name, item]) => {
          if (key === "patternProperties") this.#pattern(name, [...at, name]);
          this.schema(item, [...at, name]);
        });
      case "text":
        return typeof value === "string" ? this.#text(key, value, at) : this.#wrong(at, "text");
      case "texts":
        return this.#texts(value, at);
      case "textsByName":
        if (!isRecord(value)) return this.#wrong(at, "a map of lists of names");
        return Object.entries(value).forEach(([name, item]) => this.#texts(item, [...at, name]));
      case "type":
        return [value].flat().forEach((type) => this.#type(type, at));
      default:
        if (!FITS[kind](value)) this.#wrong(at, WANT[kind]);
    }
  }

  #text(key: string, value: string, at: Path): void {
    if (key === "pattern") this.#pattern(value, at);
    else if (key === "$ref" || key === "$dynamicRef") this.#reference(value, at);
    else if (key === "$schema" && value.replace(/#$/, "") !== DRAFT) this.#wrong(at, `"${DRAFT}"`);
    else if (key === "format" && !FORMATS.has(value)) {
      const message = `Unknown format "${value}", so it is not checked${
        didYouMean(value, FORMATS)
      }`;
      this.problems.push(warningAt(this.places.value(at), "unknown_format", message));
    }
  }

  #texts(value: unknown, at: Path): void {
    if (Array.isArray(value) && value.every((item) => typeof item === "string")) return;
    const hint = typeof value === "boolean" ? " (it stands beside properties, not in one)" : "";
    this.#wrong(at, `a list of names${hint}`);
  }

  #type(type: unknown, at: Path): void {
    if (typeof type === "string" && TYPES.includes(type)) return;
    const meant = ALIASES[String(type)];
    const hint = meant === undefined
      ? didYouMean(String(type), TYPES)
      : `; did you mean "${meant}"?`;
    this.#wrong(at, `one of ${TYPES.join(", ")}`, hint);
  }

  #pattern(pattern: string, at: Path): void {
    try {
      new RegExp(pattern, "u");
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message.replace(/^.*: /, "") : String(thrown);
      this.#tell(at, "bad_pattern", `Not a regular expression: ${why}`);
    }
  }

  #reference(ref: string, at: Path): void {
    if (ref === DRAFT) return;
    if (!ref.startsWith("#")) {
      return this.#tell(
        at,
        "bad_reference",
        `Cannot follow "${ref}": a $ref stays in the schema (#/$defs/…)`,
      );
    }
    let target: Json | undefined;
    try {
      target = resolve(this.root, decodeURIComponent(ref.slice(1)));
    } catch { /* not percent-encoded as it should be: found nowhere */ }
    if (target !== undefined) return;
    const defs = isRecord(this.root) && isRecord(this.root["$defs"])
      ? Object.keys(this.root["$defs"])
      : [];
    const hint = didYouMean(ref, defs.map((name) => `#/$defs/${name}`));
    this.#tell(at, "bad_reference", `Nothing stands at "${ref}" in the schema${hint}`);
  }

  #wrong(at: Path, want: string, hint = ""): void {
    const key = String(at.findLast((part) => typeof part === "string"));
    this.problems.push(
      problemAt(this.places.value(at), "wrong_value", `"${key}" must be ${want}${hint}`),
    );
  }

  #tell(at: Path, code: string, message: string): void {
    this.problems.push(problemAt(this.places.key(at), code, message));
  }
}

type Plain = "number" | "count" | "flag" | "list" | "any";

const FITS: Readonly<Record<Plain, (value: unknown) => boolean>> = {
  number: (value) => typeof value === "number",
  count: (value) => typeof value === "number" && Number.isInteger(value) && value >= 0,
  flag: (value) => typeof value === "boolean",
  list: Array.isArray,
  any: () => true,
};

const WANT: Readonly<Record<Plain, string>> = {
  number: "a number",
  count: "a whole number from 0 on",
  flag: "true or false",
  list: "a list",
  any: "any value",
};

const ALIASES: Readonly<Record<string, string>> = {
  int: "integer",
  float: "number",
  double: "number",
  str: "string",
  text: "string",
  bool: "boolean",
  map: "object",
  dict: "object",
  list: "array",
};

/** What a fragment points at: a JSON pointer, or an anchor. */
function resolve(root: Json, fragment: string): Json | undefined {
  if (fragment !== "" && !fragment.startsWith("/")) return findAnchor(root, fragment);
  let value: Json | undefined = root;
  for (const part of fragment.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(value)) value = value[Number(key)];
    else value = isRecord(value) && Object.hasOwn(value, key) ? value[key] as Json : undefined; // JSON within JSON
  }
  return value;
}

function findAnchor(value: Json, name: string): Json | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (isRecord(value) && [value["$anchor"], value["$dynamicAnchor"]].includes(name)) return value;
  for (const item of Object.values(value)) {
    const found = findAnchor(item, name);
    if (found !== undefined) return found;
  }
  return undefined;
}
