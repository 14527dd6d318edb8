/**
 * One run: the root block below it, then the saga where it turns back, then an end.
 *
 * @module
 */
import { type AnyActorRef, assign, enqueueActions, setup, stopChild } from "xstate";
import { MaestroError } from "../errors.ts";
import type { Value } from "../workflow/value.ts";
import { blockMachine } from "./block.ts";
import type { Board } from "./board.ts";
import type { ChildEnded, Resolved } from "./call.ts";
import { type Time, timerEffect } from "./effects.ts";
import { type Failure, failureOf } from "./failure.ts";
import type { RollbackReason } from "./facts.ts";
import { recordOf, ROOT, type StepRecord } from "./fold.ts";
import { evaluate } from "./names.ts";
import { recorded } from "./recorded.ts";
import { isRolledBack, rollbackPlan, sagaMachine } from "./saga.ts";

/** Asks a run to stop and roll back. */
export interface CancelRun {
  readonly type: "cancel";
  readonly by: string | null;
}

/** What a run's actor is told from outside. */
export type RunEvent = CancelRun | Resolved;

interface Context {
  readonly board: Board;
  readonly actor: AnyActorRef | null;
}

/** The run machine. */
export const runMachine = setup({
  types: {
    context: {} as Context,
    events: {} as RunEvent | ChildEnded | Time,
    input: {} as { readonly board: Board },
  },
  actors: { timer: timerEffect },
  guards: {
    ended: ({ context }) => context.board.state.end !== null,
    rollingBack: ({ context }) => context.board.state.rollback !== null,
    rootEnded: ({ context }) => rootOf(context).status !== "running",
    succeeded: ({ context }) =>
      rootOf(context).status === "completed" && context.board.state.cancel === null &&
      !("failure" in outputOf(context)),
    somethingToUndo: ({ context: { board } }) =>
      rollbackPlan(board.workflow.steps, board.state).length > 0,
  },
  actions: {
    watchTime: enqueueActions(({ context: { board }, enqueue }) => {
      const dueAt = board.state.started?.deadline ?? null;
      if (dueAt !== null) enqueue.spawnChild("timer", { id: "timer", input: { board, dueAt } });
    }),
    goForward: assign(({ context: { board }, spawn }) => ({
      actor: spawn(blockMachine, {
        input: {
          board,
          block: { kind: "steps", steps: board.workflow.steps },
          path: ROOT,
          action: null,
          op: "action",
          timeout: null,
          deadline: board.state.started?.deadline ?? null,
          cancelled: board.state.cancel !== null,
        },
      }),
    })),
    goBack: assign(({ context: { board }, spawn }) => ({
      actor: spawn(sagaMachine, { input: { board } }),
    })),
    requestCancel: assign(({ context, event }) =>
      recorded(requestCancel(context, event.type === "cancel" ? event : null))
    ),
    stopForward: enqueueActions(({ context, enqueue }) => {
      if (context.actor !== null) enqueue.sendTo(context.actor, { type: "cancel" });
    }),
    passOn: enqueueActions(({ context, event, enqueue }) => {
      if (context.actor !== null) enqueue.sendTo(context.actor, event);
    }),
    complete: assign(({ context }) => recorded(complete(context))),
    startRollback: assign(({ context }) => recorded(startRollback(context))),
    endUndone: assign(({ context }) => recorded(endUndone(context))),
    endFailed: assign(({ context }) => recorded(end(context, reasonOf(context)))),
  },
}).createMachine({
  id: "run",
  context: ({ input: { board } }) => ({ board, actor: null }),
  initial: "deciding",
  states: {
    deciding: {
      always: [
        { guard: "ended", target: "ended" },
        { guard: "rollingBack", target: "compensating" },
        { guard: "rootEnded", target: "turning" },
        { target: "running" },
      ],
    },
    running: {
      entry: ["watchTime", "goForward"],
      exit: stopChild("timer"),
      on: {
        "child.ended": "turning",
        cancel: { actions: ["requestCancel", "stopForward"] },
        time: { actions: ["requestCancel", "stopForward"] },
      },
    },
    /** The forward part is over: it was the whole, or there is something to undo, or there is not. */
    turning: {
      always: [
        { guard: "succeeded", actions: "complete", target: "ended" },
        { guard: "somethingToUndo", actions: "startRollback", target: "compensating" },
        { actions: "endFailed", target: "ended" },
      ],
    },
    compensating: {
      entry: "goBack",
      on: {
        "child.ended": { actions: "endUndone", target: "ended" },
        resolved: { actions: "passOn" },
      },
    },
    ended: { type: "final" },
  },
});

function rootOf({ board }: Context): StepRecord {
  const record = recordOf(board.state, ROOT);
  if (record === undefined) throw new Error("The run has not started");
  return record;
}

/** Records, once, that the run is to stop; `null`: its time is up. */
function requestCancel({ board }: Context, cancel: CancelRun | null): void {
  if (board.state.cancel !== null) return; // a second cancel changes nothing
  board.record({
    kind: "cancel_requested",
    reason: cancel === null ? "timed_out" : "cancelled",
    by: cancel?.by ?? null,
  });
}

function complete(context: Context): void {
  const result = outputOf(context);
  if (!("output" in result)) return;
  context.board.record({ kind: "run_ended", status: "completed", output: result.output });
}

function startRollback(context: Context): void {
  context.board.record({ kind: "rollback_started", reason: reasonOf(context) });
}

function endUndone(context: Context): void {
  const { board } = context;
  const undone = isRolledBack(rollbackPlan(board.workflow.steps, board.state), board.state);
  const reason = reasonOf(context);
  const status = reason === "failed" ? "compensated" : reason;
  end(context, undone ? status : "incomplete");
}

/** What the run returns, or why that can't be made. */
function outputOf(context: Context): { output: Value } | { failure: Failure } {
  const { board } = context;
  const root = rootOf(context);
  const template = board.workflow.output;
  if (template === null || root.returns) return { output: root.output ?? {} };
  try {
    return { output: evaluate(board, ROOT, template) };
  } catch (thrown) {
    const { code, message } = MaestroError.from(thrown);
    const cause = { code, message: `${message} (in the workflow's "output")` };
    return { failure: failureOf(cause, { path: ROOT, attempts: 0, outcome: "not_sent" }) };
  }
}

function reasonOf({ board }: Context): RollbackReason {
  return board.state.rollback ?? board.state.cancel?.reason ?? "failed";
}

function end(context: Context, status: RollbackReason | "compensated" | "incomplete"): void {
  context.board.record({ kind: "run_ended", status, failure: causeOf(context) });
}

/** Why the run did not complete. */
function causeOf(context: Context): Failure {
  const { cancel } = context.board.state;
  const root = rootOf(context);
  const none = { path: ROOT, attempts: 0, outcome: "not_sent" } as const;
  if (cancel !== null) {
    return failureOf(
      cancel.reason === "timed_out"
        ? { code: "RUN_TIMEOUT", message: "The run took longer than its timeout" }
        : {
          code: "RUN_CANCELLED",
          message: cancel.by === null
            ? "The run was cancelled"
            : `The run was cancelled by ${cancel.by}`,
        },
      none,
    );
  }
  if (root.failure !== null) return root.failure;
  const result = outputOf(context);
  if ("failure" in result) return result.failure;
  throw new Error("The run has no cause to end here");
}
