/**
 * `maestro runs cancel`, `runs signal`: what somebody wants of a run, whoever has it.
 *
 * @module
 */
import { eachChild, eachStep } from "../workflow/calls.ts";
import type { Workflow } from "../workflow/model.ts";
import { didYouMean } from "../workflow/nearest.ts";
import { act, type ActFlags } from "./act.ts";
import type { Io } from "./io.ts";
import { readJsonOption } from "./json_option.ts";
import { userName } from "./user_name.ts";

/** Cancels a run, which rolls back. @returns the exit code */
export function cancelCommand(runId: string, flags: ActFlags, io: Io): Promise<number> {
  const what = "the cancel";
  return act(
    {
      runId,
      what,
      idle: (before, now) =>
        before.cancel !== null || now.cancel === null
          ? "it turns back already, so there is nothing to cancel"
          : null,
      do: (operator) => operator.cancel(runId, userName()),
    },
    flags,
    io,
  );
}

/** The options of `runs signal`. */
export interface SignalFlags extends ActFlags {
  readonly data?: string | undefined;
  readonly signalId?: string | undefined;
}

/** Hands a signal in. @returns the exit code */
export async function signalCommand(
  runId: string,
  name: string,
  flags: SignalFlags,
  io: Io,
): Promise<number> {
  const payload = flags.data === undefined ? {} : await readJsonOption(flags.data, "--data");
  const id = flags.signalId ?? crypto.randomUUID();
  const what = `the signal "${name}"`;
  return await act(
    {
      runId,
      what,
      signalId: id,
      doubt: (workflow) => signalDoubt(runId, name, workflow),
      do: (operator) => operator.signal(runId, name, payload, id),
    },
    flags,
    io,
  );
}

/** Where no step of a run would ever take a signal of that name. */
function signalDoubt(runId: string, name: string, workflow: Workflow): string | null {
  const own = signalsOf(workflow);
  if (own.has(name)) return null;
  const children = [...eachChild(workflow)].some((child) => signalsOf(child).has(name));
  const remedy = children
    ? `; a child run does: signal it by its own id, ${runId}/STEP`
    : didYouMean(name, own);
  return `No step of run ${runId} waits for a signal "${name}", now or later${remedy}`;
}

function signalsOf({ steps }: Workflow): ReadonlySet<string> {
  return new Set(
    [...eachStep(steps)].flatMap((step) => step.kind === "await_signal" ? [step.signal] : []),
  );
}
