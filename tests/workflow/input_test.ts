import { deepEqual, equal } from "node:assert/strict";
import { checkInput } from "../../src/workflow/input.ts";
import type { Json } from "../../src/workflow/json.ts";
import { places } from "../support/parsing.ts";

const SCHEMA: Json = {
  type: "object",
  required: ["email"],
  additionalProperties: false,
  properties: {
    email: { type: "string", format: "email" },
    name: { type: "string", minLength: 1 },
    tier: { enum: ["gold", "silver"], default: "silver" },
    items: { type: "array", items: { $ref: "#/$defs/item" } },
  },
  $defs: {
    item: {
      type: "object",
      required: ["sku"],
      properties: { sku: { type: "string" }, count: { type: "integer", minimum: 1, default: 1 } },
    },
  },
};

Deno.test("checkInput() takes anything where there is no schema", async () => {
  deepEqual(await checkInput(null, [1, "a"]), { value: [1, "a"], problems: [] });
});

Deno.test("checkInput() fills in defaults, and leaves what it was given as it was", async () => {
  const given = { email: "a@b.io", items: [{ sku: "x" }] };
  const { value, problems } = await checkInput(SCHEMA, given);
  deepEqual(problems, []);
  deepEqual(value, { email: "a@b.io", tier: "silver", items: [{ sku: "x", count: 1 }] });
  deepEqual(given, { email: "a@b.io", items: [{ sku: "x" }] });
});

const MISFITS: readonly (readonly [input: Json, messages: readonly string[]])[] = [
  [{}, ["input.email is missing"]],
  [[], ["input must be an object"]],
  [{ email: "nobody" }, ["input.email must be an email address"]],
  [{ email: "a@b.io", name: "" }, ["input.name must not be empty"]],
  [{ email: "a@b.io", nmae: "x" }, ['input.nmae is not known; did you mean "name"?']],
  [{ email: 3, tier: "lead" }, [
    "input.email must be text",
    'input.tier must be one of "gold", "silver"',
  ]],
  [
    { email: "a@b.io", items: [{ sku: "x" }, { count: 0.5 }] },
    [
      "input.items[1].sku is missing",
      "input.items[1].count must be >= 1",
      "input.items[1].count must be a whole number",
    ],
  ],
];

for (const [input, messages] of MISFITS) {
  Deno.test(`checkInput() says what does not fit in ${JSON.stringify(input)}`, async () => {
    const { problems } = await checkInput(SCHEMA, input);
    deepEqual(problems.map(({ message }) => message).sort(), [...messages].sort());
  });
}

Deno.test("checkInput() refuses everything by the schema false", async () => {
  const { problems } = await checkInput(false, 1);
  deepEqual(problems.map(({ message }) => message), ["input must not be there"]);
});

Deno.test("checkInput() does not run away on a schema that goes in circles", async () => {
  const { problems } = await checkInput({ $ref: "#" }, {});
  equal(problems.length, 1);
});

/** The schema begins at line 3. */
const SCHEMAS: readonly (readonly [what: string, schema: string, expected: readonly string[]])[] = [
  ["a right one", "{ type: [object, 'null'], $comment: x, x-mine: 1 }", []],
  ["true", "true", []],
  ["text", "object", ["2:8 wrong_value"]],
  ["a misspelt keyword", "{ properties: { a: { minimun: 1 } } }", ["2:29 unknown_key"]],
  ["a wrong type", "{ type: strng }", ["2:16 wrong_value"]],
  ["another language's type", "{ type: [int] }", ["2:16 wrong_value"]],
  ["required in a property", "{ properties: { a: { required: true } } }", ["2:39 wrong_value"]],
  ["a list of items", "{ items: [{}] }", ["2:17 wrong_value"]],
  ["a negative length", "{ minLength: -1 }", ["2:21 wrong_value"]],
  ["a pattern that is none", "{ pattern: '(' }", ["2:10 bad_pattern"]],
  ["a reference to nothing", "{ $ref: '#/$defs/itme', $defs: { item: {} } }", [
    "2:10 bad_reference",
  ]],
  ["a reference elsewhere", "{ $ref: 'https://example.com/s' }", ["2:10 bad_reference"]],
  ["a reference to an anchor", "{ $ref: '#a', $defs: { b: { $anchor: a } } }", []],
  ["another draft", "{ $schema: 'http://json-schema.org/draft-07/schema#' }", ["2:19 wrong_value"]],
  ["an unknown format", "{ format: emial }", ["2:18 unknown_format"]],
  ["a circle of aliases is none", "{ properties: { a: &a { type: string }, b: *a } }", []],
];

for (const [what, schema, expected] of SCHEMAS) {
  Deno.test(`parseWorkflow() checks the input's schema: ${what}`, () => {
    deepEqual(places(`name: a\ninput: ${schema}\nsteps: [{ return: 1 }]\n`), expected);
  });
}
