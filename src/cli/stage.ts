import type { Journal, Secrets } from "../engine/doors.ts";
import type { Engine } from "../engine/engine.ts";
import type { RunOrigin } from "../engine/engine_options.ts";
import type { Happening } from "../engine/happening.ts";
import type { RunReport } from "../engine/report.ts";
import { MaestroError } from "../errors.ts";
import { SecretMask } from "../telemetry/secret_mask.ts";
import type { Workflow } from "../workflow/model.ts";
import { releaseWarning } from "./deno_release.ts";
import { EXIT, exitCodeOfRun } from "./exit_code.ts";
import { explain } from "./explain.ts";
import type { Executed } from "./failed_step.ts";
import { type Io, type OutputForm, printJson } from "./io.ts";
import { leavingText, type LeftBehind } from "./leaving.ts";
import { type LogFlags, type Logs, logsToStderr, NO_LOGS, startLogs } from "./log_options.ts";
import { paintWith } from "./palette.ts";
import { plainProgress, type Progress, silentProgress } from "./progress.ts";
import { onSignals } from "./signals.ts";

/** The options of commands in which runs may go on. */
export interface StageFlags extends LogFlags {
  readonly store: string;
  readonly output?: OutputForm | undefined;
  readonly quiet?: true | undefined;
  readonly inspect?: true | undefined;
}

/** A run on its way, here or in another process. */
export interface Going {
  readonly id: string;
  /** Resolves when it has ended, or waits for an operator. */
  result(): Promise<RunReport>;
  /** Asks it to turn back. @throws {MaestroError} why it does not */
  cancel(by: string): Promise<void>;
}

/** How long the engine gets to close, in milliseconds: a server that never answers must not hold us. */
const CLOSE_WITHIN = 2_000;

/** Where runs go on while a command is under way: an engine, who watches, and the ways to leave. */
export class Stage {
  readonly io: Io;
  /** How results are printed. */
  readonly form: OutputForm;
  /** Takes secrets out of what is printed. */
  readonly mask = new SecretMask();
  /** What someone who leaves now leaves behind. */
  leftBehind: () => LeftBehind = () => ({ kind: "nothing" });
  /** What the first Ctrl-C asks for; `null`: it leaves. */
  cancel: (() => Promise<void>) | null = null;
  /** Hears of what happens in any run. */
  watch: (runId: string, event: Happening) => void = () => {};
  /** Hears of a run that was stopped before its end, or that could not be woken. */
  stopped: (runId: string, error: MaestroError) => void = () => {};
  /** Shows how it goes. */
  progress: Progress = silentProgress;
  readonly #flags: StageFlags;
  readonly #left = Promise.withResolvers<number>();
  #logs: Logs = NO_LOGS;
  #printEvent: (runId: string, event: Happening) => void = () => {};
  #engine: Engine | null = null;
  #interrupted = false;
  #isLeft = false;

  private constructor(flags: StageFlags, io: Io) {
    this.#flags = flags;
    this.io = io;
    this.form = flags.output ?? (io.stdout.isTerminal ? "pretty" : "json");
  }

  /** Plays on a stage of its own, until that is over or someone leaves. @returns the exit code */
  static async with(
    flags: StageFlags,
    io: Io,
    play: (stage: Stage) => Promise<number>,
  ): Promise<number> {
    const warning = releaseWarning(Deno.version.deno);
    if (warning !== null) io.stderr.write(`warning: ${warning}\n`);
    const stage = new Stage(flags, io);
    const stopListening = onSignals({
      interrupt: () => stage.#interrupt(),
      terminate: () => stage.#leave(EXIT.terminated), // never cancels
    });
    try {
      stage.#logs = await startLogs(flags, io.stderr, stage.mask.mask);
      const playing = play(stage);
      playing.catch(() => {}); // whoever left does not wait for it
      return await Promise.race([playing, stage.#left.promise]);
    } finally {
      stopListening();
      stage.endProgress();
      await stage.#close();
      await stage.#logs.close();
    }
  }

  /** Makes ready to hear of runs that go on elsewhere. */
  async prepare(): Promise<void> {
    if (this.form === "events") this.#printEvent = await this.#eventPrinter();
  }

  /** Opens an engine over a store. */
  async open(journal: Journal, secrets: Secrets): Promise<Engine> {
    const { openEngine } = await import("../library/open.ts");
    const inspect = this.#flags.inspect ? await this.#inspector() : undefined;
    await this.prepare();
    return this.#engine = openEngine({
      journal,
      secrets,
      onHappening: (runId, of, event, origin) => this.hear(runId, of, event, origin),
      onStopped: (runId, error) => this.stopped(runId, error),
      ...(inspect !== undefined && { inspect }),
    });
  }

