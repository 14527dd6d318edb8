/**
 * `maestro runs cancel`, `runs signal`: what somebody wants of a run, whoever has it.
 *
 * @module
 */
import { act, type ActFlags } from "./act.ts";
import type { Io } from "./io.ts";
import { readJsonOption } from "./json_option.ts";
import { userName } from "./user_name.ts";

/** Cancels a run, which rolls back. @returns the exit code */
export function cancelCommand(runId: string, flags: ActFlags, io: Io): Promise<number> {
  const what = "the cancel";
  return act(
    { runId, what, do: (engine) => engine.cancel(runId, userName()) },
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
      do: (engine) => engine.signal(runId, name, payload, id),
    },
    flags,
    io,
  );
}
