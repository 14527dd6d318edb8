// What the parser's check of shape takes, the editors' JSON Schema takes, and the other way round.

import { ok } from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parse as parseYaml } from "yaml";
import { languageSchema, workflowSchema } from "../../src/workflow/schema.ts";
import { type Finding, isRecord } from "../../src/workflow/schema_parts.ts";
import { asWorkflow, blocksOf } from "../support/doc_examples.ts";
import { xorshift } from "../support/random.ts";
import { FIRST, FULL, FULL_FILES } from "../support/workflows.ts";

const schema = languageSchema();
if (!isRecord(schema)) throw new Error("Not a schema");
const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);

const root = new URL("../../", import.meta.url);
const page = await Deno.readTextFile(new URL("docs/language.md", root));
const snippets = blocksOf(page).filter(({ language, note }) =>
  language === "yaml" && note !== "wrong" && !note.includes("/")
);

/** Every example's workflow. */
async function* examples(folder = new URL("examples/", root)): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* examples(new URL(`${name}/`, folder));
    else if (/\.ya?ml$/.test(name)) {
      const text = await Deno.readTextFile(new URL(name, folder));
      if (/^steps:/m.test(text)) yield text;
    }
  }
}

const documents = [
  FIRST,
  FULL,
  FULL_FILES["billing/invoice.yaml"],
  ...snippets.map(asWorkflow),
  ...await Array.fromAsync(examples()),
].map((text): unknown => parseYaml(text, { merge: true }));

Deno.test("languageSchema() takes every example and every snippet of the documentation", () => {
  for (const document of documents) {
    ok(validate(document), JSON.stringify([validate.errors, document], null, 1));
    ok(workflowSchema.safeParse(document).success);
  }
});

/**
 * What JSON Schema can't say, or only in a way that no editor's message would be understood by: that
 * a duration or a size is in its range once it is computed, how an address is written, which days
 * there are, that `tls` has a key with its certificate, that metadata's names are no one else's and
 * differ in more than their case, which branch of a `switch` goes without `when`; what a schedule
 * says of time.
 */
function isBeyondSchema(finding: Finding | undefined): boolean {
  switch (finding?.kind) {
    case "told":
      return ["default_not_last", "incomplete_tls", "bad_metadata", "never_due", "no_expression"]
        .includes(finding.code);
    case "value":
      return /^(longer than 0|at most |a size from|an address|a time such|a time zone|a cron expression)/
        .test(finding.want);
    default:
      return false;
  }
}

/** The refusals of the parser's check that the JSON Schema has to share. */
function refusals(document: unknown): { readonly shared: readonly string[]; readonly all: number } {
  const result = workflowSchema.safeParse(document);
  const issues = result.success ? [] : result.error.issues;
  const shared = issues.filter((issue) =>
    issue.code !== "custom" || !isBeyondSchema(issue.params?.["finding"] as Finding | undefined) // ours
  );
  return {
    shared: shared.map((issue) => {
      const what = issue.code === "custom" ? issue.params?.["finding"] : issue.code;
      const value = issue.path.reduce((at: unknown, key) => Object(at)[key], document);
      return `${issue.path.map(String).join(".")}: ${JSON.stringify([what, value])}`;
    }),
    all: issues.length,
  };
}

/** Values that are right somewhere and wrong elsewhere. */
const SCRAPS: readonly unknown[] = [
  ...[null, true, false, 0, 1, 2, -1, 1.5, 101, 1e10, "", " ", "\t", "a", "pay", "item", "input"],
  ..."in A-b text 30s 0s 0.0001s 99999d 1h30m 30 5m4h 4MiB 0B 9GiB 100/s 0/s 5/d /s yes".split(" "),
  ..."grpc cancel finish wait fail exponential gzip pick_first NOT_FOUND OK STEP_TIMEOUT".split(
    " ",
  ),
  ..."RUN_TIMEOUT pay:1 https://a localhost dns:///a ./b.yaml 2030-01-31T08:00:00Z".split(" "),
  ...["2030-13-31T08:00:00Z", "{{ .a }}", " {{ .a }}\n", "a {{ .a }}", "{{ .a", "x".repeat(65)],
  ...[[], {}, [[]], [{}], ["a"], [1, "a"], { a: 1 }, { "x-a": 1 }, { steps: [] }, { until: "" }],
  ...[{ set: { a: 1 } }, [{ set: { a: 1 } }], { method: "M" }, { service: "pay", method: "M" }],
  ...[[{ codes: ["ABORTED"] }], { return: null }, { wait: "5m" }, { await_signal: "go" }],
];

