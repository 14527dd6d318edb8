/**
 * `{{ … }}`: CEL expressions, and templates that hold them.
 *
 * All is compiled once and kept. Nothing reads a clock or random numbers, and limits count steps, so
 * the same names always give the same value.
 *
 * @module
 */
import { MaestroError } from "../errors.ts";
import { MAX_TEXT } from "./cel/budget.ts";
import { type Bindings, checkExpression, describe, type Expression, shown } from "./cel/check.ts";
import type { Ref as ExpressionRef } from "./cel/refs.ts";
import { scanTemplate } from "./cel/scan_template.ts";
import { SourceFault } from "./cel/syntax.ts";
import { type Json, mapValues } from "./json.ts";
import { toText, type Value, whyNoText } from "./value.ts";

/** Where a string stands in a template: keys and positions from the outside in. */
export type TemplatePath = readonly (string | number)[];

/** A root that a template uses. */
export interface Ref extends ExpressionRef {
  /** The string that uses it. */
  readonly at: TemplatePath;
  /** Where the root's dot stands in that string, in UTF-16 units from 0. */
  readonly offset: number;
}

/** Something wrong with a template, found without evaluating it. */
export interface TemplateProblem {
  /** A stable name for the kind of problem. */
  readonly code: SourceFault["code"] | Use["code"];
  readonly message: string;
  /** The string that it is in. */
  readonly at: TemplatePath;
  /** Where in that string, in UTF-16 units from 0. */
  readonly offset: number;
}

/** A string with its expressions. */
export interface ParsedTemplate {
  /** Whether the string is exactly one expression, and so keeps its value's type. */
  readonly isWhole: boolean;
  /** Each expression, and where its source begins in the string. */
  readonly expressions: readonly { readonly expression: Expression; readonly offset: number }[];
  /** @throws {MaestroError} `EXPRESSION_ERROR` */
  evaluate(bindings: Bindings): Value;
}

/** Whether a string holds `{{`; one that doesn't stands for itself. */
export function isTemplate(text: string): boolean {
  return text.includes("{{");
}

/**
 * The expression whose source this is, without braces.
 *
 * @throws {MaestroError} `EXPRESSION_ERROR` where it is not one
 */
export function compileExpression(source: string): Expression {
  const { expression, faults = [] } = checkExpression(source);
  if (expression !== undefined) return expression;
  throw invalid(faults.map((fault) => describe(source, fault)));
}

/**
 * A string with its expressions.
 *
 * @throws {MaestroError} `EXPRESSION_ERROR` with everything that is wrong with them
 */
export function parseTemplate(text: string): ParsedTemplate {
  const { template, problems } = parsed(text);
  if (template === undefined) throw invalid(problems.map(({ message }) => message));
  return template;
}

/**
 * A template's value: every string in it evaluated, keys as they are. A result is never read as a
 * template again.
 *
 * @throws {MaestroError} `EXPRESSION_ERROR`
 */
export function evaluateTemplate(template: Json, bindings: Bindings): Value {
  if (typeof template === "string") {
    return isTemplate(template) ? parseTemplate(template).evaluate(bindings) : template;
  }
  if (template === null || typeof template !== "object") return template;
  if (isList(template)) return template.map((item) => evaluateTemplate(item, bindings));
  return mapValues(template, (item) => evaluateTemplate(item, bindings));
}

/**
 * The value of a `when` or `until`: white space around the expression doesn't count.
 *
 * @throws {MaestroError} `EXPRESSION_ERROR`, also where the value is no bool
 */
export function evaluateCondition(text: string, bindings: Bindings): boolean {
  const value = evaluateTemplate(text.trim(), bindings);
  if (typeof value === "boolean") return value;
  throw invalid([`Cannot use ${text.trim()} as a condition: its value is not true or false`]);
}

/** Every use of a root in a template, in its order. What can't be read has none. */
export function templateRefs(template: Json): readonly Ref[] {
  return [...stringsIn(template)].flatMap(({ text, at }) =>
    (parsed(text).template?.expressions ?? []).flatMap(({ expression, offset }) =>
      expression.refs.map((ref) => ({ ...ref, at, offset: offset + ref.offset }))
    )
  );
}

/** The names that can be seen somewhere. */
type Names = Pick<ReadonlySet<string>, "has">;

const NO_NAMES: Names = new Set<string>();

/**
 * Everything that is wrong with a template's expressions, as far as they themselves tell: which names
 * can be seen is told by `scope.ts`.
 *
 * @param names bound names, which no loop variable may hide
 */
export function checkTemplate(
  template: Json,
  names: Names = NO_NAMES,
): readonly TemplateProblem[] {
  return [...stringsIn(template)].flatMap(({ text, at }) => {
    const { template, problems } = parsed(text);
    const shadows = (template?.expressions ?? []).flatMap(({ expression, offset }) =>
      expression.variables.filter(({ name }) => names.has(name)).map((variable) => ({
        code: "shadowed_root" as const,
        message: describe(expression.source, hides(variable)),
        offset: offset + variable.offset,
      }))
    );
    return [...problems, ...shadows].map((problem) => ({ ...problem, at }));
  });
}

