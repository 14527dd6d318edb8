/** What the form makes of a JSON Schema. */
import assert from "node:assert/strict";
import type { JsonValue } from "../../page/app/api/json.ts";
import { looksLike, variantName } from "../../page/app/form/variants.ts";
import { initialOf, kindOf, patternOf, resolve, type Schema } from "../../page/app/form/schema.ts";

const KINDS: readonly (readonly [Schema, string])[] = [
  [{ type: "string" }, "string"],
  [{ type: ["integer", "null"] }, "integer"],
  [{ type: ["string", "number"] }, "json"],
  [{ enum: ["a", 1] }, "choice"],
  [{ const: 1 }, "fixed"],
  [{ type: "object", properties: { a: {} } }, "object"],
  [{ properties: { a: {} } }, "object"],
  [{ type: "object" }, "json"],
  [{ type: "array", items: { type: "string" } }, "array"],
  [{ type: "array" }, "json"],
  [{ oneOf: [{ type: "string" }, { type: "null" }] }, "variant"],
  [{ anyOf: [{ $ref: "#/$defs/a" }, { type: "object", properties: {} }] }, "variant"],
  [{ oneOf: [{ type: "string" }], not: { const: "x" } }, "json"],
  [{ oneOf: [{ required: ["a"] }], properties: { a: {} } }, "json"],
  [{ allOf: [{ type: "string" }] }, "json"],
  [{ type: ["boolean", "null"] }, "choice"],
  [{ type: "null" }, "fixed"],
  [{}, "json"],
];

for (const [schema, kind] of KINDS) {
  Deno.test(`the field for ${JSON.stringify(schema)} is made for: ${kind}`, () => {
    assert.equal(kindOf(schema), kind);
  });
}

Deno.test("a form begins with defaults, and with what can't be left out", () => {
  const root: Schema = {
    type: "object",
    required: ["list", "inner", "text", "flag"],
    properties: {
      list: { type: "array", minItems: 2, items: { $ref: "#/$defs/item" } },
      inner: {
        type: "object",
        required: ["n"],
        properties: { n: { type: "integer", default: 3 } },
      },
      text: { type: "string" },
      flag: { type: "boolean" },
      kept: { type: "string", default: "x" },
      left: { type: "object", properties: {} },
    },
    $defs: { item: { type: "object", required: ["k"], properties: { k: { const: "v" } } } },
  };
  assert.deepEqual(initialOf(root, root), {
    list: [{ k: "v" }, { k: "v" }],
    inner: { n: 3 },
    flag: false,
    kept: "x",
  });
});

Deno.test("references that go in a circle end", () => {
  const root: Schema = { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/a" } } };
  assert.deepEqual(resolve(root, root), {});
  const tree: JsonValue = {
    type: "object",
    required: ["next"],
    properties: { next: { $ref: "#" } },
  };
  assert.ok(initialOf(tree, tree as Schema) !== undefined);
});

Deno.test("a pattern is the same in a field, which anchors it, and is left out where no field can have it", () => {
  assert.equal(patternOf({ pattern: "^[A-Z]{2}$" }), "(?:^[A-Z]{2}$)");
  assert.match("xABx", new RegExp(`^(?:${patternOf({ pattern: "AB" })})$`, "v"));
  assert.equal(patternOf({ pattern: "(" }), undefined);
  assert.equal(patternOf({}), undefined);
});

const PAYMENT: readonly Schema[] = [
  { type: "object", required: ["card"], properties: { kind: { const: "card" }, card: {} } },
  { type: "object", required: ["iban"], properties: { iban: { type: "string" } } },
  { title: "Voucher", type: "string" },
  { type: "integer" },
  { type: "null" },
];

const LIKE: readonly (readonly [JsonValue | undefined, number])[] = [
  [{ kind: "card", card: "4711" }, 0],
  [{ kind: "other", card: "4711" }, -1],
  [{ iban: "AT" }, 1],
  ["x", 2],
  [3, 3],
  [3.5, -1],
  [null, 4],
  [undefined, -1],
];

for (const [value, at] of LIKE) {
  Deno.test(`of several kinds, ${JSON.stringify(value)} looks like number ${at}`, () => {
    assert.equal(PAYMENT.findIndex((one) => looksLike(value, one, {})), at);
  });
}

Deno.test("kinds are called by their titles, by what is fixed in them, or by their types", () => {
  const names = PAYMENT.map((one, at) => variantName(one, {}, at));
  assert.deepEqual(names, ["card", "object", "Voucher", "whole number", "nothing"]);
});

Deno.test("what can't be left out, but may be null, begins as null", () => {
  const inner = { type: ["string", "null"] };
  const schema: Schema = { type: "object", required: ["a"], properties: { a: inner, b: inner } };
  assert.deepEqual(initialOf(schema, schema), { a: null });
});
