/**
 * The states of the reports as the API has them.
 *
 * @module
 */
import type {
  AttentionReport,
  CompensationReport,
  RunStatus,
  StepReport,
} from "../../engine/report.ts";
import {
  Compensation_State,
  Operation,
  Outcome,
  Run_State,
  Step_State,
} from "../../gen/maestro/v1/runs_pb.ts";

const RUN_STATES: Readonly<Record<RunStatus, Run_State>> = {
  running: Run_State.RUNNING,
  compensating: Run_State.COMPENSATING,
  needs_attention: Run_State.NEEDS_ATTENTION,
  completed: Run_State.COMPLETED,
  failed: Run_State.FAILED,
  compensated: Run_State.COMPENSATED,
  cancelled: Run_State.CANCELLED,
  timed_out: Run_State.TIMED_OUT,
  incomplete: Run_State.INCOMPLETE,
};

/** Where a run stands. */
export function runState(status: RunStatus): Run_State {
  return RUN_STATES[status];
}

/** The status that a state says; `null`: none. */
export function statusOf(state: Run_State | undefined): RunStatus | null {
  for (const [status, its] of Object.entries(RUN_STATES)) {
    if (its === state) return status as RunStatus; // a key of the table
  }
  return null;
}

const STEP_STATES: Readonly<Record<StepReport["status"], Step_State>> = {
  running: Step_State.RUNNING,
  waiting: Step_State.WAITING,
  completed: Step_State.COMPLETED,
  failed: Step_State.FAILED,
  skipped: Step_State.SKIPPED,
  cancelled: Step_State.CANCELLED,
};

/** Where a step stands. */
export function stepState(status: StepReport["status"]): Step_State {
  return STEP_STATES[status];
}

const COMPENSATION_STATES: Readonly<Record<CompensationReport["status"], Compensation_State>> = {
  pending: Compensation_State.PENDING,
  running: Compensation_State.RUNNING,
  done: Compensation_State.DONE,
  parked: Compensation_State.PARKED,
  skipped: Compensation_State.SKIPPED,
};

/** How far a step is undone. */
export function compensationState(status: CompensationReport["status"]): Compensation_State {
  return COMPENSATION_STATES[status];
}

const OUTCOMES: Readonly<Record<NonNullable<StepReport["outcome"]>, Outcome>> = {
  completed: Outcome.COMPLETED,
  not_sent: Outcome.NOT_SENT,
  rejected: Outcome.REJECTED,
  unknown: Outcome.UNKNOWN,
};

/** Whether a step happened. */
export function outcomeOf(outcome: StepReport["outcome"]): Outcome {
  return outcome === null ? Outcome.UNSPECIFIED : OUTCOMES[outcome];
}

const OPERATIONS: Readonly<Record<AttentionReport["op"], Operation>> = {
  action: Operation.ACTION,
  compensate: Operation.COMPENSATE,
  verify: Operation.VERIFY,
};

/** What a call is for. */
export function operationOf(op: AttentionReport["op"]): Operation {
  return OPERATIONS[op];
}
