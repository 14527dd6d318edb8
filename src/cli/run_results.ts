import type { RunReport } from "../engine/report.ts";
import { MaestroError } from "../errors.ts";
import { EXIT, exitCodeOfError, exitCodeOfRun } from "./exit_code.ts";
import type { Going, Stage } from "./stage.ts";
import { standingText } from "./standing_text.ts";
import { storedFacts, StoredRun } from "./stored_run.ts";
import type { StoredFacts } from "../engine/stored_facts.ts";
import type { RunsView } from "./views.ts";

/** What is said where no run is left to go on with. */
export const NOTHING_TO_RESUME = "Nothing to resume: no run is open that nobody goes on with\n";

/** What many runs come to: a line each, as they end or are parked, and the worst exit code. */
export class RunResults {
  readonly #stage: Stage;
  readonly #journal: Pick<RunsView, "read" | "kept">;
  readonly #facts: StoredFacts;
  /** The exit codes of runs that go on here, by id; `null`: it has not come to anything yet. */
  readonly #codes = new Map<string, number | null>();
  /** The exit codes of runs that can't go on here, by id. */
  readonly #failed = new Map<string, number>();
  /** By id, where they are printed in the end. */
  readonly #reports = new Map<string, RunReport>();
  #reading: Promise<void> = Promise.resolve();

  /** Listens to what happens on the stage. */
  constructor(stage: Stage, journal: Pick<RunsView, "read" | "kept">) {
    this.#stage = stage;
    this.#journal = journal;
    this.#facts = storedFacts(journal);
    stage.watch = (runId, { kind }) => {
      if (runId.includes("/")) return; // its root will tell
      this.#failed.delete(runId); // a secret, say, has come
      // A run that slept has woken by itself; one that was parked may go on.
      if (!this.#codes.has(runId)) this.#codes.set(runId, null);
      if (kind === "run_ended") this.#reading = this.#reading.then(() => this.#read(runId));
    };
    stage.stopped = (runId, error) => {
      if (!runId.includes("/")) this.fail(runId, error);
    };
  }

  /** The worst of their exit codes. */
  get code(): number {
    const codes = [...this.#codes.values(), ...this.#failed.values()];
    return codes.reduce<number>((worst, code) => Math.max(worst, code ?? 0), EXIT.completed);
  }

  /** Some of them can't go on here. */
  get hasFailed(): boolean {
    return this.#failed.size > 0;
  }

  /** Their reports, where they are printed as JSON. */
  get reports(): readonly RunReport[] {
    return [...this.#reports.values()];
  }

  /** A run goes on. Resolves once it has ended, or waits for an operator. */
  async expect(run: Pick<Going, "id" | "result">): Promise<void> {
    if (!this.#codes.has(run.id)) this.#codes.set(run.id, null);
    await run.result().then(
      (report) => report.finished_at === null && this.#take(report),
      (thrown) => this.fail(run.id, thrown),
    );
  }

  /** A run can't go on here, which is said once. */
  fail(runId: string, thrown: unknown): void {
    const { code, message } = MaestroError.from(thrown);
    if (this.#stage.isLeft || code === "ENGINE_CLOSED" || this.#failed.has(runId)) return;
    this.#failed.set(runId, exitCodeOfError(code));
    this.#stage.io.stderr.write(this.#stage.mask.mask(`error: run ${runId}: ${message}\n`));
  }

  /** Resolves once everything is told; to be asked when all have ended or rest. */
  async all(): Promise<void> {
    await this.#reading;
    for (const [runId, code] of this.#codes) {
      if (code === null && !this.#failed.has(runId)) await this.#read(runId);
    }
  }

  async #read(runId: string): Promise<void> {
    try {
      this.#take((await StoredRun.read(this.#journal, runId, this.#facts)).report());
    } catch (thrown) {
      this.fail(runId, thrown);
    }
  }

  #take(report: RunReport): void {
    const { run_id } = report;
    this.#codes.set(run_id, exitCodeOfRun(report.status));
    if (this.#stage.form === "json") this.#reports.set(run_id, report);
    if (this.#stage.form !== "pretty") return;
    this.#stage.io.stdout.write(`${run_id}  ${standingText(report)}\n`);
  }
}
