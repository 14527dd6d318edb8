/**
 * How a step fails: an entry of its `catch` may take the failure; past the pivot, a failure that
 * nobody takes waits for an operator; else the step has failed, and its block with it.
 *
 * @module
 */
import { MaestroError } from "../errors.ts";
import type { CatchEntry, Step } from "../workflow/model.ts";
import type { Rounds } from "../workflow/rounds.ts";
import type { Value } from "../workflow/value.ts";
import type { Board } from "./board.ts";
import type { Failure } from "./failure.ts";
import type { Op } from "./facts.ts";
import { evaluateWhen } from "./names.ts";

/** A step that fails. */
export interface FailingStep {
  readonly board: Board;
  /** `null`: the root of the run, a round or a group of compensating steps, which has no `catch`. */
  readonly step: Step | null;
  readonly path: string;
  readonly rounds: Rounds;
  readonly op: Op;
  /** What is around it is failing already: nothing new starts, and nobody is asked. */
  readonly cancelled: boolean;
  /** The request of a call, for an operator. */
  readonly request?: Value;
  /** There is no way back after this step. */
  readonly pivot?: boolean;
  /** Something that it did still stands, and nobody will undo it. */
  readonly stands?: boolean;
}

/** Records what follows from a failure. */
export function failStep(failing: FailingStep, failure: Failure): void {
  const { board, step, path, op, rounds, cancelled, pivot, stands } = failing;
  const passed = { ...(pivot && { pivot }), ...(stands && { stands }) };
  // Where an operator has put an end to the run, nothing takes a failure any more.
  const isOver = cancelled || board.state.aborted !== null;
  if (!isOver && step !== null) {
    const found = findEntry(board, step, rounds, failure);
    if (found !== null && "entry" in found) {
      board.record({ kind: "step_caught", path, op, failure, entry: found.entry, ...passed });
      return;
    }
    if (found !== null) {
      return failStep({ ...failing, step: { ...step, catch: [] } }, found.failure);
    }
  }
  // What is no step itself, such as a round, leaves it to the step that it is a part of.
  const parks = op === "action" && !isOver && step !== null &&
    (pivot || board.state.pivot !== null) && !isCaughtAround(board, failing, failure);
  if (!parks) board.record({ kind: "step_failed", path, op, failure, ...passed });
  else {
    const request = failing.request ?? null;
    board.record({ kind: "attention_raised", path, op, failure, request, ...passed });
  }
}

/** The entry that takes a failure; a `when` that can't be evaluated is a failure of its own. */
function findEntry(
  board: Board,
  step: Step,
  rounds: Rounds,
  failure: Failure,
): { readonly entry: number } | { readonly failure: Failure } | null {
  for (const [entry, written] of step.catch.entries()) {
    try {
      if (fits(board, step, entry, written, rounds, failure)) return { entry };
    } catch (thrown) {
      const { code, message } = MaestroError.from(thrown);
      return { failure: { ...failure, code, message } };
    }
  }
  return null;
}

function fits(
  board: Board,
  step: Step,
  entry: number,
  { codes, reason, when }: CatchEntry,
  rounds: Rounds,
  failure: Failure,
): boolean {
  if (codes.length > 0 && !codes.includes(failure.code)) return false;
  if (reason !== null && reason !== failure.reason) return false;
  const scope = { key: `${step.path}.catch[${entry}]`, rounds };
  return when === null || evaluateWhen(board, scope, when, { error: { ...failure } });
}

/** Whether a block around a step takes its failure, so that it need not wait for an operator. */
function isCaughtAround(board: Board, { path }: FailingStep, failure: Failure): boolean {
  return board.around(path).some(({ step, rounds }) => {
    const found = findEntry(board, step, rounds, failure);
    return found !== null && "entry" in found;
  });
}
