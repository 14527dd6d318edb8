/**
 * `maestro run --server`: a workflow of a server, there, now.
 *
 * @module
 */
import type { RunReport } from "../../engine/report.ts";
import { MaestroError } from "../../errors.ts";
import { formatDuration } from "../../workflow/durations.ts";
import type { Json } from "../../workflow/json.ts";
import { readInput } from "../input_option.ts";
import type { Io } from "../io.ts";
import { JoinedRun } from "../joined_run.ts";
import type { RunFlags } from "../run_flags.ts";
import { parseId, parseTimeout } from "../run_options.ts";
import { Stage } from "../stage.ts";
import { StoredRun } from "../stored_run.ts";
import { Api, type ServerFlags } from "./api.ts";
import { remoteJournal } from "./journal.ts";
import { remoteOperator } from "./operator.ts";

/** Has a server run one of its workflows, and sees it end. @param workflow `name` or `name@version` @returns the exit code */
export function remoteRun(
  workflow: string,
  flags: RunFlags & ServerFlags,
  io: Io,
): Promise<number> {
  return Stage.with(flags, io, async (stage) => {
    const request = await requestOf(workflow, flags);
    const api = await Api.open(flags);
    await stage.prepare();
    const { run_id: runId } = await api.post<RunReport>("/runs", request);
    stage.leftBehind = () => ({ kind: "elsewhere", runId, store: flags.server });
    const journal = remoteJournal(api);
    const stored = await StoredRun.find(journal, runId);
    const { view, started } = stored;
    await stage.showProgress(view.workflow);
    const run = new JoinedRun(stage, remoteOperator(api), journal, stored);
    const executed = { workflow: view.workflow, endpoints: started.endpoints, store: flags.server };
    return await stage.finish(run, executed);
  });
}

async function requestOf(text: string, flags: RunFlags): Promise<Json> {
  const { runId, correlationId, timeout, input, set = [] } = flags;
  return {
    ...workflowOf(text),
    input: await readInput(input, set),
    ...(runId !== undefined && { run_id: parseId(runId, "--run-id") }),
    ...(correlationId !== undefined && {
      correlation_id: parseId(correlationId, "--correlation-id"),
    }),
    ...(timeout !== undefined && { timeout: formatDuration(parseTimeout(timeout)) }),
  };
}

function workflowOf(text: string): { readonly workflow: string; readonly version?: string } {
  if (/[/\\]|\.ya?ml$/.test(text)) {
    throw new MaestroError(
      "USAGE",
      `Cannot run "${text}" at a server: it runs the workflows of its own folder; name one, as in "order_saga" or "order_saga@1.0"`,
    );
  }
  const at = text.indexOf("@");
  return at === -1
    ? { workflow: text }
    : { workflow: text.slice(0, at), version: text.slice(at + 1) };
}
