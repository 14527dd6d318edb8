import { deepEqual, equal, ok } from "node:assert/strict";
import { parse as parseYaml } from "yaml";
import { languageSchema } from "../src/workflow/schema.ts";
import { isRecord } from "../src/workflow/schema_parts.ts";
import { FORM_KEYS } from "../src/workflow/step_forms.ts";
import { OWN_CODES, RUN_CODES } from "../src/workflow/words.ts";
import { asWorkflow, type Block, blocksOf, problemsOf } from "./support/doc_examples.ts";

const page = await Deno.readTextFile(new URL("../docs/language.md", import.meta.url));

// The examples.

const blocks = blocksOf(page);

/** The errors of an example, as its reader sees them: its own first line is line 1. */
function errorsOf(block: Block): readonly string[] {
  const before = asWorkflow(block).split(block.text)[0]?.split("\n").length ?? 1;
  return problemsOf(block, blocks).filter(({ severity }) => severity === "error").map((
    { message },
  ) => message.replace(/line (\d+)/g, (_, line) => `line ${line - before + 1}`));
}

const examples = blocks.filter(({ language }) => language === "yaml");

Deno.test("docs/language.md has examples, right and wrong ones", () => {
  ok(examples.length >= 8);
  ok(examples.filter(({ note }) => note === "wrong").length >= 2);
});

for (const block of examples.filter(({ note }) => note !== "wrong")) {
  Deno.test(`docs/language.md:${block.line} is right`, () => {
    // A step of an example may bind a name that only the text reads.
    const isWhole = /^name:/m.test(block.text);
    deepEqual(isWhole ? problemsOf(block, blocks) : errorsOf(block), []);
  });
}

for (const block of examples.filter(({ note }) => note === "wrong")) {
  Deno.test(`docs/language.md:${block.line} is wrong as the text behind it says`, () => {
    const next = blocks[blocks.indexOf(block) + 1];
    equal(next?.language, "text", "what is told of it stands in a block of text");
    deepEqual(errorsOf(block), next?.text.trimEnd().split("\n"));
  });
}

// The tables of keys.

type Node = Readonly<Record<string, unknown>>;

/** What stands at a path of the language's JSON Schema. */
function schemaAt(...path: readonly string[]): Node {
  let node: unknown = languageSchema();
  for (const key of path) node = isRecord(node) ? node[key] : undefined;
  ok(isRecord(node), `the schema has no ${path.join("/")}`);
  return node;
}

/** The keys of a map of the language; where it may be something else too, those of the map. */
function keysOf(node: Node): Readonly<Record<string, Node>> {
  const ways: readonly unknown[] = Array.isArray(node["oneOf"]) ? node["oneOf"] : [node];
  const map = ways.find((way) => isRecord(way) && isRecord(way["properties"]));
  ok(isRecord(map) && isRecord(map["properties"]));
  return map["properties"] as Readonly<Record<string, Node>>; // so a JSON Schema has it
}

function descriptionOf(node: Node): string {
  return String(node["description"] ?? "");
}

/** Keys and what is said of them, without those that others have. */
function supported(node: Node, others: object = {}): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(keysOf(node))
      .filter(([key]) => !Object.hasOwn(others, key))
      .map(([key, value]) => [key, descriptionOf(value)]),
  );
}

