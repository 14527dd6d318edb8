/**
 * CEL text as a tree, and what can be said about a tree without evaluating it.
 *
 * @module
 */
import { parse } from "@bufbuild/cel";

/** A node of the tree. */
export type Expr = ReturnType<typeof parse>["expr"];

/** An expression as the parser read it. */
export interface Parsed {
  readonly source: string;
  readonly expr: Expr;
  /** Where a node stands in the source, in UTF-16 units from 0. */
  readonly offset: (expr: Expr) => number;
  /** Whether a name was written with a leading dot, and so stands for a root. */
  readonly isRoot: (expr: Expr) => boolean;
}

/** Something wrong with an expression, and where. */
export class SourceFault {
  constructor(
    readonly message: string,
    /** In UTF-16 units from the expression's start. */
    readonly offset: number,
    /** A stable name for the kind of problem. */
    readonly code:
      | "expression_syntax"
      | "expression_name"
      | "expression_call"
      | "shadowed_root"
      | "go_template",
  ) {}
}

/** @throws {SourceFault} where the text is not CEL */
export function parseExpression(source: string): Parsed {
  const { expr, sourceInfo } = parseText(source);
  const positions = sourceInfo?.positions ?? {};
  const offset = (node: Expr) => positions[String(node.id)] ?? 0;
  const macros = new Set<number>();
  walk(expr, (node) => {
    if (node.exprKind.case === "comprehensionExpr") macros.add(offset(node));
  });
  // The parser drops the leading dot but keeps its place. Names that a macro adds stand at the
  // macro's own dot.
  const isRoot = (node: Expr) => source[offset(node)] === "." && !macros.has(offset(node));
  return { source, expr, offset, isRoot };
}

function parseText(source: string): ReturnType<typeof parse> {
  try {
    return parse(source);
  } catch (error) {
    throw syntaxFault(source, error);
  }
}

/** What the library's syntax errors carry, beside their message. */
interface Located {
  readonly rawMessage?: unknown;
  readonly location?: { readonly start?: { readonly offset?: unknown } };
  readonly found?: unknown;
}

function syntaxFault(source: string, error: unknown): SourceFault {
  const { location, found, rawMessage } = error as Located; // any of them may be absent
  const offset = typeof location?.start?.offset === "number" ? location.start.offset : 0;
  if (source.trim() === "") {
    return new SourceFault("there is no expression", 0, "expression_syntax");
  }
  const word = /^\w+/.exec(source.slice(offset))?.[0];
  if (typeof rawMessage === "string" && rawMessage.startsWith("reserved")) {
    const message = `"${word}" is a word of CEL's own; for a key of this name write ['${word}']`;
    return new SourceFault(message, offset, "expression_syntax");
  }
  if (offset >= source.trimEnd().length || found === "") {
    return new SourceFault("it ends too early", source.trimEnd().length, "expression_syntax");
  }
  const hint = hintFor(source, offset);
  if (hint !== undefined) return new SourceFault(hint, offset, "expression_syntax");
  const message = found === undefined
    ? "it is not CEL"
    : `"${word ?? found}" is not expected here (character ${offset + 1})`;
  return new SourceFault(message, offset, "expression_syntax");
}

/** What is written in other languages, and how CEL says it. */
const SPELLINGS: readonly (readonly [RegExp, string])[] = [
  [/^and\b/, 'CEL has no "and"; write &&'],
  [/^or\b/, 'CEL has no "or"; write ||'],
  [/^not\b/, 'CEL has no "not"; write !'],
  [/^is\b/, 'CEL has no "is"; write =='],
  [/^\?\?/, "CEL has no ??; write default(.a.b, 'x')"],
  [/^\??\.\s*["'`[]/, "a key that is not a word is written ['such a key']"],
  [/^\?\./, "CEL has no ?.; write default(.a.b, 'x') or has(.a.b)"],
  [/^(===|!==|=(?!=))/, "things are compared by == and !="],
];

function hintFor(source: string, offset: number): string | undefined {
  return SPELLINGS.find(([written]) => written.test(source.slice(offset)))?.[1];
}

/** Visits a node and all below it, however deep that is, in the order of the text. */
export function walk(expr: Expr, visit: (expr: Expr) => void): void {
  const rest = [expr];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    visit(next);
    rest.push(...children(next).toReversed());
  }
}

/** The nodes right below a node. */
export function children({ exprKind }: Expr): readonly Expr[] {
  const found = (...exprs: readonly (Expr | undefined)[]) =>
    exprs.filter((expr): expr is Expr => expr !== undefined);
  switch (exprKind.case) {
    case "selectExpr":
      return found(exprKind.value.operand);
    case "callExpr":
      return found(exprKind.value.target, ...exprKind.value.args);
    case "listExpr":
      return exprKind.value.elements;
    case "structExpr":
      return exprKind.value.entries.flatMap(({ keyKind, value }) =>
        found(keyKind.case === "mapKey" ? keyKind.value : undefined, value)
      );
    case "comprehensionExpr": {
      const { iterRange, accuInit, loopCondition, loopStep, result } = exprKind.value;
      return found(iterRange, accuInit, loopCondition, loopStep, result);
    }
    default:
      return [];
  }
}

/** The text that a node is a literal of. */
export function literalText(expr: Expr | undefined): string | undefined {
  const constant = expr?.exprKind.case === "constExpr" && expr.exprKind.value.constantKind;
  return constant && constant.case === "stringValue" ? constant.value : undefined;
}

/** A node as messages name it: `.user.address`, `.items[0]`, or `it` for what is computed. */
export function nameOf(expr: Expr | undefined, parsed: Parsed): string {
  return chainOf(expr, parsed) ?? "it";
}

function chainOf(expr: Expr | undefined, parsed: Parsed): string | undefined {
  const kind = expr?.exprKind;
  if (expr === undefined || kind === undefined) return undefined;
  if (kind.case === "identExpr") return (parsed.isRoot(expr) ? "." : "") + kind.value.name;
  if (kind.case === "selectExpr") {
    const operand = chainOf(kind.value.operand, parsed);
    return operand && `${operand}.${kind.value.field}`;
  }
  if (kind.case !== "callExpr" || kind.value.function !== "_[_]") return undefined;
  const operand = chainOf(kind.value.args[0], parsed);
  const key = kind.value.args[1]?.exprKind;
  const constant = key?.case === "constExpr" ? key.value.constantKind : undefined;
  if (constant?.case === "stringValue") return operand && `${operand}['${constant.value}']`;
  return operand && `${operand}[${constant?.case === "int64Value" ? constant.value : "…"}]`;
}
