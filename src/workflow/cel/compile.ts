/**
 * A tree of CEL as a function. The library parses; evaluating is Maestro's own, because messages,
 * missing names, costs and error messages all need more than the library's evaluator lets through
 * (see docs/language.md), and because its time functions depend on the machine's time zone.
 *
 * @module
 */
import { celUint } from "@bufbuild/cel";
import { ROOTS } from "../words.ts";
import { Fault } from "./fault.ts";
import type { Run, Soft } from "./frame.ts";
import { FUNCTIONS } from "./functions.ts";
import { type Fields, isFields, type Item, settle, TypeItem } from "./item.ts";
import { collected, existsOne, type Loop, quantified } from "./loops.ts";
import { binary, conditional, unary } from "./operators.ts";
import { fieldOf, indexed, keyOf, missingField, missingItem } from "./select.ts";
import { type Expr, nameOf, type Parsed, SourceFault, walk } from "./syntax.ts";
import { isMacro, missingRoot, unknownFunction, unknownName } from "./unknown_names.ts";

/** A loop variable that an expression declares. */
export interface LoopVariable {
  readonly name: string;
  readonly offset: number;
}

/** What {@linkcode compile} makes. */
export interface Compiled {
  readonly run: Run;
  readonly variables: readonly LoopVariable[];
  /** Whether it may make lists, maps or types, and not only find what is there. */
  readonly builds: boolean;
  /** All that is wrong; where there is any, `run` must not be called. */
  readonly faults: readonly SourceFault[];
}

/** Compiles a whole expression. */
export function compile(parsed: Parsed): Compiled {
  const compiler = new Compiler(parsed);
  const run = compiler.compile(parsed.expr, []);
  const { variables, builds, faults } = compiler;
  return { run, variables, builds, faults };
}

/** Types, which are values by their names. */
const TYPES = new Map(
  ["int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type"]
    .map((name) => [name, new TypeItem(name)]),
);

type Scope = readonly string[];
type ExprOf<C> = Extract<Expr["exprKind"], { readonly case: C }>["value"];

class Compiler {
  readonly #parsed: Parsed;
  readonly faults: SourceFault[] = [];
  readonly variables: LoopVariable[] = [];
  builds = false;

  constructor(parsed: Parsed) {
    this.#parsed = parsed;
  }

  compile(expr: Expr, scope: Scope): Run {
    const kind = expr.exprKind;
    switch (kind.case) {
      case "constExpr":
        return this.#constant(expr, kind.value);
      case "identExpr":
        return this.#name(expr, kind.value.name, scope);
      case "selectExpr":
        return this.#select(expr, kind.value, scope);
      case "callExpr":
        return this.#call(expr, kind.value, scope);
      case "listExpr": {
        this.builds = true;
        const items = kind.value.elements.map((item) => this.compile(item, scope));
        return (frame) => items.map((item) => item(frame));
      }
      case "structExpr":
        return this.#map(expr, kind.value, scope);
      case "comprehensionExpr":
        return this.#loop(expr, kind.value, scope);
      default:
        return this.#refuse(expr, "it is not CEL", "expression_syntax");
    }
  }

  #refuse(expr: Expr, message: string, code: SourceFault["code"]): Run {
    this.faults.push(new SourceFault(message, this.#parsed.offset(expr), code));
    return () => null;
  }

  #constant(expr: Expr, { constantKind: constant }: ExprOf<"constExpr">): Run {
    let value: Item;
    switch (constant.case) {
      case "nullValue":
        value = null;
        break;
      case "uint64Value":
        value = celUint(constant.value);
        if (constant.value >= 2n ** 64n) {
          return this.#refuse(expr, "the uint is beyond 64 bits", "expression_syntax");
        }
        break;
      case "int64Value":
        value = constant.value;
        if (value >= 2n ** 63n || value < -(2n ** 63n)) {
          return this.#refuse(expr, "the int is beyond 64 bits", "expression_syntax");
        }
        break;
      case "boolValue":
      case "doubleValue":
      case "stringValue":
      case "bytesValue":
        value = constant.value;
        break;
      default:
        return this.#refuse(expr, "it is not CEL", "expression_syntax");
    }
    return () => value;
  }

