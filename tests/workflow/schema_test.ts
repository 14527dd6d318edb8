import { deepEqual, equal } from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parse as parseYaml } from "yaml";
import { languageSchema } from "../../src/workflow/schema.ts";
import { isRecord } from "../../src/workflow/schema_parts.ts";
import { FIRST, FULL } from "../support/workflows.ts";

const schema = languageSchema();

function check(text: string): boolean {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
  if (!isRecord(schema)) throw new Error("Not a schema");
  return ajv.validate(schema, parseYaml(text, { merge: true }));
}

Deno.test("languageSchema() takes what the parser takes", () => {
  deepEqual([FIRST, FULL].map(check), [true, true]);
});

for (
  const [what, text] of [
    ["an unknown key", FIRST.replace("timeout:", "timeuot:")],
    ["a bare duration", FIRST.replace("30s", "30")],
    ["a rate of a day", FIRST.replace("retry:", "rate_limit: 5/d\n    retry:")],
    ["a rate of nothing", FIRST.replace("retry:", "rate_limit: 0/s\n    retry:")],
    ["a pool as a number", FIRST.replace("retry:", "pool: 5\n    retry:")],
    ["health in words", FIRST.replace("retry:", "health: on\n    retry:")],
    ["a budget beyond its bound", FIRST.replace("attempts: 3", "budget: { max_tokens: 1001 }")],
    ["a budget of nothing", FIRST.replace("attempts: 3", "budget: { token_ratio: 0 }")],
    [
      "a list of what is no request",
      FIRST.replace("output: user", "metadata: {}").replace(
        /input:\n {6}email.*/,
        "input: [1]",
      ),
    ],
    ["a reserved name", FIRST.replace("output: user", "output: input")],
    ["two forms", FIRST.replace("method: CreateUser", "method: CreateUser\n    set: { a: 1 }")],
  ] as const
) Deno.test(`languageSchema() refuses ${what}`, () => equal(check(text), false));

Deno.test("languageSchema() describes every key", () => {
  const bare: string[] = [];
  const walk = (node: unknown, path: string) => {
    if (Array.isArray(node)) return node.forEach((item, at) => walk(item, `${path}[${at}]`));
    if (!isRecord(node)) return;
    const keys = node["additionalProperties"] === false ? node["properties"] : {};
    for (const [key, value] of Object.entries(isRecord(keys) ? keys : {})) {
      if (!isRecord(value) || typeof value["description"] !== "string") bare.push(`${path}.${key}`);
    }
    for (const [key, value] of Object.entries(node)) walk(value, `${path}/${key}`);
  };
  walk(schema, "");
  deepEqual(bare, []);
});

Deno.test("languageSchema() lets x- keys stand in every map", () => {
  equal(
    check(FIRST.replace("services:", "x-a: 1\nservices:").replace("type: grpc", "x-b: { c: 1 }")),
    true,
  );
});
