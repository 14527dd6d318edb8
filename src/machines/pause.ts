/**
 * What waits without calling anybody: for a moment (`wait`), for a signal (`await_signal`), or for an
 * operator, where a step that ends in the moment it starts has failed past the pivot.
 *
 * @module
 */
import type { Step } from "../workflow/model.ts";
import type { Rounds } from "../workflow/rounds.ts";
import type { Board } from "./board.ts";
import type { Cancel, Resolved, Signalled } from "./told.ts";
import { earliest, stepTimeout } from "./call_moves.ts";
import { failStep } from "./failing.ts";
import { failureOf } from "./failure.ts";
import type { Op } from "./facts.ts";
import { recordOf, type StepRecord } from "./records.ts";
import { type Action, type Guard, machine } from "./machine.ts";
import { type Time, wakeAt } from "./time.ts";

/** What a waiting step's actor is made with. */
export interface PauseInput {
  readonly board: Board;
  readonly step: Step;
  readonly path: string;
  readonly rounds: Rounds;
  readonly op: Op;
  /** The block around it is failing already: only after a restart. */
  readonly cancelled: boolean;
}

/** What a waiting step's actor holds besides the fold. */
export interface PauseContext extends Omit<PauseInput, "cancelled"> {
  cancelled: boolean;
}

type PauseEvent = Time | Cancel | Resolved | Signalled;
type Test = Guard<PauseContext, PauseEvent>;
type Do = Action<PauseContext, PauseEvent>;

const ended: Test = (context) => {
  const record = recordFor(context);
  return record === undefined || record.status !== "running" || record.caught !== null;
};
const isParked: Test = (context) => recordFor(context)?.attention != null;
const isReleased: Test = (context) => recordFor(context)?.attention == null;
const isCancelled: Test = (context) => context.cancelled;
const hasSignal: Test = (context) => signalFor(context) !== undefined;

const watchTime: Do = (context, _event, scope) => {
  const record = recordFor(context);
  const dueAt = record === undefined ? null : earliest(record.dueAt, deadlineOf(context, record));
  scope.during(wakeAt(context.board, dueAt, scope.self));
};
/** It has waited long enough, or too long. */
const wakeUp: Do = (context) => {
  const { board, step, path, op, rounds, cancelled } = context;
  const record = recordFor(context);
  if (record === undefined) return;
  const deadline = deadlineOf(context, record);
  if (record.dueAt !== null && (deadline === null || record.dueAt <= deadline)) {
    return board.record({ kind: "step_completed", path, op, output: {} });
  }
  const failure = failureOf(stepTimeout(path), { path, attempts: 0, outcome: "not_sent" });
  failStep({ board, step, path, op, rounds, cancelled }, failure);
};
const takeSignal: Do = (context) => {
  const { board, path, op } = context;
  const signal = signalFor(context);
  if (signal === undefined) return;
  const { id, payload } = signal;
  board.record({ kind: "step_completed", path, op, output: payload, signal: id });
};
const markCancelled: Do = (context) => {
  context.cancelled = true;
};
const cancelStep: Do = ({ board, path, op }) => {
  board.record({ kind: "step_cancelled", path, op, outcome: "not_sent" });
};

/** The machine of what waits. */
export const pauseMachine = machine<PauseContext, PauseEvent, PauseInput>({
  id: "pause",
  context: (input) => ({ ...input }),
  initial: "deciding",
  states: {
    deciding: {
      always: [
        { guard: ended, target: "done" },
        { guard: isCancelled, actions: [cancelStep], target: "done" },
        { guard: isParked, target: "parked" },
        { guard: hasSignal, actions: [takeSignal] },
        { target: "waiting" },
      ],
    },
    waiting: {
      entry: [watchTime],
      on: {
        time: [{ actions: [wakeUp], target: "deciding" }],
        signalled: [{ guard: hasSignal, actions: [takeSignal], target: "deciding" }],
        cancel: [{ actions: [markCancelled], target: "deciding" }],
      },
    },
    parked: {
      on: {
        resolved: [{ guard: isReleased, target: "deciding" }],
        cancel: [{ actions: [markCancelled], target: "deciding" }],
      },
    },
    done: { final: true },
  },
});

function recordFor({ board, path, op }: PauseContext): StepRecord | undefined {
  return recordOf(board.state, path, op);
}

function deadlineOf({ step: { timeout } }: PauseContext, record: StepRecord): number | null {
  if (timeout === null) return null;
  return (record.resolved === null ? record.startedAt : record.tryingSince) + timeout;
}

/** The oldest signal of its name that nobody has taken. */
function signalFor({ board, step }: PauseContext) {
  return step.kind === "await_signal"
    ? board.state.signals.find(({ name }) => name === step.signal)
    : undefined;
}
