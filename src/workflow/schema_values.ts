/** The language's scalars, and the words that refuse a wrong one. @module */
import type { z } from "zod";
import {
  DURATION_PATTERN,
  formatDuration,
  guessDuration,
  MAX_DURATION,
  parseDuration,
} from "./durations.ts";
import type { Template } from "./model.ts";
import { didYouMean } from "./nearest.ts";
import { find, hintBool, isRecord, leaf, list, refuse, Refused } from "./schema_parts.ts";
import { guessSize, parseSize, SIZE_PATTERN } from "./sizes.ts";
import { GRPC_CODES, NAME, RESERVED, WORKFLOW_NAME } from "./words.ts";

const UNQUOTED = (want: string) => new Refused({ kind: "unquoted", want });

/** Text that is not empty. */
export function text(want = "text"): z.ZodType<string> {
  return leaf({ type: "string", pattern: "\\S" }, (value) => {
    if (typeof value === "string") return value.trim() === "" ? refuse(want) : value;
    return typeof value === "number" || typeof value === "boolean" ? UNQUOTED(want) : refuse(want);
  });
}

/** Text that may be empty. */
export function anyText(): z.ZodType<string> {
  return leaf({ type: "string" }, (value) => {
    if (typeof value === "string") return value;
    return typeof value === "number" || typeof value === "boolean"
      ? UNQUOTED("text")
      : refuse("text");
  });
}

/** What {@linkcode name} is in JSON Schema. */
export const NAME_DEFINITION = {
  type: "string",
  pattern: NAME.source,
  not: { enum: [...RESERVED] },
} as const;

/** The name of a step, an output or a service. */
export function name(): z.ZodType<string> {
  return leaf({ $ref: "#/$defs/name" }, checkName);
}

function checkName(value: unknown): string | Refused {
  const want = "a name";
  if (typeof value !== "string") {
    return typeof value === "number" || typeof value === "boolean" ? UNQUOTED(want) : refuse(want);
  }
  if (RESERVED.has(value)) {
    const message = `Cannot use "${value}" as a name: expressions use this word; try "${value}_"`;
    return new Refused({ kind: "told", code: "reserved_name", message, at: "value" });
  }
  if (NAME.test(value)) return value;
  const rule = value.length > 64
    ? "a name of at most 64 characters"
    : "a name: a to z, then a to z, 0 to 9 and _";
  return refuse(rule, suggest(value, NAME));
}

function suggest(value: string, pattern: RegExp): string {
  const snake = value.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase()
    .replaceAll(/[^a-z0-9_]+/g, "_").replace(/^[^a-z]+|_+$/g, "");
  return pattern.test(snake) && !RESERVED.has(snake) ? `; did you mean "${snake}"?` : "";
}

/** The name of the workflow itself. */
export function workflowName(): z.ZodType<string> {
  const want = "a name: a to z, then a to z, 0 to 9, _, - and ., at most 64 in all";
  return leaf({ type: "string", pattern: WORKFLOW_NAME.source }, (value) => {
    if (typeof value === "string") {
      return WORKFLOW_NAME.test(value) ? value : refuse(want, suggest(value, WORKFLOW_NAME));
    }
    return typeof value === "number" || typeof value === "boolean" ? UNQUOTED(want) : refuse(want);
  });
}

/**
 * A whole number.
 *
 * @param why begins the reason for `least`
 */
export function whole(least: number, why = "it"): z.ZodType<number> {
  return leaf({ type: "integer", minimum: least }, (value) => {
    if (typeof value !== "number" || !Number.isInteger(value)) return refuse("a whole number");
    return value >= least ? value : new Refused({ kind: "low", why, least });
  });
}

/** A number, with or without a fraction. */
export function number(want: string, least: number, most = Infinity): z.ZodType<number> {
  return leaf(
    { type: "number", minimum: least, ...(most < Infinity && { maximum: most }) },
    (value) => typeof value === "number" && value >= least && value <= most ? value : refuse(want),
  );
}

/** A number above 0. */
export function positive(want: string, most = Infinity): z.ZodType<number> {
  return leaf(
    { type: "number", exclusiveMinimum: 0, ...(most < Infinity && { maximum: most }) },
    (value) => typeof value === "number" && value > 0 && value <= most ? value : refuse(want),
  );
}

/** A share of calls, above 0 and up to 100. */
export function percentage(): z.ZodType<number> {
  return positive("a percentage above 0 and up to 100", 100);
}

