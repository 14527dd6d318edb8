import type { EventObject } from "xstate";
import type { Step } from "../workflow/model.ts";
import { blockMachine } from "./block.ts";
import type { BlockInput } from "./block_moves.ts";
import type { Child } from "./block_plan.ts";
import type { Parent } from "./board.ts";
import { callMachine } from "./call.ts";
import type { CallInput } from "./call_context.ts";
import { catchMachine } from "./catch.ts";
import { childMachine } from "./child.ts";
import { recordOf } from "./records.ts";
import type { Receiver, Scope } from "./machine.ts";
import { pauseMachine } from "./pause.ts";
import type { Told } from "./told.ts";

/** Starts the actor of a child of a block: what it is, or what a `catch` does once that has failed. */
export function startChild<E extends EventObject>(
  parent: Parent,
  child: Child,
  cancelled: boolean,
  scope: Scope<E>,
): Receiver<Told> {
  const { board, op, rounds, action, deadline } = parent;
  const { path, step, round } = child;
  if (round !== null) return scope.spawn(blockMachine, path, roundInput(parent, child, cancelled));
  if (recordOf(board.state, path, op)?.caught) {
    const input = { board, step, path, rounds, action, op, deadline, cancelled };
    return scope.spawn(catchMachine, path, input);
  }
  switch (step.kind) {
    case "call":
      return scope.spawn(callMachine, path, callInput(parent, step, path, cancelled));
    case "workflow":
      return scope.spawn(childMachine, path, {
        board,
        step,
        path,
        rounds,
        op,
        cancelled,
        deadline,
      });
    case "steps":
    case "parallel":
    case "switch":
    case "foreach":
    case "repeat":
      return scope.spawn(blockMachine, path, {
        board,
        block: step,
        step,
        path,
        rounds,
        action,
        op,
        timeout: step.timeout,
        deadline,
        cancelled,
      });
    default:
      return scope.spawn(pauseMachine, path, { board, step, path, rounds, op, cancelled });
  }
}

function callInput(
  { board, op, rounds, action, deadline }: Parent,
  step: Extract<Step, { kind: "call" }>,
  path: string,
  cancelled: boolean,
): CallInput {
  const { timeout, idempotent, retry, ownCodes } = step;
  return {
    board,
    step,
    path,
    action: action ?? path,
    scope: { key: step.path, rounds },
    target: step,
    rule: op === "action"
      ? { op, retry, idempotent, ownCodes }
      : { op, idempotent: true, ...board.workflow.saga },
    timeout,
    deadline,
    mayFinish: step.compensate !== null,
    cancelled,
  };
}

/** One round of a loop: its steps, one after the other. */
function roundInput(
  { board, op, rounds, action, deadline }: Parent,
  { path, step, round }: Child,
  cancelled: boolean,
): BlockInput {
  if (round === null || step.kind !== "foreach" && step.kind !== "repeat") {
    throw new Error(`"${path}" is no round`);
  }
  const { steps, result } = step;
  return {
    board,
    block: {
      kind: "steps",
      steps,
      ...(result !== null && { result: { template: result, key: `${step.path}[]/result` } }),
    },
    step: null,
    path,
    rounds: [...rounds, round],
    action,
    op,
    timeout: null,
    deadline,
    cancelled,
  };
}
