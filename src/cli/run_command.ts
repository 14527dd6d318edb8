/**
 * `maestro run`: one workflow, here, now.
 *
 * @module
 */
import type { Journal } from "../engine/doors.ts";
import type { Engine } from "../engine/engine.ts";
import type { Run } from "../engine/run.ts";
import { runExists } from "../engine/run_exists.ts";
import { MaestroError } from "../errors.ts";
import type { Io } from "./io.ts";
import { checkSameRun } from "./same_run.ts";
import { catchUp, JoinedRun } from "./joined_run.ts";
import { LocatedError } from "./located.ts";
import { serverOf } from "./place.ts";
import { pruneOlder } from "./retention.ts";
import type { RunFlags } from "./run_flags.ts";
import { readRequest, type RunRequest } from "./run_request.ts";
import { Stage } from "./stage.ts";
import { openStore } from "./store_option.ts";
import { StoredRun } from "./stored_run.ts";

/** Runs a workflow's file. @returns the exit code */
export async function runCommand(file: string, flags: RunFlags, io: Io): Promise<number> {
  const server = serverOf(flags);
  if (server !== null) {
    const { remoteRun } = await import("./remote/run.ts");
    return await remoteRun(file, flags, server, io);
  }
  return await Stage.with(flags, io, async (stage) => {
    const request = await readRequest(file, flags, stage.mask);
    const journal = await openStore(flags.store);
    const engine = await stage.open(journal, request.secrets);
    await stage.showProgress(request.workflow);
    const code = await play(stage, { engine, journal, request, store: flags.store });
    await pruneOlder(journal, flags.retention);
    return code;
  });
}

interface Play {
  readonly engine: Engine;
  readonly journal: Journal;
  readonly request: RunRequest;
  readonly store: string;
}

/** Starts the run, or joins the one that there is, and sees it end. @returns the exit code */
async function play(stage: Stage, { engine, journal, request, store }: Play): Promise<number> {
  const { workflow, start, texts } = request;
  const executed = { workflow, endpoints: start.endpoints ?? {}, store };
  const joined = () => join(stage, { engine, journal, request, store });
  const { runId } = start;
  if (runId !== undefined && await runExists(journal, runId)) return await joined();
  let run: Run;
  try {
    run = await located(texts, engine.start(workflow, start));
  } catch (thrown) {
    if (MaestroError.from(thrown).code !== "RUN_EXISTS") throw thrown;
    return await joined(); // two were started at once
  }
  stage.leftBehind = () =>
    store === "memory"
      ? { kind: "lost", report: run.report() }
      : { kind: "resumable", runId: run.id, store };
  return await stage.finish(run, executed);
}

async function join(stage: Stage, { engine, journal, request, store }: Play): Promise<number> {
  const { workflow, start } = request;
  const stored = await StoredRun.find(journal, start.runId ?? "");
  await checkSameRun(stored.started, workflow, start.input ?? {}, store);
  await catchUp(stage, stored);
  const run = new JoinedRun(stage, engine, journal, stored);
  stage.leftBehind = () => ({
    kind: run.isHere ? "resumable" : "elsewhere",
    runId: run.id,
    store,
  });
  return await stage.finish(run, { workflow, endpoints: stored.started.endpoints, store });
}

/** Adds to an error about the workflow the texts that it is about. */
async function located<T>(texts: ReadonlyMap<string, string>, starting: Promise<T>): Promise<T> {
  try {
    return await starting;
  } catch (thrown) {
    if (!(thrown instanceof MaestroError) || thrown.problems.length === 0) throw thrown;
    throw new LocatedError(thrown.code, thrown.problems, texts);
  }
}
