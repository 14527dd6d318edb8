/**
 * What Maestro reads from a parsed expression, and what it changes before it is planned.
 *
 * @module
 */
import { create } from "@bufbuild/protobuf";
import { type Expr, type Expr_Comprehension, ExprSchema } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { APPEND, GIVEN, PRESENT, TICK } from "./cel_env.ts";

/** An identifier, with the fields that are read from it as far as they are written out. */
export interface Root {
  readonly name: string;
  readonly path: readonly string[];
  readonly id: bigint;
}

/** What an expression refers to. */
export interface Reading {
  readonly roots: readonly Root[];
  /** The variables that its macros bind. */
  readonly variables: readonly string[];
  /** The functions and methods that it calls. */
  readonly calls: readonly { readonly name: string; readonly id: bigint }[];
}

/** Lists what an expression refers to; variables of its own macros are no roots. */
export function readTree(expr: Expr): Reading {
  const roots: Root[] = [];
  const variables = new Set<string>();
  const calls: { name: string; id: bigint }[] = [];

  const visit = (node: Expr | undefined, bound: ReadonlySet<string>, path: readonly string[]): void => {
    const kind = node?.exprKind;
    if (node === undefined || kind === undefined) return;
    switch (kind.case) {
      case "identExpr":
        if (!bound.has(kind.value.name)) roots.push({ name: kind.value.name, path, id: node.id });
        return;
      case "selectExpr":
        return visit(kind.value.operand, bound, [kind.value.field, ...path]);
      case "callExpr": {
        const { function: name, target, args } = kind.value;
        const [operand, index] = args;
        if (name === "_[_]") {
          const key = index === undefined ? undefined : textOf(index);
          visit(operand, bound, key === undefined ? [] : [key, ...path]);
          return visit(index, bound, []);
        }
        calls.push({ name, id: node.id });
        visit(target, bound, []);
        for (const arg of args) visit(arg, bound, []);
        return;
      }
      case "listExpr":
        for (const element of kind.value.elements) visit(element, bound, []);
        return;
      case "structExpr":
        for (const { keyKind, value } of kind.value.entries) {
          if (keyKind.case === "mapKey") visit(keyKind.value, bound, []);
          visit(value, bound, []);
        }
        return;
      case "comprehensionExpr": {
        const { iterVar, accuVar, iterRange, accuInit, loopCondition, loopStep, result } = kind.value;
        variables.add(iterVar);
        visit(iterRange, bound, []);
        visit(accuInit, bound, []);
        const accumulated = new Set([...bound, accuVar]);
        const inside = new Set([...accumulated, iterVar]);
        visit(loopCondition, inside, []);
        visit(loopStep, inside, []);
        return visit(result, accumulated, []);
      }
    }
  };
  visit(expr, new Set(), []);
  return { roots, variables: [...variables], calls };
}

/** Whether an expression may be a bool: `false` only where it surely isn't. */
export function mayBeBool({ exprKind }: Expr): boolean {
  switch (exprKind.case) {
    case "constExpr":
      return exprKind.value.constantKind.case === "boolValue";
    case "listExpr":
    case "structExpr":
      return false;
    case "callExpr": {
      const { function: name, args } = exprKind.value;
      if (name !== "_?_:_") return !NEVER_BOOL.has(name);
      return args.slice(1).every(mayBeBool);
    }
    default:
      return true;
  }
}

/** Functions whose result is never a bool. */
const NEVER_BOOL: ReadonlySet<string> = new Set(
  ("_+_ _-_ _*_ _/_ _%_ -_ size int uint double string bytes type timestamp duration json base64 sha256 " +
    "upperAscii lowerAscii trim replace split join substring charAt indexOf lastIndexOf format").split(" "),
);

