import { z } from "zod";
import type { Json } from "./json.ts";
import { NAME_DEFINITION } from "./schema_values.ts";

type Node = Record<string, unknown>;

const OWN_KEYS = { "^x-": {} };

/**
 * The JSON Schema that editors complete and check by. Every map takes `x-` keys, what can be
 * written in several ways is a `oneOf`, and steps refer to one definition for each form.
 *
 * It takes whatever the parser takes, and refuses wrong types, unknown and missing keys and wrong
 * words as the parser does. What it can't say, or not so that its message helps, is left to the
 * parser: whether a duration, a size or a day is in range, how an address is written, that `tls` has
 * a key with its certificate, whose metadata's names are, which branch of a `switch` goes without
 * `when`, what a schedule says of time; and all that goes beyond one value: names, expressions, services, other files.
 */
export function editorSchema(root: z.ZodType, forms: Readonly<Record<string, z.ZodType>>): Json {
  const names = Object.keys(forms);
  const defs: Node = {
    name: NAME_DEFINITION,
    step: { oneOf: names.map((name) => ({ $ref: `#/$defs/${name}_step` })) },
  };
  for (const name of names) {
    const form = forms[name];
    if (form !== undefined) defs[`${name}_step`] = toNode(form);
  }
  const schema = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Maestro workflow",
    ...toNode(root),
    $defs: defs,
  };
  return JSON.parse(JSON.stringify(schema)) as Json; // as plain as its text
}

function toNode(schema: z.ZodType): Node {
  const { $schema: _, ...node } = z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    override: ({ jsonSchema }) => complete(jsonSchema),
  }) as Node;
  return node;
}

function complete(node: Node): void {
  if (node["additionalProperties"] === false) node["patternProperties"] = OWN_KEYS;
  if (node["takesOwn"] === true) { // a map by name, put there by `schema.ts`
    delete node["takesOwn"];
    node["patternProperties"] = OWN_KEYS;
    node["propertyNames"] = { anyOf: [node["propertyNames"], { pattern: "^x-" }] };
  }
  if (!Array.isArray(node["ways"])) return;
  node["oneOf"] = (node["ways"] as z.ZodType[]).map(toNode); // put there by `either`
  delete node["ways"];
}
