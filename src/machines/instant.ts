/**
 * What happens in the moment a step starts: one whose `when` is false, `set`, `fail` and `return` end
 * in it; the others are recorded as started, with what they are about.
 *
 * @module
 */
import { MaestroError } from "../errors.ts";
import type { Step, SwitchStep, WaitStep } from "../workflow/model.ts";
import type { Rounds } from "../workflow/rounds.ts";
import { toText, type Value } from "../workflow/value.ts";
import type { Child } from "./block_plan.ts";
import type { Board } from "./board.ts";
import { failStep } from "./failing.ts";
import { failureOf } from "./failure.ts";
import type { Form, Op } from "./facts.ts";
import { recordOf } from "./records.ts";
import { evaluate, evaluateWhen, type Names } from "./names.ts";

/** The index of the first branch that is wanted; `null`: none. @throws {MaestroError} `EXPRESSION_ERROR` */
export function chooseBranch(names: Names, step: SwitchStep, rounds: Rounds): number | null {
  const index = step.branches.findIndex((branch) =>
    branch.when === null || evaluateWhen(names, { key: step.path, rounds }, branch.when)
  );
  return index < 0 ? null : index;
}

/**
 * Does what can be done at once for what is due.
 *
 * @returns whether it has ended; otherwise it wants an actor
 */
export function doInstantly(board: Board, child: Child, op: Op, rounds: Rounds): boolean {
  const { path, step, round } = child;
  const record = recordOf(board.state, path, op);
  if (round !== null) {
    if (record === undefined) {
      board.record({ kind: "step_started", path, op, form: "block", round });
    }
    return false;
  }
  if (record !== undefined && (record.caught !== null || record.attention !== null)) return false;
  try {
    if (record === undefined) {
      if (step.when !== null && !evaluateWhen(board, { key: step.path, rounds }, step.when)) {
        board.record({ kind: "step_skipped", path, op });
        return true;
      }
      if (step.kind === "call") return false;
      board.record({ kind: "step_started", path, op, ...beginning(board, step, rounds) });
    }
    return finish(board, child, op, rounds);
  } catch (thrown) {
    fail(board, child, op, rounds, MaestroError.from(thrown));
    return recordOf(board.state, path, op)?.status !== "running";
  }
}

/** What is recorded of a step as it starts, besides that it does. */
function beginning(
  board: Board,
  step: Step,
  rounds: Rounds,
): { readonly form?: Form; readonly input?: Value; readonly dueAt?: number } {
  const scope = { key: step.path, rounds };
  switch (step.kind) {
    case "steps":
    case "parallel":
    case "switch":
    case "repeat":
      return { form: "block" };
    case "foreach":
      return { form: "block", input: itemsOf(evaluate(board, scope, step.items)) };
    case "wait":
      return { form: "wait", dueAt: dueAt(board, step, rounds) };
    case "await_signal":
      return { form: "await_signal" };
    case "workflow":
      return { form: "workflow", input: evaluate(board, scope, step.input) };
    default:
      return {};
  }
}

function itemsOf(items: Value): Value {
  if (Array.isArray(items)) return items;
  throw new MaestroError(
    "EXPRESSION_ERROR",
    'Cannot go through the items of "foreach": they are no list',
  );
}

function dueAt(board: Board, { path, duration, until }: WaitStep, rounds: Rounds): number {
  if (until === null) return board.state.at + (duration ?? 0);
  const text = toText(evaluate(board, { key: path, rounds }, until));
  const time = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$/.test(text)
    ? Date.parse(text)
    : NaN;
  if (!Number.isNaN(time)) return time;
  throw new MaestroError(
    "EXPRESSION_ERROR",
    `Cannot wait until ${JSON.stringify(text.slice(0, 60))}: it is no RFC 3339 time, such as ` +
      '"2026-01-31T12:00:00Z"',
  );
}

function finish(board: Board, { path, step }: Child, op: Op, rounds: Rounds): boolean {
  const scope = { key: step.path, rounds };
  switch (step.kind) {
    case "set": {
      const output = evaluate(board, scope, step.values);
      board.record({ kind: "step_completed", path, op, output });
      return true;
    }
    case "return": {
      const output = evaluate(board, scope, step.value);
      board.record({ kind: "step_completed", path, op, output, returns: true });
      return true;
    }
    case "fail": {
      const message = toText(evaluate(board, scope, step.message));
      fail(board, { path, step, round: null }, op, rounds, { code: step.code, message });
      return recordOf(board.state, path, op)?.status !== "running";
    }
    default:
      return false;
  }
}

function fail(
  board: Board,
  { path, step }: Child,
  op: Op,
  rounds: Rounds,
  cause: { readonly code: string; readonly message: string },
): void {
  const failure = failureOf(cause, { path, attempts: 0, outcome: "not_sent" });
  failStep({ board, step, path, rounds, op, cancelled: false }, failure);
}