function hides({ name, offset }: { readonly name: string; readonly offset: number }): SourceFault {
  const message = `the loop variable "${name}" hides .${name}; give it another name`;
  return new SourceFault(message, offset, "shadowed_root");
}

/** Everything that is wrong with a `when` or `until`: also what can't be a bool. */
export function checkCondition(
  text: string,
  names: Names = NO_NAMES,
): readonly TemplateProblem[] {
  return checkSingle(text.trim(), names, {
    code: "not_a_condition",
    use: "a condition",
    misfit: "its value is not true or false",
    fits: ({ mayBeBool }) => mayBeBool,
  });
}

/** Everything that is wrong with a `foreach` that is text: also what can't be a list. */
export function checkItems(text: string, names: Names = NO_NAMES): readonly TemplateProblem[] {
  return checkSingle(text, names, {
    code: "no_list",
    use: 'the items of "foreach"',
    misfit: "its value is no list",
    fits: ({ mayBeList }) => mayBeList,
  });
}

/** What one expression by itself is used as. */
interface Use {
  readonly code: "not_a_condition" | "no_list";
  /** Goes on `Cannot use … as`. */
  readonly use: string;
  /** Why one that doesn't fit can't be used so. */
  readonly misfit: string;
  readonly fits: (expression: Expression) => boolean;
}

function checkSingle(
  text: string,
  names: Names,
  { code, use, misfit, fits }: Use,
): readonly TemplateProblem[] {
  const problems = checkTemplate(text, names);
  const { template } = parsed(text);
  if (template === undefined) return problems;
  const [only] = template.expressions;
  const isTrimmed = text === text.trim();
  const reason = !template.isWhole || only === undefined
    ? `it is text; write one {{ … }} and nothing around it${isTrimmed ? "" : ", not even a space"}`
    : fits(only.expression)
    ? undefined
    : misfit;
  if (reason === undefined) return problems;
  const message = `Cannot use ${quoted(text)} as ${use}: ${reason}`;
  return [...problems, { code, message, at: [], offset: only?.offset ?? 0 }];
}

type Found = Omit<TemplateProblem, "at">;

interface Parsed {
  readonly template?: ParsedTemplate;
  readonly problems: readonly Found[];
}

const MAX_KEPT = 10_000;
const kept = new Map<string, Parsed>();

function parsed(text: string): Parsed {
  let found = kept.get(text);
  if (found === undefined) {
    found = parse(text);
    if (kept.size >= MAX_KEPT) kept.clear();
    kept.set(text, found);
  }
  return found;
}

function parse(text: string): Parsed {
  const problems: Found[] = [];
  const parts: (string | Expression)[] = [];
  const expressions: { readonly expression: Expression; readonly offset: number }[] = [];
  try {
    for (const { kind, text: source, offset } of scanTemplate(text)) {
      if (kind === "text") parts.push(source);
      else {
        const { expression, faults = [] } = checkExpression(source);
        for (const fault of faults) {
          const message = describe(source, fault);
          problems.push({ code: fault.code, message, offset: offset + fault.offset });
        }
        if (expression === undefined) continue;
        parts.push(expression);
        expressions.push({ expression, offset });
      }
    }
  } catch (thrown) {
    if (!(thrown instanceof SourceFault)) throw thrown;
    const { code, message, offset } = thrown;
    problems.push({ code, message: `Cannot read ${quoted(text)}: ${message}`, offset });
  }
  if (problems.length > 0) return { problems };
  const [first, newline, ...rest] = parts;
  const isWhole = typeof first === "object" && rest.length === 0 &&
    (newline === undefined || newline === "\n" || newline === "\r\n");
  const evaluate = isWhole
    ? (bindings: Bindings) => first.evaluate(bindings)
    : (bindings: Bindings) => fill(parts, bindings);
  return { template: { isWhole, expressions, evaluate }, problems };
}

function fill(parts: readonly (string | Expression)[], bindings: Bindings): string {
  let text = "";
  for (const part of parts) {
    if (typeof part === "string") text += part;
    else {
      const value = part.evaluate(bindings);
      const reason = whyNoText(value);
      if (reason !== undefined) {
        throw invalid([`Cannot put ${shown(part.source)} into text: ${reason}`]);
      }
      text += toText(value);
      if (text.length > MAX_TEXT) throw invalid(["Cannot make a text of more than 8 MiB"]);
    }
  }
  return text;
}

function* stringsIn(
  template: Json,
  at: TemplatePath = [],
): Generator<{ readonly text: string; readonly at: TemplatePath }> {
  if (typeof template === "string") {
    if (isTemplate(template)) yield { text: template, at };
  } else if (template !== null && typeof template === "object") {
    const entries = isList(template) ? template.entries() : Object.entries(template);
    for (const [key, item] of entries) yield* stringsIn(item, [...at, key]);
  }
}

function isList(template: Json): template is readonly Json[] {
  return Array.isArray(template);
}

function quoted(text: string): string {
  const line = text.trim().replace(/\s+/g, " ");
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}

function invalid(messages: readonly string[]): MaestroError {
  return new MaestroError("EXPRESSION_ERROR", messages.join("\n"));
}