/** The rows of the first table under a heading whose first column is called so. */
function table(heading: string, column = "key"): readonly string[] {
  const [, below] = page.split(`\n${heading}\n`);
  ok(below !== undefined, `there is no heading "${heading}"`);
  const [section = ""] = below.split(/^## /m);
  const [, found] = new RegExp(`^\\| ${column} \\|.*\n\\|[-|]+\\|\n((?:\\|.*\n)+)`, "m")
    .exec(section) ?? [];
  ok(found !== undefined, `there is no table of keys under "${heading}"`);
  return found.trimEnd().split("\n");
}

/** What the first cell of a row has in backticks. */
function named(row: string): readonly string[] {
  const [cell = ""] = row.split(" | ");
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
}

const service = schemaAt("properties", "services", "additionalProperties");
const forms = Object.entries(keysOf({ properties: schemaAt("$defs") }))
  .filter(([name]) => name.endsWith("_step"));
const everyForm = Object.fromEntries(
  Object.entries(keysOf(schemaAt("$defs", "call_step")))
    .filter(([key]) => forms.every(([, form]) => Object.hasOwn(keysOf(form), key))),
);

const TABLES: readonly (readonly [heading: string, keys: ReadonlyMap<string, string>])[] = [
  ["## The workflow", supported(schemaAt())],
  ["## Services", supported(service)],
  ["### `tls`", supported(keysOf(service)["tls"] ?? {})],
  ["### `retry`", supported(keysOf(service)["retry"] ?? {})],
  ["#### `budget`", supported(keysOf(keysOf(service)["retry"] ?? {})["budget"] ?? {})],
  ["### `pool` and `rate_limit`", supported(keysOf(service)["pool"] ?? {})],
  ["### `circuit_breaker`", supported(keysOf(service)["circuit_breaker"] ?? {})],
  ["## Steps", supported({ properties: everyForm })],
  ["### Call", supported(schemaAt("$defs", "call_step"), everyForm)],
  ["### `foreach`", supported(schemaAt("$defs", "foreach_step"), everyForm)],
  ["### `repeat`", supported(schemaAt("$defs", "repeat_step"), everyForm)],
  ["### `workflow`", supported(schemaAt("$defs", "workflow_step"), everyForm)],
  ["## `catch`", supported(schemaAt("$defs", "call_step", "properties", "catch", "items"))],
  ["### `verify`", supported(schemaAt("$defs", "call_step", "properties", "verify"))],
  ["### `schedule`", supported(schemaAt("properties", "schedule"))],
  ["## `compensate` and `saga`", supported(schemaAt("properties", "saga"))],
];

for (const [heading, keys] of TABLES) {
  Deno.test(`docs/language.md has the keys of "${heading}", with their defaults`, () => {
    const rows = table(heading);
    deepEqual(rows.flatMap(named).sort(), [...keys.keys()].sort());
    for (const row of rows) {
      const [key = ""] = named(row);
      const said = keys.get(key) ?? "";
      const [, word] = /default (\d[\w.]*|exponential|pick_first)/.exec(said) ??
        /(\w+) \(default\)/.exec(said) ?? [];
      if (word !== undefined) {
        ok(row.includes(`\`${word}\``), `${key}: "${said}", not ${row}`);
      }
    }
  });
}

Deno.test("docs/language.md has every form, with all its keys and an example", () => {
  const rows = table("## Steps", "form").join("\n");
  const shown = new Set<string>();
  const walk = (node: unknown) => {
    if (Array.isArray(node)) return node.forEach(walk);
    if (!isRecord(node)) return;
    Object.keys(node).forEach((key) => shown.add(key));
    Object.values(node).forEach(walk);
  };
  for (const block of examples) if (block.note !== "wrong") walk(parseYaml(block.text));
  for (const [name, form] of forms) {
    const own = Object.keys(keysOf(form)).filter((key) => !Object.hasOwn(everyForm, key));
    if (name === "call_step") continue;
    for (const key of own) ok(rows.includes(`\`${key}\``), `${name} has "${key}"`);
  }
  deepEqual(FORM_KEYS.filter((key) => !shown.has(key)), []);
  deepEqual(Object.keys(everyForm).filter((key) => !shown.has(key)), []);
  deepEqual(["verify", "pivot", "undo", "reason", "codes"].filter((key) => !shown.has(key)), []);
});

Deno.test("docs/language.md has Maestro's own codes", () => {
  const rows = table("## `catch`", "Maestro's own codes").flatMap(named);
  deepEqual(new Set(rows).isSupersetOf(new Set([...OWN_CODES, ...RUN_CODES])), true);
});

Deno.test("docs/language.md mentions every key of the schema", () => {
  const missing = new Set<string>();
  const walk = (node: unknown) => {
    if (Array.isArray(node)) return node.forEach(walk);
    if (!isRecord(node)) return;
    if (node["additionalProperties"] === false) {
      for (const key of Object.keys(keysOf(node))) {
        if (!new RegExp(`\`[^\`\n]*\\b${key}\\b[^\`\n]*\``).test(page)) missing.add(key);
      }
    }
    Object.values(node).forEach(walk);
  };
  walk(languageSchema());
  deepEqual([...missing], []);
});