  #name(expr: Expr, name: string, scope: Scope): Run {
    if (this.#parsed.isRoot(expr)) {
      const soft = this.#root(expr, name);
      return (frame) => {
        const value = soft(frame);
        if (value === undefined) throw missingRoot(name, frame.roots);
        return value;
      };
    }
    const slot = scope.lastIndexOf(name);
    if (slot !== -1) return ({ loops }) => loops[slot] ?? null;
    const type = TYPES.get(name);
    if (type !== undefined) return this.#type(type);
    return this.#refuse(
      expr,
      unknownName(name, this.#parsed.source, this.#parsed.offset(expr)),
      "expression_name",
    );
  }

  #type(type: TypeItem): Run {
    this.builds = true;
    return () => type;
  }

  #root(expr: Expr, name: string): Soft {
    if (/^[A-Z]/.test(name)) {
      const message =
        `there is no .${name}: names are in small letters, and a run's input is .input`;
      this.#refuse(expr, message, "expression_name");
    }
    return ({ roots }) => {
      const value = Object.hasOwn(roots, name) ? roots[name] : undefined;
      return value === undefined ? undefined : settle(value);
    };
  }

  #select(expr: Expr, select: ExprOf<"selectExpr">, scope: Scope): Run {
    const type = select.testOnly ? undefined : this.#typeName(expr, scope);
    if (type !== undefined) return this.#type(type);
    const { operand, field } = select;
    if (operand === undefined) return this.#refuse(expr, "it is not CEL", "expression_syntax");
    const where = nameOf(operand, this.#parsed);
    if (select.testOnly) {
      const soft = this.#soft(operand, scope);
      return (frame) => {
        const item = soft(frame) ?? null;
        return item !== null && fieldOf(item, field, where) !== undefined;
      };
    }
    const run = this.compile(operand, scope);
    return (frame) => {
      const item = run(frame);
      const value = fieldOf(item, field, where);
      if (value === undefined) throw missingField(item, field, where);
      return value;
    };
  }

  /** `google.protobuf.Timestamp` as a type. */
  #typeName(expr: Expr, scope: Scope): TypeItem | undefined {
    const name = nameOf(expr, this.#parsed);
    return /^google\.protobuf\.(Timestamp|Duration)$/.test(name) && !scope.includes("google")
      ? new TypeItem(name)
      : undefined;
  }

  /** The same, but a name, field or item that is missing gives `undefined`, all along the path. */
  #soft(expr: Expr, scope: Scope): Soft {
    const kind = expr.exprKind;
    if (kind.case === "identExpr" && this.#parsed.isRoot(expr)) {
      return this.#root(expr, kind.value.name);
    }
    if (kind.case === "selectExpr" && !kind.value.testOnly && kind.value.operand !== undefined) {
      const { operand, field } = kind.value;
      const where = nameOf(operand, this.#parsed);
      const soft = this.#soft(operand, scope);
      return (frame) => {
        const item = soft(frame) ?? null;
        return item === null ? undefined : fieldOf(item, field, where);
      };
    }
    const [operand, index] = kind.case === "callExpr" && kind.value.function === "_[_]"
      ? kind.value.args
      : [];
    if (operand === undefined || index === undefined) return this.compile(expr, scope);
    const where = nameOf(operand, this.#parsed);
    const [soft, key] = [this.#soft(operand, scope), this.compile(index, scope)];
    return (frame) => {
      const item = soft(frame) ?? null;
      return item === null ? undefined : indexed(item, key(frame), where);
    };
  }

  #call(expr: Expr, call: ExprOf<"callExpr">, scope: Scope): Run {
    const { function: name, target, args } = call;
    if (target === undefined) {
      if (name === "has") return this.#has(expr, args, scope);
      if (name === "default") return this.#default(expr, args, scope);
      const operator = this.#operator(name, args, scope);
      if (operator !== undefined) return operator;
    }
    const namespaced = target && `${nameOf(target, this.#parsed)}.${name}`;
    if (namespaced !== undefined && FUNCTIONS.has(namespaced)) {
      return this.#native(expr, namespaced, false, args, scope);
    }
    const all = target === undefined ? args : [target, ...args];
    return this.#native(expr, name, target !== undefined, all, scope);
  }

  #operator(name: string, args: readonly Expr[], scope: Scope): Run | undefined {
    if (/^\w+$/.test(name) && !name.startsWith("_")) return undefined;
    const [first, second, third] = args;
    if (first === undefined) return undefined;
    if (name === "_[_]" && second !== undefined) return this.#index(first, second, scope);
    const run = this.compile(first, scope);
    if (second === undefined) return unary(name, run);
    const other = this.compile(second, scope);
    if (third === undefined) return binary(name, run, other);
    return name === "_?_:_" ? conditional(run, other, this.compile(third, scope)) : undefined;
  }

  #index(operand: Expr, index: Expr, scope: Scope): Run {
    const where = nameOf(operand, this.#parsed);
    const [run, key] = [this.compile(operand, scope), this.compile(index, scope)];
    const isWritten = index.exprKind.case === "constExpr";
    return (frame) => {
      const [item, at] = [run(frame), key(frame)];
      const value = indexed(item, at, where);
      if (value === undefined) throw missingItem(item, at, where, isWritten);
      return value;
    };
  }

  /** `has(.name)` and `has(.list[0])`; the parser itself reads `has(.a.b)`. */
  #has(expr: Expr, args: readonly Expr[], scope: Scope): Run {
    const [asked, ...rest] = args;
    if (asked === undefined || rest.length > 0 || !isPath(asked)) {
      return this.#refuse(expr, "has() asks for one path; write has(.a.b)", "expression_call");
    }
    const soft = this.#soft(asked, scope);
    return (frame) => soft(frame) !== undefined;
  }

  /** What is missing, null or the `{}` of a skipped step gives the other value. */
  #default(expr: Expr, args: readonly Expr[], scope: Scope): Run {
    const [asked, otherwise, ...rest] = args;
    if (asked === undefined || otherwise === undefined || rest.length > 0) {
      return this.#refuse(expr, "write default(.a.b, 'x')", "expression_call");
    }
    const [soft, other] = [this.#soft(asked, scope), this.compile(otherwise, scope)];
    return (frame) => {
      let item: Item | undefined;
      try {
        item = soft(frame);
      } catch (thrown) {
        if (!(thrown instanceof Fault) || thrown.kind !== "missing") throw thrown;
      }
      return item === undefined || item === null || isEmptyMap(item) ? other(frame) : item;
    };
  }

  #native(expr: Expr, name: string, isMethod: boolean, args: readonly Expr[], scope: Scope): Run {
    const native = FUNCTIONS.get(name);
    if (native === undefined || native.form === (isMethod ? "function" : "method")) {
      if (!isMacro(name)) { for (const arg of args) this.compile(arg, scope); }
      return this.#refuse(expr, unknownFunction(name, isMethod, native), "expression_call");
    }
    const runs = args.map((arg) => this.compile(arg, scope));
    if (args.length < native.least || args.length > native.most) {
      const own = isMethod ? 1 : 0;
      const counts = [...new Set([native.least - own, native.most - own])].join(" or ");
      const message = `${name}() takes ${counts} ${counts === "1" ? "argument" : "arguments"}`;
      return this.#refuse(expr, message, "expression_call");
    }
    const { run } = native;
    this.builds ||= native.gives === "type";
    return (frame) => run(runs.map((arg) => arg(frame)), frame.budget);
  }

  #map(expr: Expr, { messageName, entries }: ExprOf<"structExpr">, scope: Scope): Run {
    if (messageName !== "") {
      const message = `a message is written as a map: {'field': …}, not ${messageName}{…}`;
      return this.#refuse(expr, message, "expression_syntax");
    }
    this.builds = true;
    const pairs = entries.flatMap(({ keyKind, value }) =>
      keyKind.case === "mapKey" && value !== undefined
        ? [[this.compile(keyKind.value, scope), this.compile(value, scope)] as const]
        : []
    );
    return (frame) => {
      const made = new Map<string | bigint | boolean, Item>();
      let isKeyed = false;
      for (const [key, value] of pairs) {
        const name = keyOf(key(frame));
        if (name === undefined) throw new Fault("a map's keys are strings, ints or bools");
        if (made.has(name)) throw new Fault("a map has the same key twice");
        isKeyed ||= typeof name !== "string";
        made.set(name, value(frame));
      }
      return isKeyed ? made : Object.fromEntries(made);
    };
  }

  #loop(expr: Expr, loop: ExprOf<"comprehensionExpr">, scope: Scope): Run {
    const { iterRange, iterVar, accuInit, loopStep } = loop;
    const step = loopStep?.exprKind;
    if (iterRange === undefined || step?.case !== "callExpr") {
      return this.#refuse(expr, "it is not CEL", "expression_syntax");
    }
    this.#declare(expr, iterVar);
    this.builds = true;
    const inner = [...scope, iterVar];
    const range = this.compile(iterRange, scope);
    let weight = 1;
    walk(loopStep as Expr, ({ exprKind }) => weight += exprKind.case === "callExpr" ? 4 : 1); // it has a kind
    const made: Loop = {
      range,
      slot: scope.length,
      weight,
      where: nameOf(iterRange, this.#parsed),
    };
    const init = accuInit?.exprKind;
    if (init?.case === "constExpr" && init.value.constantKind.case === "boolValue") {
      const test = step.value.args[1];
      if (test === undefined) return this.#refuse(expr, "it is not CEL", "expression_syntax");
      return quantified(made, !init.value.constantKind.value, this.compile(test, inner));
    }
    const [test, passed] = step.value.function === "_?_:_"
      ? step.value.args
      : [undefined, loopStep];
    const condition = test && this.compile(test, inner);
    if (init?.case === "constExpr") return existsOne(made, condition ?? (() => true));
    const list = passed?.exprKind.case === "callExpr" ? passed.exprKind.value.args[1] : undefined;
    const item = list?.exprKind.case === "listExpr" ? list.exprKind.value.elements[0] : undefined;
    if (item === undefined) return this.#refuse(expr, "it is not CEL", "expression_syntax");
    return collected(made, condition, this.compile(item, inner));
  }

  #declare(expr: Expr, name: string): void {
    const offset = this.#parsed.offset(expr);
    this.variables.push({ name, offset });
    if (!(ROOTS as readonly string[]).includes(name)) return;
    const message = `the loop variable "${name}" hides .${name}; give it another name`;
    this.faults.push(new SourceFault(message, offset, "shadowed_root"));
  }
}

function isPath({ exprKind: kind }: Expr): boolean {
  return kind.case === "identExpr" || kind.case === "selectExpr" ||
    (kind.case === "callExpr" && kind.value.function === "_[_]");
}

function isEmptyMap(item: Item): boolean {
  return isFields(item) && Object.keys(item satisfies Fields).length === 0;
}
