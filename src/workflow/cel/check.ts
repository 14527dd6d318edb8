/**
 * One expression, from its text to its value.
 *
 * @module
 */
import { MaestroError } from "../../errors.ts";
import { Budget } from "./budget.ts";
import { compile, type LoopVariable } from "./compile.ts";
import { checkText, checkTree } from "./extent.ts";
import { Fault } from "./fault.ts";
import type { Run } from "./frame.ts";
import { refuseGoHabits } from "./go_habits.ts";
import { mayBe } from "./may_be.ts";
import { type Ref, refsOf } from "./refs.ts";
import { toValue } from "./result.ts";
import { parseExpression, SourceFault } from "./syntax.ts";
import type { Value } from "../value.ts";

/** The values of the roots, by name and without the dot. */
export type Bindings = Readonly<Record<string, Value>>;

/** One compiled expression. */
export interface Expression {
  /** As written between the braces. */
  readonly source: string;
  /** Every use of a root, in the order of the text. */
  readonly refs: readonly Ref[];
  /** Whether its value could be a bool, as far as its outermost part tells. */
  readonly mayBeBool: boolean;
  /** Likewise, a list. */
  readonly mayBeList: boolean;
  /** The loop variables that its macros declare. */
  readonly variables: readonly LoopVariable[];
  /**
   * The expression's value.
   *
   * @throws {MaestroError} `EXPRESSION_ERROR`, naming the expression and what is missing or does not
   * fit, but no values
   */
  evaluate(bindings: Bindings): Value;
}

/** An expression, or all that is wrong with it. */
export type Checked =
  | { readonly expression: Expression; readonly faults?: undefined }
  | { readonly expression?: undefined; readonly faults: readonly SourceFault[] };

const MAX_KEPT = 10_000;
const kept = new Map<string, Checked>();

/** An expression, or every problem of it. The same text is compiled once. */
export function checkExpression(source: string): Checked {
  let checked = kept.get(source);
  if (checked === undefined) {
    checked = check(source);
    if (kept.size >= MAX_KEPT) kept.clear();
    kept.set(source, checked);
  }
  return checked;
}

/** What is wrong with an expression, as a message says it. */
export function describe(source: string, fault: SourceFault): string {
  return `Cannot read ${shown(source)}: ${fault.message}`;
}

function check(source: string): Checked {
  try {
    checkText(source);
    refuseGoHabits(source);
    const parsed = parseExpression(source);
    checkTree(parsed);
    const { run, variables, builds, faults } = compile(parsed);
    if (faults.length > 0) return { faults };
    const evaluate = (bindings: Bindings) => evaluateRun(source, run, builds, bindings);
    const { expr } = parsed;
    return {
      expression: {
        source,
        refs: refsOf(parsed),
        mayBeBool: mayBe("bool", expr),
        mayBeList: mayBe("list", expr),
        variables,
        evaluate,
      },
    };
  } catch (thrown) {
    if (thrown instanceof SourceFault) return { faults: [thrown] };
    throw thrown;
  }
}

function evaluateRun(source: string, run: Run, builds: boolean, bindings: Bindings): Value {
  const budget = new Budget();
  try {
    const item = run({ roots: bindings, loops: [], budget });
    return builds || item instanceof Map ? toValue(item, budget) : item as Value; // only found, not made
  } catch (thrown) {
    throw new MaestroError(
      "EXPRESSION_ERROR",
      `Cannot evaluate ${shown(source)}: ${reason(thrown)}`,
    );
  }
}

/** Nothing that another error says is passed on: it might quote a value. */
function reason(thrown: unknown): string {
  if (thrown instanceof Fault) return thrown.message;
  if (thrown instanceof RangeError) return "it is nested too deeply or makes something too large";
  return `it failed inside Maestro (${thrown instanceof Error ? thrown.name : typeof thrown})`;
}

const MAX_SHOWN = 200;

/** An expression as messages show it. */
export function shown(source: string): string {
  const text = source.trim().replace(/\s+/g, " ");
  return `{{ ${text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text} }}`;
}
