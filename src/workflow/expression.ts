/**
 * Templates: JSON whose strings may hold `{{ expressions }}`.
 *
 * @module
 */
import { MaestroError } from "../errors.ts";
import { type Bindings, compileExpression, type Expression, type Reference } from "./compile.ts";
import type { Json } from "./json.ts";
import { splitTemplate, TemplateError } from "./scanner.ts";
import { toText, type Value } from "./value.ts";

/** A reference in a template. */
export interface TemplateRef extends Reference {
  /** Keys and indexes that lead to the string it stands in. */
  readonly at: readonly (string | number)[];
  /** Where it begins in that string. */
  readonly offset: number;
}

/** What is wrong in a template. */
export interface TemplateProblem {
  readonly message: string;
  /** Keys and indexes that lead to the string it stands in. */
  readonly at: readonly (string | number)[];
  /** Where it stands in that string. */
  readonly offset: number;
}

/** A string with templates, compiled. */
export interface TextTemplate {
  /** The whole string is one expression, and keeps its type. */
  readonly whole: boolean;
  readonly parts: readonly (string | { readonly expression: Expression; readonly offset: number })[];
}

const parsed = new Map<string, TextTemplate>();

/** Compiles the expressions of a string; the same string is compiled once. @throws {TemplateError} */
export function parseTemplate(text: string): TextTemplate {
  let template = parsed.get(text);
  if (template !== undefined) return template;
  const trimmed = text.replace(/\r?\n$/, "");
  const parts = splitTemplate(trimmed.startsWith("{{") && trimmed.endsWith("}}") ? trimmed : text);
  template = {
    whole: parts.length === 1 && parts[0]?.kind === "expression",
    parts: parts.map((part) =>
      part.kind === "text" ? part.text : {
        expression: compileAt(part.source, part.offset),
        offset: part.offset,
      }
    ),
  };
  if (!template.whole && trimmed !== text) template = restored(template, text.slice(trimmed.length));
  parsed.set(text, template);
  return template;
}

/** A trailing newline does not count for a lone expression; among other text it is text. */
function restored(template: TextTemplate, end: string): TextTemplate {
  const last = template.parts.at(-1);
  return typeof last === "string" && last.endsWith(end)
    ? template
    : { ...template, parts: [...template.parts, end] };
}

function compileAt(source: string, offset: number): Expression {
  try {
    return compileExpression(source);
  } catch (thrown) {
    if (thrown instanceof TemplateError) throw new TemplateError(thrown.message, offset + thrown.offset);
    throw thrown;
  }
}

/** Whether a string holds an expression. */
export function isTemplate(text: string): boolean {
  return text.includes("{{");
}

/**
 * Evaluates a template; keys are left as they are, and a result is never read as a template again.
 *
 * @throws {MaestroError} `EXPRESSION_ERROR`
 */
export function evaluateTemplate(template: Json, bindings: Bindings): Value {
  if (typeof template === "string") {
    return isTemplate(template) ? evaluateText(parseTemplate(template), bindings) : template;
  }
  if (typeof template !== "object" || template === null) return template;
  if (isList(template)) return template.map((item) => evaluateTemplate(item, bindings));
  const result: Record<string, Value> = {};
  for (const [key, item] of Object.entries(template)) result[key] = evaluateTemplate(item, bindings);
  return result;
}

function evaluateText({ whole, parts }: TextTemplate, bindings: Bindings): Value {
  const [first] = parts;
  if (whole && typeof first === "object") return first.expression.evaluate(bindings);
  return parts.map((part) => typeof part === "string" ? part : textOf(part.expression, bindings)).join("");
}

function textOf(expression: Expression, bindings: Bindings): string {
  const value = expression.evaluate(bindings);
  try {
    return toText(value);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new MaestroError("EXPRESSION_ERROR", `Cannot use {{ ${expression.source.trim()} }} here: ${why}`);
  }
}

/** Every reference of a template, in order. @throws {TemplateError} where an expression is wrong */
export function templateRefs(template: Json): readonly TemplateRef[] {
  return [...strings(template, [])].flatMap(({ text, at }) =>
    parseTemplate(text).parts.flatMap((part) =>
      typeof part === "string"
        ? []
        : part.expression.refs.map((ref) => ({ ...ref, at, offset: part.offset + ref.offset }))
    )
  );
}

/** What is wrong in a template's expressions, in order. */
export function templateProblems(template: Json): readonly TemplateProblem[] {
  return [...strings(template, [])].flatMap(({ text, at }) => {
    try {
      parseTemplate(text);
      return [];
    } catch (thrown) {
      if (!(thrown instanceof TemplateError)) throw thrown;
      return [{ message: thrown.message, at, offset: thrown.offset }];
    }
  });
}

/** Why a string can't be a condition; `undefined`: it can. */
export function conditionProblem(text: string): string | undefined {
  const { whole, parts: [first] } = parseTemplate(text);
  if (!whole || typeof first !== "object") {
    return "a condition is one {{ expression }} that is a bool, with nothing around it";
  }
  return first.expression.mayBeBool ? undefined : "the expression is never a bool";
}

function* strings(
  template: Json,
  at: readonly (string | number)[],
): Generator<{ readonly text: string; readonly at: readonly (string | number)[] }> {
  if (typeof template === "string") {
    if (isTemplate(template)) yield { text: template, at };
  } else if (typeof template === "object" && template !== null) {
    if (isList(template)) {
      for (const [index, item] of template.entries()) yield* strings(item, [...at, index]);
    } else {
      for (const [key, item] of Object.entries(template)) yield* strings(item, [...at, key]);
    }
  }
}

function isList(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}
