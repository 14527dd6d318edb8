/**
 * What a run goes by and does not hold itself: its definition, its environment, the schemas of its
 * services. Each is kept once, under its digest, however many runs go by it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { canonicalJson } from "../workflow/digest.ts";
import type { KeptText, Method } from "./doors.ts";

/** Environment variables as a journal keeps them. */
export function envText(env: Readonly<Record<string, string>>): KeptText {
  const text = canonicalJson(env);
  return text === NO_ENV.text ? NO_ENV : keptText(text);
}

function keptText(text: string): KeptText {
  return { digest: createHash("sha256").update(text).digest("hex"), text };
}

const NO_ENV = keptText("{}");

const found = new WeakMap<ReadonlyMap<string, Method>, ReadonlyMap<string, KeptText>>();

/** The schemas in which methods were found, by service. */
export function schemasOf(methods: ReadonlyMap<string, Method>): ReadonlyMap<string, KeptText> {
  let schemas = found.get(methods);
  if (schemas === undefined) {
    schemas = new Map(
      [...methods].flatMap(([key, { schema }]) =>
        schema === undefined ? [] : [[key.slice(0, key.indexOf("/")), schema]]
      ),
    );
    found.set(methods, schemas);
  }
  return schemas;
}