/** Prepares an expression for planning: `default(…)` asks along its path, macros are counted and grow their lists in place. */
export function rewrite(expr: Expr): Expr {
  const kind = expr.exprKind;
  switch (kind.case) {
    case "selectExpr":
      if (kind.value.operand !== undefined) kind.value.operand = rewrite(kind.value.operand);
      return expr;
    case "callExpr": {
      const call = kind.value;
      if (call.target !== undefined) call.target = rewrite(call.target);
      call.args = call.args.map(rewrite);
      const [value, fallback] = call.args;
      const isDefault = call.function === "default" && call.target === undefined && call.args.length === 2;
      return isDefault && value && fallback ? withDefault(expr.id, value, fallback) : expr;
    }
    case "listExpr":
      kind.value.elements = kind.value.elements.map(rewrite);
      return expr;
    case "structExpr":
      for (const entry of kind.value.entries) {
        if (entry.value !== undefined) entry.value = rewrite(entry.value);
      }
      return expr;
    case "comprehensionExpr":
      rewriteMacro(kind.value);
      return expr;
    default:
      return expr;
  }
}

function rewriteMacro(macro: Expr_Comprehension): void {
  if (macro.iterRange) macro.iterRange = rewrite(macro.iterRange);
  if (macro.loopStep) macro.loopStep = growInPlace(rewrite(macro.loopStep), macro.accuVar);
  if (macro.result) macro.result = rewrite(macro.result);
  const { loopCondition } = macro;
  if (loopCondition) {
    macro.loopCondition = call(loopCondition.id, "_&&_", [call(loopCondition.id, TICK, []), loopCondition]);
  }
}

/** `@result + [item]`, also as a branch of a filter, becomes an append: joined lists nest ever deeper. */
function growInPlace(step: Expr, accumulator: string): Expr {
  const kind = step.exprKind;
  if (kind.case !== "callExpr") return step;
  const { function: name, args } = kind.value;
  if (name === "_?_:_") {
    kind.value.args = args.map((arg) => growInPlace(arg, accumulator));
    return step;
  }
  const [list, items] = args;
  const item = items?.exprKind.case === "listExpr" ? items.exprKind.value.elements[0] : undefined;
  const grows = name === "_+_" && list?.exprKind.case === "identExpr" &&
    list.exprKind.value.name === accumulator;
  return grows && list && item ? call(step.id, APPEND, [list, item]) : step;
}

/** `default(a.b, x)`: every part of the path is there and not null ? a.b : x. */
function withDefault(id: bigint, value: Expr, fallback: Expr): Expr {
  const present = call(id, "_&&_", presenceTests(value));
  return call(id, "_?_:_", [present, value, fallback]);
}

function presenceTests(value: Expr): Expr[] {
  const kind = value.exprKind;
  const given = call(value.id, GIVEN, [value]);
  if (kind.case === "selectExpr" && kind.value.operand !== undefined) {
    const { operand, field } = kind.value;
    const has = create(ExprSchema, {
      id: value.id,
      exprKind: { case: "selectExpr", value: { operand, field, testOnly: true } },
    });
    return [...stepsTo(operand), has, given];
  }
  if (kind.case === "callExpr" && kind.value.function === "_[_]") {
    const [container, key] = kind.value.args;
    if (container && key) return [...stepsTo(container), call(value.id, PRESENT, [container, key]), given];
  }
  return [given];
}

/** A base that is no path is simply evaluated: what fails there is a mistake, not something missing. */
function stepsTo(base: Expr): Expr[] {
  const kind = base.exprKind.case;
  return kind === "selectExpr" || kind === "callExpr" ? presenceTests(base) : [];
}

function call(id: bigint, name: string, args: Expr[]): Expr {
  return create(ExprSchema, {
    id,
    exprKind: { case: "callExpr", value: { function: name, args } },
  });
}

function textOf({ exprKind }: Expr): string | undefined {
  if (exprKind.case !== "constExpr" || exprKind.value.constantKind.case !== "stringValue") return undefined;
  return exprKind.value.constantKind.value;
}
