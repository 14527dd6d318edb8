import { FUNCTIONS } from "./functions.ts";
import type { Expr } from "./syntax.ts";

const BOOL_OPERATORS = new Set(
  ["_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in", "_&&_", "_||_", "!_", "has"],
);

/** Whether an expression's outermost part leaves it possible that its value is of a kind. */
export function mayBe(wanted: "bool" | "list", { exprKind: kind }: Expr): boolean {
  const may = (expr: Expr) => mayBe(wanted, expr);
  switch (kind.case) {
    case "constExpr":
      return wanted === "bool" && kind.value.constantKind.case === "boolValue";
    case "listExpr":
      return wanted === "list";
    case "structExpr":
      return false;
    case "comprehensionExpr": {
      const isMade = kind.value.accuInit?.exprKind.case === "listExpr"; // map and filter begin with a list
      return isMade === (wanted === "list");
    }
    case "callExpr": {
      const { function: name, args } = kind.value;
      if (name === "_?_:_") return args.slice(1).some(may);
      if (name === "_[_]") return true;
      if (BOOL_OPERATORS.has(name)) return wanted === "bool";
      if (name === "_+_") return wanted === "list" && args.every(may);
      if (name === "default") return args.some(may);
      const native = FUNCTIONS.get(name);
      return native !== undefined && (native.gives === undefined || native.gives === wanted);
    }
    default:
      return true;
  }
}
