/**
 * `maestro runs resume --server`: has a server go on at once with what was left open, and sees it end.
 *
 * @module
 */
import { MaestroError } from "../../errors.ts";
import type { ResumedRuns } from "../../server/operations.ts";
import { type Io, printJson } from "../io.ts";
import { JoinedRun } from "../joined_run.ts";
import { linesProgress } from "../lines_progress.ts";
import { inPlace } from "../place.ts";
import { NOTHING_TO_RESUME, RunResults } from "../run_results.ts";
import { Stage, type StageFlags } from "../stage.ts";
import type { ServerPlace } from "../store_option.ts";
import { StoredRun } from "../stored_run.ts";
import { count } from "../text.ts";
import { Api, runPath } from "./api.ts";
import { follow, type There } from "./follow.ts";
import { remoteJournal } from "./journal.ts";
import { remoteOperator } from "./operator.ts";
import { patient } from "./patience.ts";

/** So many runs are followed at a time. */
const AT_ONCE = 16;

interface Remote extends There {
  readonly api: Api;
}

/** Goes on with one run, or with all that nobody has. @returns the exit code */
export function remoteResume(
  id: string | undefined,
  flags: StageFlags,
  place: ServerPlace,
  io: Io,
): Promise<number> {
  return Stage.with(flags, io, async (stage) => {
    const api = await Api.open(place);
    await stage.prepare();
    const journal = remoteJournal(patient(api, { onAway: (why) => stage.progress.away(why) }));
    const remote = { api, journal, operator: remoteOperator(api), place };
    return id === undefined ? await resumeAll(stage, remote) : await resumeOne(stage, remote, id);
  });
}

async function resumeOne(
  stage: Stage,
  remote: Remote,
  id: string,
): Promise<number> {
  const { api, journal, place } = remote;
  const stored = await inPlace(place, StoredRun.find(journal, id));
  await stage.showProgress(stored.view.workflow);
  for await (const { runId, workflow, event } of stored.news()) {
    stage.progress.recall(runId, workflow, event);
  }
  await api.post(`${runPath(id)}:resume`, {});
  stage.leftBehind = () => ({ kind: "elsewhere", runId: id, store: place });
  stage.progress.goesOn();
  return await follow(stage, remote, stored);
}

/** Sees all of them to their ends, or until they wait for an operator. @returns the worst exit code */
async function resumeAll(
  stage: Stage,
  { api, journal, operator, place }: Remote,
): Promise<number> {
  const { io } = stage;
  const results = new RunResults(stage, journal);
  if (stage.mayShow) stage.progress = linesProgress(io.stderr, stage.mask.mask);
  const { resumed, sleeping, failed } = await api.post<ResumedRuns>("/runs:resume", {});
  stage.leftBehind = () => ({ kind: "elsewhere", runId: null, store: place });
  for (const { run_id, code, message } of failed) {
    results.fail(run_id, new MaestroError(code, message));
  }
  if (sleeping > 0) {
    const [wait, them] = sleeping === 1 ? ["waits", "it"] : ["wait", "them"];
    io.stderr.write(`${count(sleeping, "run")} only ${wait}; the server wakes ${them}\n`);
  } else if (resumed.length === 0 && !results.hasFailed) {
    io.stderr.write(NOTHING_TO_RESUME);
  }
  const waiting = [...resumed];
  const followEach = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      const stored = await StoredRun.find(journal, id);
      await results.expect(new JoinedRun(stage, operator, journal, stored));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, followEach));
  await results.all();
  if (stage.form === "json") printJson(io, { runs: results.reports });
  return results.code;
}
