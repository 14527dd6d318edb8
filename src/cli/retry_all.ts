import type { Run } from "../engine/run.ts";
import { MaestroError } from "../errors.ts";
import { type ActFlags, atRest } from "./act.ts";
import { EXIT, exitCodeOfError } from "./exit_code.ts";
import { type Io, printJson } from "./io.ts";
import { linesProgress } from "./lines_progress.ts";
import { openOperator, placeOf } from "./place.ts";
import type { Decision } from "./resolve_options.ts";
import { Stage } from "./stage.ts";
import { standingText } from "./standing_text.ts";
import { StoredRun } from "./stored_run.ts";
import type { Operator, RunsView } from "./views.ts";

/** Which parked steps are tried again. */
export interface RetryAllFlags extends ActFlags {
  /** Only steps of this path. */
  readonly step?: string | undefined;
  /** Only runs of this workflow. */
  readonly workflow?: string | undefined;
}

/**
 * Has every parked step that fits tried again, and goes on with the runs that nobody had.
 *
 * @returns the exit code: 0 once the store has every word
 */
export function retryAll(decision: Decision, flags: RetryAllFlags, io: Io): Promise<number> {
  return Stage.with(flags, io, async (stage) => {
    const { journal, operator } = await openOperator(stage, flags);
    if (stage.mayShow) stage.progress = linesProgress(io.stderr, stage.mask.mask);
    const store = placeOf(flags);
    const kind = typeof store === "string" ? "resumable" : "elsewhere";
    stage.leftBehind = () => ({ kind, runId: null, store });
    const parked = await parkedRuns(journal, flags.workflow);
    const round = new Round(stage, operator, journal);
    for (const runId of parked) await round.retry(runId, decision, flags.step);
    if (round.isEmpty) {
      io.stderr.write("Nothing to retry: no step that fits waits for an operator\n");
    }
    await round.settle();
    return round.code;
  });
}

/** All of them, before any of them goes on. */
async function parkedRuns(journal: RunsView, workflow: string | undefined): Promise<string[]> {
  const parked = await journal.list({
    status: "needs_attention",
    limit: Number.MAX_SAFE_INTEGER,
    ...(workflow !== undefined && { workflow }),
  });
  return parked.map(({ runId }) => runId);
}

/** One round of retries. */
class Round {
  /** The worst exit code so far. */
  code: number = EXIT.completed;
  readonly #stage: Stage;
  readonly #operator: Operator;
  readonly #journal: RunsView;
  readonly #told = new Set<string>();
  /** The runs that nobody had, by id: they go on here. */
  readonly #taken = new Map<string, Run>();

  constructor(stage: Stage, operator: Operator, journal: RunsView) {
    this.#stage = stage;
    this.#operator = operator;
    this.#journal = journal;
  }

  /** Nothing was parked that fits. */
  get isEmpty(): boolean {
    return this.#told.size === 0 && this.code === EXIT.completed;
  }

  /** Has what is parked in a run tried again. */
  async retry(runId: string, decision: Decision, only: string | undefined): Promise<void> {
    const { attention } = (await StoredRun.read(this.#journal, runId)).report();
    for (const { step, op } of attention) {
      if (only !== undefined && step !== only) continue;
      try {
        const run = await this.#operator.resolve(runId, { ...decision, step, op });
        if (run !== null) this.#taken.set(runId, run);
        this.#told.add(runId);
        this.#say(`${runId}  "${step}" is tried again`);
      } catch (thrown) {
        this.#fail(runId, thrown);
      }
    }
  }

  /** Waits until those that go on here have ended, are parked or only wait; tells where all stand. */
  async settle(): Promise<void> {
    await Promise.all([...this.#taken].map(async ([runId, run]) => {
      try {
        await atRest(run, this.#journal);
        this.#say(`${runId}  ${standingText(run.report())}`);
      } catch (thrown) {
        this.#fail(runId, thrown);
      }
    }));
    this.#stage.endProgress();
    if (this.#stage.form !== "json" || this.#stage.isLeft) return;
    const runs = [];
    for (const runId of this.#told) {
      runs.push((await StoredRun.read(this.#journal, runId)).report());
    }
    printJson(this.#stage.io, { runs });
  }

  #say(line: string): void {
    if (this.#stage.form === "pretty") this.#stage.io.stdout.write(`${line}\n`);
  }

  /** One that can't go on leaves the others to. */
  #fail(runId: string, thrown: unknown): void {
    const { code, message } = MaestroError.from(thrown);
    if (code === "ENGINE_CLOSED") return; // it was left
    this.code = Math.max(this.code, exitCodeOfError(code));
    this.#stage.io.stderr.write(this.#stage.mask.mask(`error: run ${runId}: ${message}\n`));
  }
}
