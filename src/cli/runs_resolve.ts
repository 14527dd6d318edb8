/**
 * `maestro runs resolve`: gets parked runs going again.
 *
 * @module
 */
import type { RunReport } from "../engine/report.ts";
import { MaestroError } from "../errors.ts";
import { act } from "./act.ts";
import type { Io } from "./io.ts";
import { placeOf } from "./place.ts";
import { type Decision, formOf, readDecision, type ResolveFlags } from "./resolve_options.ts";
import { retryAll } from "./retry_all.ts";
import { parseStatus } from "./status_option.ts";
import { showCommand } from "./store_option.ts";

/** Resolves a parked step, or retries all that fit. @returns the exit code */
export async function resolveCommand(
  runId: string | undefined,
  flags: ResolveFlags,
  io: Io,
): Promise<number> {
  const decision = await readDecision(flags);
  const output = formOf(flags);
  if (runId === undefined) {
    checkAll(flags, decision);
    return await retryAll(decision, { ...flags, output }, io);
  }
  const step = stepOf(runId, flags);
  const what = `the word to ${decision.action} "${step}"`;
  return await act(
    {
      runId,
      what,
      do: async (operator, before) => {
        if (decision.output !== undefined) checkOutput(step, before);
        return await operator.resolve(runId, { ...decision, step });
      },
    },
    { ...flags, output },
    io,
  );
}

/** The step that one run is parked at. */
function stepOf(runId: string, flags: ResolveFlags): string {
  const { all, step, status, workflow } = flags;
  if (all) throw usage(`Cannot use --all with run "${runId}": it is instead of an id`);
  for (const [option, value] of [["--status", status], ["--workflow", workflow]] as const) {
    if (value !== undefined) {
      throw usage(`Cannot use ${option} with a run's id: it goes with --all`);
    }
  }
  if (step !== undefined) return step;
  throw usage(
    `Cannot go on without --step: name the step that waits, as "${
      showCommand(runId, placeOf(flags))
    }" has it`,
  );
}

/** What undoes a step comes to nothing that anyone reads. */
function checkOutput(step: string, { attention }: RunReport): void {
  if (!attention.some((parked) => parked.step === step && parked.op === "compensate")) return;
  throw usage(
    `Cannot use --output with --skip here: "${step}" waits to be undone, which has no output; leave it out`,
  );
}

/** Everything that fits is tried again as it is. */
function checkAll({ all, status }: ResolveFlags, { action, input }: Decision): void {
  if (!all) throw usage("Cannot go on without a run: give its id, or --all");
  if (action !== "retry") {
    throw usage(`Cannot use --${action} with --all: only --retry is safe for all; give a run's id`);
  }
  if (input !== undefined) {
    throw usage("Cannot use --input with --all: a request is for one step; give a run's id");
  }
  if (status !== undefined && parseStatus(status) !== "needs_attention") {
    throw usage(
      `Cannot use --status "${status}" here: what waits for an operator is of runs that stand as needs_attention`,
    );
  }
}

function usage(message: string): MaestroError {
  return new MaestroError("USAGE", message);
}