/** `true` or `false`. */
export function flag(): z.ZodType<boolean> {
  return leaf(
    { type: "boolean" },
    (value) => typeof value === "boolean" ? value : refuse("true or false", hintBool(value)),
  );
}

/** One of a few words. */
export function choice<const W extends string>(words: readonly W[]): z.ZodType<W> {
  const shown = words.map((word) => `"${word}"`);
  const want = shown.length <= 1
    ? shown.join("")
    : words.length > 6
    ? "a gRPC status code"
    : `${shown.slice(0, -1).join(", ")} or ${shown.at(-1)}`;
  return leaf({ type: "string", enum: words }, (value) => {
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    return refuse(want, typeof value === "string" ? didYouMean(value, words) : "");
  });
}

/** A list of status codes. */
export function codes(): z.ZodType<string[]> {
  return list<string>(choice(GRPC_CODES));
}

/** A duration, in milliseconds. */
export function duration(least: "zero" | "more" = "more"): z.ZodType<number> {
  const want = 'a duration such as "30s", "1h30m" or "250ms"';
  return leaf({ type: "string", pattern: DURATION_PATTERN, examples: ["30s"] }, (value) => {
    const read = typeof value === "string" ? parseDuration(value) : null;
    if (read === null) {
      const meant = typeof value === "string" || typeof value === "number"
        ? guessDuration(value)
        : null;
      return refuse(want, meant === null ? "" : `: write "${meant}"`);
    }
    if (read > MAX_DURATION) return refuse(`at most ${formatDuration(MAX_DURATION)}`);
    return read > 0 || (least === "zero" && /\d/.test(String(value)))
      ? read
      : refuse(least === "zero" ? want : "longer than 0");
  });
}

const TIME = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;

/** A moment as RFC 3339 has it, or text with expressions that gives one. */
export function time(): z.ZodType<string> {
  return leaf({ type: "string", pattern: "\\S", examples: ["2030-01-31T08:00:00Z"] }, (value) => {
    const want = 'a time such as "2030-01-31T08:00:00Z", or an expression that gives one';
    if (typeof value !== "string") return refuse(want);
    if (value.includes("{{")) return value;
    return TIME.test(value) && !Number.isNaN(Date.parse(value)) ? value : refuse(want);
  });
}

/** A size, in bytes. */
export function size(): z.ZodType<number> {
  return leaf({ type: "string", pattern: SIZE_PATTERN, examples: ["4MiB"] }, (value) => {
    const read = typeof value === "string" ? parseSize(value) : null;
    if (read !== null) {
      return read >= 1 && read <= 2 ** 31 - 1 ? read : refuse("a size from 1B to just under 2GiB");
    }
    const meant = typeof value === "string" || typeof value === "number" ? guessSize(value) : null;
    return refuse(
      'a size such as "512KiB" or "4MiB"',
      meant === null ? "" : `: write "${meant}"`,
    );
  });
}

/** One `{{ … }}`; what is in it is checked with all other expressions. */
export function expression(): z.ZodType<string> {
  return leaf({ type: "string", pattern: "^\\s*\\{\\{[\\s\\S]*\\}\\}\\s*$" }, (value) => {
    const want = 'one expression, "{{ … }}"';
    if (typeof value === "boolean") return refuse(want, `: write "{{ ${value} }}"`);
    if (typeof value !== "string") return refuse(want);
    if (/^\s*\{\{[^]*\}\}\s*$/.test(value)) return value;
    return refuse(want, value.includes("{{") || value === "" ? "" : `: write "{{ ${value} }}"`);
  });
}

/** Any JSON, with `{{ … }}` in its strings. */
export function template(): z.ZodType<Template> {
  return leaf<Template>(
    {},
    (value) => value === undefined ? refuse("any value") : value as Template,
  ) // the reader yields JSON alone
    .superRefine((value, context) => findUnreadable(value, [], context));
}

/** What the reader could not read has its own problem; this keeps it from being used. */
export function findUnreadable(
  value: unknown,
  path: readonly PropertyKey[],
  context: z.core.$RefinementCtx,
): void {
  if (typeof value === "symbol") find(context, { kind: "value", want: "JSON", hint: "" }, path);
  else if (Array.isArray(value)) {
    value.forEach((item, at) => findUnreadable(item, [...path, at], context));
  } else if (isRecord(value)) {
    for (const [key, item] of Object.entries(value)) findUnreadable(item, [...path, key], context);
  }
}
