/** The vocabulary of JSON Schema 2020-12. @module */

/** What a keyword takes. */
export type Kind =
  | "schema"
  | "schemas"
  | "named"
  | "text"
  | "texts"
  | "textsByName"
  | "type"
  | "number"
  | "count"
  | "flag"
  | "list"
  | "any";

const BY_KIND: Readonly<Record<Kind, string>> = {
  schema: "not if then else items contains additionalProperties propertyNames unevaluatedItems " +
    "unevaluatedProperties contentSchema",
  schemas: "allOf anyOf oneOf prefixItems",
  named: "properties patternProperties $defs definitions dependentSchemas",
  text: "$id $schema $ref $anchor $dynamicRef $dynamicAnchor $comment title description pattern " +
    "format contentEncoding contentMediaType",
  texts: "required",
  textsByName: "dependentRequired",
  type: "type",
  number: "maximum minimum exclusiveMaximum exclusiveMinimum multipleOf",
  count:
    "maxLength minLength maxItems minItems maxContains minContains maxProperties minProperties",
  flag: "uniqueItems deprecated readOnly writeOnly",
  list: "enum examples",
  any: "const default $vocabulary",
};

/** What each keyword takes. */
export const KEYWORDS: Readonly<Record<string, Kind>> = Object.fromEntries(
  Object.entries(BY_KIND).flatMap(([kind, words]) =>
    words.split(" ").map((word) => [word, kind as Kind]) // the keys of a record of kinds
  ),
);

/** The types there are. */
export const TYPES: readonly string[] = [
  "object",
  "array",
  "string",
  "integer",
  "number",
  "boolean",
  "null",
];

/** The one draft that is understood. */
export const DRAFT = "https://json-schema.org/draft/2020-12/schema";

/** The formats that are checked: ajv-formats' own. */
export const FORMATS: ReadonlySet<string> = new Set(
  ("date time date-time iso-time iso-date-time duration uri uri-reference uri-template url email " +
    "hostname ipv4 ipv6 regex uuid json-pointer json-pointer-uri-fragment relative-json-pointer " +
    "byte int32 int64 float double password binary").split(" "),
);
