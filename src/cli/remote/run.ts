/**
 * `maestro run --server`: a workflow of a server, there, now.
 *
 * @module
 */
import { newRunId } from "../../engine/ids.ts";
import { runExists } from "../../engine/run_exists.ts";
import { MaestroError } from "../../errors.ts";
import { formatDuration } from "../../workflow/durations.ts";
import type { Json } from "../../workflow/json.ts";
import { readInput } from "../input_option.ts";
import type { Io } from "../io.ts";
import { catchUp } from "../joined_run.ts";
import type { RunFlags } from "../run_flags.ts";
import { parseId, parseRunId, parseTimeout } from "../run_options.ts";
import { Stage } from "../stage.ts";
import { type ServerPlace, showCommand } from "../store_option.ts";
import { StoredRun } from "../stored_run.ts";
import { Api } from "./api.ts";
import { follow } from "./follow.ts";
import { remoteJournal } from "./journal.ts";
import { remoteOperator } from "./operator.ts";
import { patient } from "./patience.ts";
import { Unanswered } from "./unreachable.ts";

/** A run that a server is asked to start. */
interface Start {
  readonly workflow: string;
  readonly version?: string;
  /** Known from here on, so that it can be found whatever becomes of the answer. */
  readonly run_id: string;
  readonly [key: string]: Json;
}

/** Has a server run one of its workflows, and sees it end. @param workflow `name` or `name@version` @returns the exit code */
export function remoteRun(
  workflow: string,
  flags: RunFlags,
  place: ServerPlace,
  io: Io,
): Promise<number> {
  return Stage.with(flags, io, async (stage) => {
    const request = await requestOf(workflow, flags);
    const { run_id: runId } = request;
    const api = await Api.open(place);
    await stage.prepare();
    const isJoined = flags.runId !== undefined && await runExists(remoteJournal(api), runId);
    stage.leftBehind = () => ({ kind: "asked", runId, store: place });
    await start(api, request, place);
    stage.leftBehind = () => ({ kind: "elsewhere", runId, store: place });
    const journal = remoteJournal(patient(api, { onAway: (why) => stage.progress.away(why) }));
    const stored = await StoredRun.find(journal, runId);
    await stage.showProgress(stored.view.workflow);
    if (isJoined) await catchUp(stage, stored);
    return await follow(stage, { journal, operator: remoteOperator(api), place }, stored);
  });
}

/** Starts a run, or finds it started. @throws {MaestroError} why not, and where to look */
async function start(api: Api, request: Start, place: ServerPlace): Promise<void> {
  try {
    await api.post("/runs", request);
  } catch (thrown) {
    const { code, message } = MaestroError.from(thrown);
    const { run_id: runId } = request;
    const look = `"${showCommand(runId, place)}"`;
    if (code === "RUN_EXISTS") {
      throw new MaestroError(
        code,
        `Cannot use --run-id "${runId}": there is a run of that id already, of another workflow, version or input; use another id, or look at that run with ${look}`,
      );
    }
    if (!(thrown instanceof Unanswered)) throw thrown;
    throw new MaestroError(code, `${message}; if it was started all the same, ${look} has it`);
  }
}

async function requestOf(text: string, flags: RunFlags): Promise<Start> {
  const { runId, correlationId, timeout, input, set = [] } = flags;
  return {
    ...workflowOf(text),
    run_id: runId === undefined ? newRunId(Date.now()) : parseRunId(runId),
    ...(correlationId !== undefined && {
      correlation_id: parseId(correlationId, "--correlation-id"),
    }),
    ...(timeout !== undefined && { timeout: formatDuration(parseTimeout(timeout)) }),
    input: await readInput(input, set),
  };
}

function workflowOf(text: string): { readonly workflow: string; readonly version?: string } {
  if (/[/\\]|\.ya?ml$/.test(text)) {
    throw new MaestroError(
      "USAGE",
      `Cannot run the file "${text}" at a server: it runs the workflows of its own folder, by their names, as in "order_saga" or "order_saga@1.0"; to run the file here, leave out --server`,
    );
  }
  const at = text.indexOf("@");
  return at === -1
    ? { workflow: text }
    : { workflow: text.slice(0, at), version: text.slice(at + 1) };
}
