/** Which form a step has, told by its keys. @module */
import { nearest } from "./nearest.ts";
import type { Finding } from "./schema_parts.ts";

/** The keys that tell a step's form. */
export const FORM_KEYS = [
  "service",
  "steps",
  "parallel",
  "switch",
  "set",
  "fail",
  "return",
  "foreach",
  "repeat",
  "wait",
  "await_signal",
  "workflow",
] as const;

/** The key that tells a step's form. */
export type FormKey = (typeof FORM_KEYS)[number];

/** Stands for a step that can't be used, so that the others keep their places. */
export const STAND_IN: unique symbol = Symbol("a step that can't be used");

/** The forms that a step has: one, if it is right. `foreach` has `steps` of its own. */
export function countForms(step: Readonly<Record<string, unknown>>): readonly FormKey[] {
  const has = (key: string) => Object.hasOwn(step, key);
  return FORM_KEYS.filter((key) =>
    key === "service"
      ? has("service") || has("method")
      : has(key) && !(key === "steps" && has("foreach"))
  );
}

/** What is wrong with a step that has no form, or more than one. */
export function formProblem(
  step: Readonly<Record<string, unknown>>,
): { readonly path: readonly string[]; readonly finding: Finding } {
  const keys = Object.keys(step);
  const [first, second, ...others] = countForms(step)
    .map((form) => form === "service" && !keys.includes("service") ? "method" : form)
    .sort((a, b) => keys.indexOf(a) - keys.indexOf(b));
  if (first !== undefined && second !== undefined) {
    const found = [`"${first}"`, ...[second, ...others].map((key) => `"${key}"`)];
    const message = `A step does one thing: it has ${found.slice(0, -1).join(", ")} and ` +
      `${found.at(-1)}; make them steps of their own`;
    return { path: [second], finding: { kind: "told", code: "two_forms", message } };
  }
  for (const key of keys) {
    const meant = nearest(key, [...FORM_KEYS, "method"]);
    if (meant === null || COMMON.has(key)) continue;
    const message = `Unknown key "${key}"; did you mean "${meant}"?`;
    return { path: [key], finding: { kind: "told", code: "unknown_key", message } };
  }
  const message = 'A step needs one of "service" with "method", "steps", "parallel", "switch", ' +
    '"foreach", "repeat", "wait", "await_signal", "workflow", "set", "fail" or "return"' +
    (keys.length > 0 ? `: it has only ${list(keys)}` : "");
  return { path: [], finding: { kind: "told", code: "no_form", message } };
}

const COMMON = new Set(["id", "when", "timeout", "output", "needs", "catch", "input", "metadata"]);

function list(keys: readonly string[]): string {
  const shown = keys.slice(0, 4).map((key) => `"${key}"`).join(", ");
  return keys.length > 4 ? `${shown}…` : shown;
}

/** Keys that only some forms have. */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  concurrency: ["parallel", "foreach"],
  on_failure: ["parallel", "foreach"],
  as: ["foreach"],
  result: ["foreach", "repeat"],
  until: ["repeat"],
  every: ["repeat"],
  max_rounds: ["repeat"],
  input: ["service", "workflow"],
  metadata: ["service"],
  retry: ["service"],
  attempt_timeout: ["service"],
  max_messages: ["service"],
  idempotent: ["service"],
  compensate: ["service", "workflow"],
  verify: ["service"],
  pivot: ["service"],
};

/** `: only a step with "parallel" or "foreach" has it`, or nothing; a misspelt key is named. */
export function describeHomes(key: string): string {
  const meant = Object.hasOwn(HOMES, key) ? key : nearest(key, Object.keys(HOMES));
  const homes = meant === null ? undefined : HOMES[meant];
  if (homes === undefined) return "";
  const what = meant === key ? "it" : `"${meant}"`;
  return `: only a step with ${homes.map((home) => `"${home}"`).join(" or ")} has ${what}`;
}
