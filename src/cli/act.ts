import type { RunReport } from "../engine/report.ts";
import type { Run } from "../engine/run.ts";
import type { RunState } from "../machines/records.ts";
import { EXIT } from "./exit_code.ts";
import type { Workflow } from "../workflow/model.ts";
import { explain } from "./explain.ts";
import { type Io, printJson } from "./io.ts";
import { paintWith } from "./palette.ts";
import { inPlace, openOperator, type PlaceFlags, placeOf } from "./place.ts";
import { onlyWaits } from "./rest.ts";
import { Stage, type StageFlags } from "./stage.ts";
import { standingText } from "./standing_text.ts";
import { resumeCommand } from "./store_option.ts";
import { StoredRun } from "./stored_run.ts";
import type { Operator, RunsView } from "./views.ts";

/** The options of commands that act on a run. */
export interface ActFlags extends StageFlags, PlaceFlags {
  readonly secret?: readonly string[] | undefined;
  readonly output: "pretty" | "json";
}

/** Something that is wanted of one run. */
export interface Act {
  readonly runId: string;
  /** What is done, for people: `the cancel`. */
  readonly what: string;
  /** Of a signal: what tells it apart. */
  readonly signalId?: string;
  /** What is doubtful about it, said of the run that it is for; `null`: nothing. */
  readonly doubt?: (workflow: Workflow) => string | null;
  /** Why there was nothing to do, by where the run stood before and stands now; `null`: there was. */
  readonly idle?: (before: RunState, now: RunState) => string | null;
  /**
   * Has it done.
   *
   * @param before where the run stood
   * @returns the run, where it was taken over; `null`: its owner does it
   */
  do(operator: Operator, before: RunReport): Promise<Run | null>;
}

/** How often it is looked whether a run only waits, in milliseconds. */
const LOOK_EVERY = 100;

/**
 * Does something to a run, whoever has it; where nobody had it, goes on with it until it has ended, is
 * parked, or only waits.
 *
 * @returns the exit code: 0 once the store has it
 */
export function act(
  { runId, what, signalId, doubt, idle, do: perform }: Act,
  flags: ActFlags,
  io: Io,
): Promise<number> {
  return Stage.with(flags, io, async (stage) => {
    const store = placeOf(flags);
    let stands: "taken" | "posted" | "unknown" = "unknown";
    const { journal, operator } = await openOperator(stage, flags, () => stands = "posted");
    const before = await inPlace(store, StoredRun.find(journal, runId));
    await stage.showProgress(before.view.workflow);
    for await (const { runId, workflow, event } of before.news()) {
      stage.progress.recall(runId, workflow, event);
    }
    stage.leftBehind = () => ({ kind: "wanted", what, signalId, stands, runId, store });
    const run = await perform(operator, before.report());
    const doubtful = doubt?.(before.view.workflow) ?? null;
    if (doubtful !== null) io.stderr.write(`warning: ${doubtful}\n`);
    stands = run === null ? "posted" : "taken";
    if (run !== null) await atRest(run, journal);
    stage.endProgress();
    const after = await StoredRun.read(journal, runId);
    const report = after.report();
    if (stage.form === "json") {
      printJson(io, report);
      return EXIT.completed;
    }
    const isHere = run !== null;
    const nothing = idle?.(before.view.state, after.view.state) ?? null;
    io.stdout.write(standing(report, isHere, nothing ?? `${what} is on record`));
    if (isHere && report.status === "running") {
      io.stderr.write(`Nobody has it any more; go on with: ${resumeCommand(runId, store)}\n`);
    }
    const { workflow } = after.view;
    const executed = { workflow, endpoints: after.started.endpoints, store };
    const why = report.attention.length === 0
      ? ""
      : explain(report, executed, paintWith(io.stderr.colour));
    if (why !== "") io.stderr.write(stage.mask.mask(`${why}\n`));
    return EXIT.completed;
  });
}

/** Resolves once a run has ended, is parked, or only waits. */
export async function atRest(
  run: Run,
  journal: Pick<RunsView, "find" | "read" | "kept">,
): Promise<void> {
  let isOver = false;
  const over = run.result().finally(() => isOver = true);
  const waits = async () => {
    const stored = await StoredRun.find(journal, run.id);
    while (!isOver && (await journal.find(run.id)).sleepsUntil === undefined) {
      for await (const _ of stored.news());
      if (onlyWaits(stored.view, Date.now())) return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
    }
  };
  await Promise.race([over, waits()]);
}

function standing(report: RunReport, isHere: boolean, done: string): string {
  const who = isHere
    ? "nobody had the run, so it went on here"
    : "the process that has the run does it";
  return `${report.run_id}  ${done}; ${who}\n${report.run_id}  ${standingText(report)}\n`;
}
