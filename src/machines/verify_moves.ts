/**
 * How a call that may have happened is settled by asking (`verify`; semantics.md §3).
 *
 * @module
 */
import { MaestroError } from "../errors.ts";
import { NEVER } from "./board.ts";
import { recordOf } from "./records.ts";
import { evaluate } from "./names.ts";
import { type CallContext, type CallInput, recordFor } from "./call_context.ts";
import {
  cancelStep,
  causeOf,
  complete,
  earliest,
  fail,
  outcomeSoFar,
  outerDeadline,
  stepDeadline,
} from "./call_moves.ts";

/** It would end, and whether it happened is not known, but can be asked. */
export function mustVerify(context: CallContext): boolean {
  const { step, op, cancelled } = context;
  const record = recordFor(context);
  return op === "action" && step !== null && step.verify !== null &&
    (record.unsettled || cancelled) && record.outcomes.at(-1) !== "completed" &&
    outcomeSoFar(record) === "unknown";
}

/** The answer to that has been found. */
export function isVerified({ board, step, path, op }: CallContext): boolean {
  if (op !== "action" || !step?.verify) return false;
  const verify = recordOf(board.state, path, "verify");
  return verify !== undefined && verify.status !== "running";
}

/** From when on it may be asked: the call could still arrive until its deadline. What was asked before need not wait. */
export function verifyFrom(context: CallContext): number {
  const { lastStartedAt } = recordFor(context);
  if (recordOf(context.board.state, context.path, "verify") !== undefined) return lastStartedAt;
  const deadline = earliest(stepDeadline(context), outerDeadline(context));
  return earliest(lastStartedAt + context.target.attemptTimeout, deadline) ?? lastStartedAt;
}

/** The call that asks. */
export function verifyInput(context: CallContext): CallInput {
  const { board, step, path, scope } = context;
  if (step === null || step.verify === null) throw new Error(`"${path}" has no "verify"`);
  return {
    board,
    step: null,
    path,
    action: path,
    scope: { key: `${scope.key}/verify`, rounds: scope.rounds },
    target: step.verify,
    rule: { op: "verify", idempotent: true, ...board.workflow.saga },
    timeout: null,
    deadline: NEVER,
    mayFinish: false,
    cancelled: false,
  };
}

/** Ends the step by what asking came to. */
export function concludeVerify(context: CallContext): void {
  const { board, step, path, scope, cancelled } = context;
  const verify = recordOf(board.state, path, "verify");
  const happened = verify?.status === "completed" ||
    verify?.status === "skipped" && verify.output !== undefined;
  const { failure } = recordFor(context);
  if (happened) {
    try {
      const result = verify.status === "completed" ? step?.verify?.result ?? null : null;
      const key = `${scope.key}/verify.result`;
      const output = result === null
        ? verify.output ?? {}
        : evaluate(board, { key, rounds: scope.rounds }, result);
      return complete(context, output);
    } catch (thrown) { // it happened, and is to be undone
      const { code, message } = MaestroError.from(thrown);
      return fail(context, { ...failure, code, message }, "unknown");
    }
  }
  const outcome = verify?.status === "failed" ? "rejected" : "unknown";
  const isOver = cancelled || board.state.aborted !== null;
  if (isOver || failure === null) cancelStep(context, outcome);
  else fail(context, causeOf(context, failure), outcome);
}