type Random = () => number;

const pick = <T>(list: readonly T[], random: Random): T => {
  const item = list[Math.floor(random() * list.length)];
  if (item === undefined && list.length === 0) throw new Error("There is nothing to pick from");
  return item as T; // an index below the length
};

interface Spot {
  readonly holder: Record<PropertyKey, unknown> | unknown[];
  readonly key: string | number;
}

/** Every place in a document, with what holds it. */
function spotsIn(value: unknown, spots: Spot[] = []): Spot[] {
  if (Array.isArray(value)) {
    value.forEach((item, key) => (spots.push({ holder: value, key }), spotsIn(item, spots)));
  } else if (isRecord(value)) {
    const holder: Record<PropertyKey, unknown> = value;
    for (const [key, item] of Object.entries(value)) {
      spots.push({ holder, key });
      spotsIn(item, spots);
    }
  }
  return spots;
}

const valueAt = ({ holder, key }: Spot): unknown =>
  Array.isArray(holder) ? holder[Number(key)] : holder[key];

function put({ holder, key }: Spot, value: unknown): void {
  if (Array.isArray(holder)) holder[Number(key)] = value;
  else holder[key] = value;
}

function remove({ holder, key }: Spot): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
}

/** What stands anywhere under each key: a map gets what is right under it elsewhere. */
const known = new Map<string, unknown[]>();
for (const document of documents) {
  for (const spot of spotsIn(document)) {
    if (typeof spot.key !== "string") continue;
    known.set(spot.key, [...known.get(spot.key) ?? [], valueAt(spot)]);
  }
}
const KEYS = [...known.keys(), "schedule", "x-mine", "retyr", "__proto", "steps "];

function mutate(document: unknown, random: Random): void {
  const spots = spotsIn(document);
  if (spots.length === 0) return;
  const spot = pick(spots, random);
  const { holder, key } = spot;
  switch (Math.floor(random() * 8)) {
    case 0:
      return remove(spot);
    case 1:
      return put(spot, structuredClone(pick(SCRAPS, random)));
    case 2:
      return put(spot, structuredClone(valueAt(pick(spots, random))));
    case 3:
      return put(spot, structuredClone(pick(known.get(String(key)) ?? SCRAPS, random)));
    case 4: {
      const other = pick(KEYS, random);
      if (Array.isArray(holder)) return put(spot, { [other]: valueAt(spot) });
      const value = valueAt(spot);
      remove(spot);
      return put({ holder, key: other }, value);
    }
    case 5: {
      if (Array.isArray(holder)) return void holder.push(structuredClone(pick(holder, random)));
      const other = pick(KEYS, random);
      return put({ holder, key: other }, structuredClone(pick(known.get(other) ?? SCRAPS, random)));
    }
    case 6: {
      const text = valueAt(spot);
      if (typeof text !== "string") return;
      const at = Math.floor(random() * text.length);
      return put(
        spot,
        text.slice(0, at) + pick([" ", "_", "9", "A", "{{", ""], random) + text.slice(at + 1),
      );
    }
    default:
      return put(spot, [valueAt(spot)]);
  }
}

Deno.test("languageSchema() takes what the parser takes, and refuses what it refuses for its shape", () => {
  const seed = Number(Deno.env.get("SCHEMA_SEED") ?? Date.now() % 1_000_000);
  const rounds = Number(Deno.env.get("SCHEMA_ROUNDS") ?? 4_000); // 200,000 were run when this was written
  console.log(`SCHEMA_SEED=${seed}`);
  const random = xorshift(seed);
  const seen = { taken: 0, refused: 0 };
  for (let round = 0; round < rounds; round++) {
    const document = structuredClone(pick(documents, random));
    for (let times = 1 + Math.floor(random() * 2); times > 0; times--) mutate(document, random);
    const { shared, all } = refusals(document);
    const taken = validate(document);
    if (all === 0) seen.taken++;
    if (shared.length > 0) seen.refused++;
    const agrees = all === 0 ? taken : shared.length === 0 || !taken;
    if (agrees) continue;
    const why = all === 0 ? validate.errors : shared;
    throw new Error(
      `SCHEMA_SEED=${seed}, round ${round}: the parser ${
        all === 0 ? "takes" : "refuses"
      } what the ` +
        `schema does not: ${JSON.stringify(why?.slice(0, 8), null, 1)}\n${
          JSON.stringify(document, null, 1)
        }`,
    );
  }
  ok(seen.taken > rounds / 10 && seen.refused > rounds / 10, JSON.stringify(seen));
});
