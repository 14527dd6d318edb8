/**
 * `maestro runs resume`: goes on with what a crash or an interrupt left open.
 *
 * @module
 */
import type { Journal } from "../engine/doors.ts";
import { notActive } from "../engine/commands.ts";
import type { Engine } from "../engine/engine.ts";
import { checkRoot } from "../engine/start_checks.ts";
import { type Io, printJson } from "./io.ts";
import { linesProgress } from "./lines_progress.ts";
import { type PlaceFlags, serverOf } from "./place.ts";
import { pruneOlder, type RetentionFlags } from "./retention.ts";
import { NOTHING_TO_RESUME, RunResults } from "./run_results.ts";
import { readSecrets } from "./secret_option.ts";
import { parseSpan } from "./span_option.ts";
import { Stage, type StageFlags } from "./stage.ts";
import { inStore, openExisting } from "./store_option.ts";
import { StoredRun } from "./stored_run.ts";

/** The options of `runs resume`. */
export interface ResumeFlags extends StageFlags, RetentionFlags, PlaceFlags {
  readonly secret?: readonly string[] | undefined;
}

/** Goes on with one run, or with all that nobody has. @returns the exit code */
export async function resumeCommand(
  id: string | undefined,
  flags: ResumeFlags,
  io: Io,
): Promise<number> {
  const server = serverOf(flags);
  if (server !== null) {
    const { remoteResume } = await import("./remote/resume.ts");
    return await remoteResume(id, flags, server, io);
  }
  return await Stage.with(flags, io, async (stage) => {
    if (flags.retention !== undefined) parseSpan(flags.retention, "--retention");
    const secrets = await readSecrets(flags.secret, stage.mask);
    const journal = await openExisting(flags.store);
    const engine = await stage.open(journal, secrets);
    const code = id === undefined
      ? await resumeAll(stage, engine, journal, flags.store)
      : await resumeOne(stage, engine, journal, { id, store: flags.store });
    await pruneOlder(journal, flags.retention);
    return code;
  });
}

async function resumeOne(
  stage: Stage,
  engine: Engine,
  journal: Journal,
  { id, store }: { readonly id: string; readonly store: string },
): Promise<number> {
  checkRoot(id);
  const stored = await inStore(store, StoredRun.find(journal, id));
  const { workflow } = stored.view;
  await stage.showProgress(workflow);
  for await (const { runId, workflow, event } of stored.news()) {
    stage.progress.recall(runId, workflow, event);
  }
  const { end } = stored.view.state;
  if (end !== null) throw notActive(id, end.status); // who had it may live on, and hold it
  const run = await engine.resume(id);
  stage.leftBehind = () => ({ kind: "resumable", runId: id, store });
  stage.progress.goesOn();
  return await stage.finish(run, { workflow, endpoints: stored.started.endpoints, store });
}

/** Goes on with all of them until each has ended or is parked. @returns the worst exit code */
async function resumeAll(
  stage: Stage,
  engine: Engine,
  journal: Journal,
  store: string,
): Promise<number> {
  stage.leftBehind = () => ({ kind: "resumable", runId: null, store });
  const results = new RunResults(stage, journal);
  if (stage.mayShow) stage.progress = linesProgress(stage.io.stderr, stage.mask.mask);
  const { runs, sleeping } = await engine.resumeAll((id, error) => results.fail(id, error));
  for (const run of runs) results.expect(run);
  if (runs.length === 0 && sleeping === 0 && !results.hasFailed) {
    stage.io.stderr.write(NOTHING_TO_RESUME);
  }
  await engine.settled();
  if (stage.isLeft) return results.code;
  await results.all();
  if (stage.form === "json") printJson(stage.io, { runs: results.reports });
  return results.code;
}