  /** Something happened in a run, or in one that is a child of it. */
  hear(runId: string, of: Workflow, event: Happening, origin: RunOrigin): void {
    this.#logs.onHappening?.(runId, of, event, origin);
    this.progress.hear(runId, of, event);
    this.#printEvent(runId, event);
    this.watch(runId, event);
  }

  /** Something happened before, which who reads events has not read yet. */
  recount(runId: string, event: Happening): void {
    this.#printEvent(runId, event);
  }

  /** Shows the progress of one run. */
  async showProgress(workflow: Workflow): Promise<void> {
    const output = this.io.stderr;
    if (!this.mayShow) return;
    const options = { workflow, output, mask: this.mask.mask };
    if (!output.isTerminal) {
      this.progress = plainProgress(options);
      return;
    }
    const { liveTree } = await import("./live_tree.ts");
    this.progress = liveTree(options);
  }

  /** Somebody has left: what was under way is not told as if it had come to its end. */
  get isLeft(): boolean {
    return this.#isLeft;
  }

  /** Whether standard error is free for progress: it is for that, for logs, or for the inspection. */
  get mayShow(): boolean {
    const { quiet, inspect } = this.#flags;
    if (quiet || inspect || logsToStderr(this.#flags)) return false;
    return this.form !== "events" || !this.io.stdout.isTerminal; // there they are the progress
  }

  /** Waits until a run has ended or is parked, and prints what it came to. @returns the exit code */
  async finish(going: Going, executed: Executed): Promise<number> {
    this.cancel = () => going.cancel("Ctrl-C");
    const report = await going.result();
    this.cancel = null;
    this.endProgress();
    this.print(report, executed);
    return exitCodeOfRun(report.status);
  }

  /** Prints what a run came to, and says why where it is not completed. */
  print(report: RunReport, executed: Executed): void {
    const { stdout, stderr } = this.io;
    if (this.form === "json") printJson(this.io, report);
    if (this.form === "pretty" && report.status === "completed") {
      stdout.write(`${JSON.stringify(report.output, null, 2)}\n`);
    }
    if (!this.#explains()) return;
    const text = explain(report, executed, paintWith(stderr.colour));
    if (text !== "") stderr.write(this.mask.mask(`${text}\n`));
  }

  /** Not among lines of JSON, and not where the result says it and quiet was asked for. */
  #explains(): boolean {
    const { quiet, inspect } = this.#flags;
    if (this.form === "pretty") return true;
    return !quiet && !inspect && !logsToStderr(this.#flags);
  }

  /** Ctrl-C: the first asks the run to turn back, the second leaves. */
  #interrupt(): void {
    const { cancel } = this;
    if (cancel === null || this.#interrupted) return this.#leave(EXIT.interrupted);
    this.#interrupted = true;
    this.progress.interrupted();
    cancel().catch((thrown) => this.progress.refused(MaestroError.from(thrown).message));
  }

  #leave(code: number): void {
    this.#isLeft = true;
    this.endProgress();
    this.io.stderr.write(`${leavingText(code, this.leftBehind())}\n`);
    // A second Ctrl-C waits for nothing and no one.
    if (code === EXIT.interrupted) this.#engine = null;
    this.#left.resolve(code);
  }

  /** Ends what is shown: what comes later is not. */
  endProgress(): void {
    this.progress.end();
    this.progress = silentProgress;
  }

  /** Ends what was opened; the moment's facts still reach the store. */
  async #close(): Promise<void> {
    const engine = this.#engine;
    if (engine === null) return;
    const timer = Promise.withResolvers<void>();
    const id = setTimeout(timer.resolve, CLOSE_WITHIN);
    await Promise.race([engine.close(), timer.promise]);
    clearTimeout(id);
  }

  async #inspector() {
    const { inspectionLine } = await import("./inspection.ts");
    const { stderr } = this.io;
    return (event: Parameters<typeof inspectionLine>[0]) =>
      stderr.write(inspectionLine(event, Date.now()));
  }

  async #eventPrinter() {
    const { eventJson } = await import("../engine/event_json.ts");
    return (runId: string, event: Happening) => {
      this.io.stdout.write(`${JSON.stringify(eventJson(runId, event))}\n`);
    };
  }
}
