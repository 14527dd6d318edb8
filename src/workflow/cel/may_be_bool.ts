import { FUNCTIONS } from "./functions.ts";
import type { Expr } from "./syntax.ts";

const BOOL_OPERATORS = new Set(
  ["_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in", "_&&_", "_||_", "!_", "has"],
);

/** Whether an expression's outermost part leaves it possible that its value is a bool. */
export function mayBeBool({ exprKind: kind }: Expr): boolean {
  switch (kind.case) {
    case "constExpr":
      return kind.value.constantKind.case === "boolValue";
    case "listExpr":
    case "structExpr":
      return false;
    case "comprehensionExpr":
      return kind.value.accuInit?.exprKind.case === "constExpr"; // map and filter begin with a list
    case "callExpr": {
      const { function: name, args } = kind.value;
      if (name === "_?_:_") return args.slice(1).some(mayBeBool);
      if (BOOL_OPERATORS.has(name) || name === "_[_]") return true;
      if (name === "default") return args.some(mayBeBool);
      const native = FUNCTIONS.get(name);
      return native !== undefined && (native.gives === undefined || native.gives === "bool");
    }
    default:
      return true;
  }
}
