/**
 * One expression of CEL: compiled once, evaluated often.
 *
 * @module
 */
import { isCelError, parse, plan } from "@bufbuild/cel";
import { MaestroError } from "../errors.ts";
import { environment, FUNCTION_NAMES, resetBounds } from "./cel_env.ts";
import { celToPlain, plainToCel } from "./cel_values.ts";
import { goHabit } from "./habits.ts";
import { didYouMean } from "./nearest.ts";
import { FieldMap } from "./record_map.ts";
import { TemplateError } from "./scanner.ts";
import { mayBeBool, readTree, rewrite } from "./syntax_tree.ts";
import type { Value } from "./value.ts";

/** What expressions see: the roots by name. */
export type Bindings = Readonly<Record<string, Value>>;

/** A root that an expression reads, with the fields that are written out after it. */
export interface Reference {
  readonly root: string;
  readonly path: readonly string[];
  /** Where it begins in the expression's source. */
  readonly offset: number;
}

/** A compiled expression. */
export interface Expression {
  readonly source: string;
  readonly refs: readonly Reference[];
  /** `false`: it surely yields something else than a bool. */
  readonly mayBeBool: boolean;
  /** @throws {MaestroError} `EXPRESSION_ERROR` */
  evaluate(bindings: Bindings): Value;
}

/** Roots that are always there; a macro's variable may not hide one. */
export const ROOTS: ReadonlySet<string> = new Set(["input", "run", "env", "secrets", "steps", "error"]);

/** Names of types, which stand for themselves. */
const TYPES: ReadonlySet<string> = new Set(
  "int uint double bool string bytes list map null_type type".split(" "),
);

const compiled = new Map<string, Expression>();

/** Compiles an expression; the same source is compiled once. @throws {TemplateError} with the offset of what is wrong */
export function compileExpression(source: string): Expression {
  let expression = compiled.get(source);
  if (expression === undefined) compiled.set(source, expression = compile(source));
  return expression;
}

function compile(source: string): Expression {
  if (source.trim() === "") throw new TemplateError("The expression is empty: write what it stands for, as in {{ .input.name }}", 0);
  const habit = goHabit(source);
  if (habit !== undefined) throw new TemplateError(habit, 0);
  const { expr, positions } = parseSource(source);
  const { roots, variables, calls } = readTree(expr);
  const refs = roots.filter(({ name }) => !TYPES.has(name)).map(({ name, path, id }) => ({
    root: name,
    path,
    offset: positions(id),
  }));
  for (const { root, offset } of refs) checkRoot(source, root, offset);
  checkVariables(variables, refs);
  for (const { name, id } of calls) checkCall(name, positions(id));
  const bool = mayBeBool(expr);
  const run = plan(environment, rewrite(expr));
  return {
    source,
    refs,
    mayBeBool: bool,
    evaluate(bindings) {
      resetBounds();
      const seen: Record<string, ReturnType<typeof plainToCel>> = {};
      for (const { root } of refs) {
        const value = bindings[root];
        if (value !== undefined) seen[root] = plainToCel(value);
      }
      try {
        const result = run(seen);
        if (isCelError(result)) throw result;
        return celToPlain(result);
      } catch (thrown) {
        const why = missing(refs, bindings) ?? (thrown instanceof Error ? thrown.message : String(thrown));
        throw new MaestroError("EXPRESSION_ERROR", `Cannot evaluate {{ ${source.trim()} }}: ${why}`, {
          cause: thrown,
        });
      }
    },
  };
}

function parseSource(source: string) {
  try {
    const { expr, sourceInfo } = parse(source);
    return { expr, positions: (id: bigint) => sourceInfo?.positions[String(id)] ?? 0 };
  } catch (thrown) {
    const [, line, column, message = String(thrown)] =
      /^<input>:(\d+):(\d+): ([\s\S]*)$/.exec(thrown instanceof Error ? thrown.message : "") ?? [];
    const before = source.split("\n").slice(0, Number(line ?? 1) - 1).join("\n").length;
    const offset = before + (line === "1" || line === undefined ? 0 : 1) + Number(column ?? 1) - 1;
    throw new TemplateError(`Cannot read {{ ${source.trim()} }}: ${message}`, offset);
  }
}

/** A leading dot names what a step can see; the parser drops it, the position remembers it. */
function checkRoot(source: string, root: string, offset: number): void {
  if (source[offset] === ".") return;
  throw new TemplateError(
    `"${root}" is no name of CEL: write .${root}, with a leading dot, for what a step can see`,
    offset,
  );
}

function checkVariables(variables: readonly string[], refs: readonly Reference[]): void {
  for (const variable of variables) {
    const hidden = refs.find((ref) => ref.root === variable);
    if (hidden === undefined && !ROOTS.has(variable)) continue;
    throw new TemplateError(
      `The loop variable "${variable}" hides .${variable}: give it another name`,
      hidden?.offset ?? 0,
    );
  }
}

function checkCall(name: string, offset: number): void {
  if (!/^[a-zA-Z]/.test(name) || FUNCTION_NAMES.has(name)) return;
  throw new TemplateError(`There is no function "${name}"${didYouMean(name, FUNCTION_NAMES)}`, offset);
}

/** Finds the first part of a path that isn't there: the library only says that something isn't. */
function missing(refs: readonly Reference[], bindings: Bindings): string | undefined {
  for (const { root, path } of refs) {
    let at = `.${root}`;
    let value: unknown = bindings[root];
    if (value === undefined) return `there is no ${at} here`;
    for (const name of path) {
      const container = plainToCel(value);
      if (!(container instanceof FieldMap)) {
        if (typeof container === "object" && container !== null) break;
        return `${at} is ${container === null ? "null" : `a ${typeof container}`} and has no "${name}"`;
      }
      const next = container.field(name);
      if (next === undefined) {
        const names = container.names();
        const has = names.length === 0 ? "it is empty" : `it has: ${names.slice(0, 20).join(", ")}`;
        return `there is no "${name}" in ${at} (${has})`;
      }
      value = next;
      at += `.${name}`;
    }
  }
  return undefined;
}
