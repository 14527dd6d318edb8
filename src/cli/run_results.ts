import type { Journal } from "../engine/doors.ts";
import type { RunReport } from "../engine/report.ts";
import type { Run } from "../engine/run.ts";
import { MaestroError } from "../errors.ts";
import { EXIT, exitCodeOfError, exitCodeOfRun } from "./exit_code.ts";
import type { Stage } from "./stage.ts";
import { standingText } from "./standing_text.ts";
import { StoredRun } from "./stored_run.ts";

/** What many runs come to: a line each, as they end or are parked, and the worst exit code. */
export class RunResults {
  readonly #stage: Stage;
  readonly #journal: Journal;
  /** Runs that go on here, by id; `null`: it has not come to anything yet. */
  readonly #reports = new Map<string, RunReport | null>();
  #reading: Promise<void>[] = [];
  #code: number = EXIT.completed;

  /** Listens to what happens on the stage. */
  constructor(stage: Stage, journal: Journal) {
    this.#stage = stage;
    this.#journal = journal;
    stage.watch = (runId, { kind }) => {
      if (runId.includes("/")) return; // its root will tell
      // A run that slept has woken by itself; one that was parked may go on.
      if (!this.#reports.has(runId)) this.#reports.set(runId, null);
      if (kind === "run_ended") this.#reading.push(this.#read(runId));
    };
  }

  /** The worst of their exit codes. */
  get code(): number {
    const codes = this.reports.map(({ status }) => exitCodeOfRun(status));
    return Math.max(this.#code, ...codes);
  }

  /** Their reports. */
  get reports(): readonly RunReport[] {
    return [...this.#reports.values()].filter((report) => report !== null);
  }

  /** A run goes on here. */
  expect(run: Run): void {
    if (!this.#reports.has(run.id)) this.#reports.set(run.id, null);
    run.result().then(
      (report) => report.finished_at === null && this.#take(report),
      (thrown) => this.fail(run.id, thrown),
    );
  }

  /** A run can't go on here. */
  fail(runId: string, thrown: unknown): void {
    const { code, message } = MaestroError.from(thrown);
    if (code === "ENGINE_CLOSED") return; // it was left
    this.#code = Math.max(this.#code, exitCodeOfError(code));
    this.#stage.io.stderr.write(this.#stage.mask.mask(`error: run ${runId}: ${message}\n`));
  }

  /** Resolves once everything is told; to be asked when all have ended or rest. */
  async all(): Promise<void> {
    await Promise.all(this.#reading);
    for (const [runId, report] of this.#reports) if (report === null) await this.#read(runId);
  }

  async #read(runId: string): Promise<void> {
    this.#take((await StoredRun.read(this.#journal, runId)).report());
  }

  #take(report: RunReport): void {
    this.#reports.set(report.run_id, report);
    if (this.#stage.form !== "pretty") return;
    this.#stage.io.stdout.write(`${report.run_id}  ${standingText(report)}\n`);
  }
}
