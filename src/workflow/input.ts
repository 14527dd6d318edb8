import type { ErrorObject, ValidateFunction } from "ajv";
import type { Problem } from "../errors.ts";
import { copyJson, type Json } from "./json.ts";
import { didYouMean } from "./nearest.ts";

/** A run's input with the schema's defaults, and what does not fit. */
export interface CheckedInput {
  /** The input, with defaults where they were missing. */
  readonly value: Json;
  /** Empty where it fits. */
  readonly problems: readonly Problem[];
}

/**
 * Checks a run's input by the workflow's JSON Schema, and fills in its defaults. The input itself
 * is left as it is; without a schema anything fits.
 */
export async function checkInput(schema: Json | null, input: Json): Promise<CheckedInput> {
  if (schema === null) return { value: input, problems: [] };
  const validate = await compile(schema);
  const messages = new Set<string>();
  try {
    const value = copyJson(input);
    if (validate(value)) return { value, problems: [] };
    for (const error of (validate.errors ?? []).filter(isTelling)) messages.add(describe(error));
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    messages.add("input cannot be checked: its schema goes in circles, or it is nested too deeply");
  }
  const problems = [...messages].map((message) => ({
    severity: "error" as const,
    code: "input",
    message,
    file: null,
    line: null,
    column: null,
  }));
  return { value: input, problems };
}

const compiled = new WeakMap<object, Promise<ValidateFunction>>();

/** Compiled once for each schema; ajv is loaded only where there is one. */
function compile(schema: Json): Promise<ValidateFunction> {
  if (typeof schema !== "object" || schema === null) return compileAnew(schema);
  let known = compiled.get(schema);
  if (known === undefined) compiled.set(schema, known = compileAnew(schema));
  return known;
}

async function compileAnew(schema: Json): Promise<ValidateFunction> {
  const [{ Ajv2020 }, formats] = await Promise.all([
    import("ajv/dist/2020.js"),
    import("ajv-formats"),
  ]);
  const ajv = new Ajv2020({
    allErrors: true,
    logger: false,
    strict: false, // what is unknown was told when the workflow was loaded
    useDefaults: true,
    validateSchema: false, // the parser has done it; once more takes longer than all the rest
    verbose: true, // errors know their schema: that is where "did you mean" looks
  });
  formats.default.default(ajv);
  return ajv.compile(structuredClone(schema) as object | boolean); // what a schema is
}

/** `if` and what only repeats its parts' own errors says nothing new. */
function isTelling({ keyword }: ErrorObject): boolean {
  return keyword !== "if" && keyword !== "propertyNames";
}

function describe(error: ErrorObject): string {
  const where = `input${toPath(error.instancePath)}`;
  const params = error.params as Readonly<Record<string, unknown>>; // by keyword; read with care
  switch (error.keyword) {
    case "required":
      return `${where}${step(String(params["missingProperty"]))} is missing`;
    case "additionalProperties":
    case "unevaluatedProperties": {
      const key = String(params["additionalProperty"] ?? params["unevaluatedProperty"]);
      const known = Object.keys(propertiesOf(error.parentSchema));
      return `${where}${step(key)} is not known${didYouMean(key, known)}`;
    }
    case "enum":
      return `${where} must be one of ${list(params["allowedValues"])}`;
    case "const":
      return `${where} must be ${JSON.stringify(params["allowedValue"])}`;
    case "type":
      return `${where} must be ${
        [params["type"]].flat().map((type) => TYPES[String(type)]).join(" or ")
      }`;
    case "format":
      return `${where} must be ${
        FORMATS[String(params["format"])] ?? `of format ${params["format"]}`
      }`;
    case "minLength":
      return params["limit"] === 1 ? `${where} must not be empty` : `${where} ${error.message}`;
    case "false schema":
      return `${where} must not be there`;
    default:
      return `${where} ${error.message ?? "does not fit"}`;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  integer: "a whole number",
  boolean: "true or false",
  object: "an object",
  array: "a list",
  null: "null",
};

const FORMATS: Readonly<Record<string, string>> = {
  email: "an email address",
  uri: "a URI",
  uuid: "a UUID",
  date: "a date such as 2026-01-31",
  "date-time": "an RFC 3339 time such as 2026-01-31T09:30:00Z",
};

function list(values: unknown): string {
  return Array.isArray(values) ? values.map((value) => JSON.stringify(value)).join(", ") : "";
}

function propertiesOf(schema: unknown): object {
  const found = (schema as { properties?: unknown } | undefined)?.properties;
  return typeof found === "object" && found !== null ? found : {};
}

/** `/order/items/0` as `.order.items[0]`. */
function toPath(pointer: string): string {
  return pointer.split("/").slice(1)
    .map((part) => step(part.replaceAll("~1", "/").replaceAll("~0", "~"))).join("");
}

function step(key: string): string {
  if (/^\d+$/.test(key)) return `[${key}]`;
  return /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
