/**
 * What ends in the moment it starts: a step whose `when` is false, `set`, `fail` and `return`.
 *
 * @module
 */
import { MaestroError } from "../errors.ts";
import type { Step, SwitchStep } from "../workflow/model.ts";
import { toText } from "../workflow/value.ts";
import type { Board } from "./board.ts";
import { failureOf } from "./failure.ts";
import type { Op } from "./facts.ts";
import { recordOf } from "./fold.ts";
import { evaluate, evaluateWhen, type Names } from "./names.ts";

/** The index of the first branch that is wanted; `null`: none. @throws {MaestroError} `EXPRESSION_ERROR` */
export function chooseBranch(names: Names, step: SwitchStep): number | null {
  const index = step.branches.findIndex((branch) =>
    branch.when === null || evaluateWhen(names, step.path, branch.when)
  );
  return index < 0 ? null : index;
}

/**
 * Does what can be done at once for a step that is due.
 *
 * @returns whether the step has ended; otherwise it wants an actor
 */
export function doInstantly(board: Board, step: Step, op: Op): boolean {
  const { path } = step;
  try {
    if (recordOf(board.state, path, op) === undefined) {
      if (step.when !== null && !evaluateWhen(board, path, step.when)) {
        board.record({ kind: "step_skipped", path, op });
        return true;
      }
      if (step.kind === "call") return false;
      board.record({ kind: "step_started", path, op });
    }
    return finish(board, step, op);
  } catch (thrown) {
    failStep(board, path, op, MaestroError.from(thrown));
    return true;
  }
}

function finish(board: Board, step: Step, op: Op): boolean {
  const { path } = step;
  switch (step.kind) {
    case "set": {
      const output = evaluate(board, path, step.values);
      board.record({ kind: "step_completed", path, op, output });
      return true;
    }
    case "return": {
      const output = evaluate(board, path, step.value);
      board.record({ kind: "step_completed", path, op, output, returns: true });
      return true;
    }
    case "fail": {
      const message = toText(evaluate(board, path, step.message));
      failStep(board, path, op, { code: step.code, message });
      return true;
    }
    default:
      return false;
  }
}

function failStep(
  board: Board,
  path: string,
  op: Op,
  cause: { readonly code: string; readonly message: string },
): void {
  if (recordOf(board.state, path, op) === undefined) {
    board.record({ kind: "step_started", path, op });
  }
  board.record({
    kind: "step_failed",
    path,
    op,
    failure: failureOf(cause, { path, attempts: 0, outcome: "not_sent" }),
  });
}
