import { children, type Expr, literalText, type Parsed } from "./syntax.ts";

/** A root that an expression uses: `.steps.create_user.output` is `steps` with a path of two. */
export interface Ref {
  readonly root: string;
  /** The fields that are written after it, up to the first that is computed. */
  readonly path: readonly string[];
  /** Where its dot stands, in UTF-16 units from 0. */
  readonly offset: number;
  /** Whether it stands in `has()` or is the first of `default()`, and so may have no value. */
  readonly optional: boolean;
}

/** Every use of a root, in the order of the text. */
export function refsOf(parsed: Parsed): readonly Ref[] {
  const refs: Ref[] = [];
  collect(parsed.expr, [], false, parsed, refs);
  return refs.sort((a, b) => a.offset - b.offset);
}

function collect(
  expr: Expr,
  path: readonly string[],
  optional: boolean,
  parsed: Parsed,
  refs: Ref[],
): void {
  const { exprKind: kind } = expr;
  if (kind.case === "identExpr") {
    if (!parsed.isRoot(expr)) return;
    refs.push({ root: kind.value.name, path, offset: parsed.offset(expr), optional });
    return;
  }
  if (kind.case === "selectExpr" && kind.value.operand !== undefined) {
    const { operand, field, testOnly } = kind.value;
    return collect(operand, [field, ...path], optional || testOnly, parsed, refs);
  }
  if (kind.case === "callExpr" && kind.value.function === "_[_]") {
    const [operand, index] = kind.value.args;
    const key = literalText(index);
    if (operand) collect(operand, key === undefined ? [] : [key, ...path], optional, parsed, refs);
    if (index && key === undefined) collect(index, [], optional, parsed, refs);
    return;
  }
  const asks = kind.case === "callExpr" && ["has", "default"].includes(kind.value.function);
  children(expr).forEach((child, at) =>
    collect(child, [], optional || (asks && at === 0), parsed, refs)
  );
}
