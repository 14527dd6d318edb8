/**
 * What a block came to that has failed, or was cancelled, by itself: not one call, but all that are
 * inside it.
 *
 * @module
 */
import { listsOf } from "../workflow/calls.ts";
import type { Step } from "../workflow/model.ts";
import { pathIn, type Rounds } from "../workflow/rounds.ts";
import type { Block, Planned } from "./block_plan.ts";
import type { Outcome } from "./outcome.ts";
import { recordOf, type RunState, type StepRecord } from "./records.ts";

/**
 * `unknown` where anything inside happened, or may have, and is not undone; else `rejected` where a
 * service said that it did nothing; else `not_sent`. What is still under way may happen.
 */
export function outcomeInside(
  { block, ...standing }: Standing & Pick<Planned, "block">,
): Outcome {
  let outcome: Outcome = "not_sent";
  for (const call of callsIn(block, standing)) {
    const { effect } = call.record;
    if (effect === "rejected") outcome = "rejected";
    else if (effect !== "not_sent" && !isUndone(standing.state, call)) return "unknown";
  }
  return outcome;
}

/** Where a block stands. */
type Standing = Pick<Planned, "path" | "op" | "rounds" | "state">;

/** A call or child run that has begun. */
interface Begun {
  readonly step: Step;
  readonly record: StepRecord;
  readonly rounds: Rounds;
}

/** Those inside a block; what its own `catch` does is not inside it. */
function* callsIn(block: Block | Step, { state, path, op, rounds }: Standing): Generator<Begun> {
  const isLoop = block.kind === "foreach" || block.kind === "repeat";
  const turns = isLoop
    ? Array.from(
      { length: recordOf(state, path, op)?.rounds.begun ?? 0 },
      (_, round) => [...rounds, round],
    )
    : [rounds];
  for (const rounds of turns) {
    for (const step of listsOf(block).flat()) {
      const at = { state, path: pathIn(step.path, rounds), op, rounds };
      const record = recordOf(state, at.path, op);
      if (record === undefined) continue;
      if (record.form === "call" || record.form === "workflow") yield { step, record, rounds };
      yield* callsIn(step, at);
      for (const { steps } of step.catch) yield* callsIn({ kind: "steps", steps }, at);
    }
  }
}

/** What undoes a step is not undone itself; nor is a step of whose undoing an operator left a part out. */
function isUndone(state: RunState, { step, record: { path, op }, rounds }: Begun): boolean {
  const undo = op === "action" ? recordOf(state, path, "compensate") : undefined;
  if (undo?.status !== "completed") return false;
  if (!("compensate" in step) || step.compensate?.kind !== "steps") return true;
  const group = { kind: "steps", steps: step.compensate.steps } as const;
  return callsIn(group, { state, path, op: "compensate", rounds })
    .every(({ record }) => record.resolved !== "skip");
}
