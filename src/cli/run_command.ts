/**
 * `maestro run`: one workflow, here, now.
 *
 * @module
 */
import type { Engine } from "../engine/engine.ts";
import type { EngineOptions } from "../engine/engine_options.ts";
import type { RunReport } from "../engine/report.ts";
import type { Run } from "../engine/run.ts";
import type { Happening } from "../engine/happening.ts";
import { MaestroError } from "../errors.ts";
import { SecretMask } from "../telemetry/secret_mask.ts";
import { releaseWarning } from "./deno_release.ts";
import { EXIT, exitCodeOfRun } from "./exit_code.ts";
import { explain } from "./explain.ts";
import type { Executed } from "./failed_step.ts";
import { type Io, type OutputForm, printJson } from "./io.ts";
import { leavingText } from "./leaving.ts";
import { LocatedError } from "./located.ts";
import { type LogFlags, logsToStderr, NO_LOGS, startLogs } from "./log_options.ts";
import { paintWith } from "./palette.ts";
import { plainProgress, type Progress, silentProgress } from "./progress.ts";
import { readRequest, type RequestFlags, type RunRequest } from "./run_request.ts";
import { onSignals } from "./signals.ts";

/** The options of `run`. */
export interface RunFlags extends RequestFlags, LogFlags {
  readonly output?: OutputForm | undefined;
  readonly quiet?: true | undefined;
  readonly inspect?: true | undefined;
}

/** How long the engine gets to close, in milliseconds: a server that never answers must not hold us. */
const CLOSE_WITHIN = 2_000;

/** Runs a workflow's file. @returns the exit code */
export async function runCommand(file: string, flags: RunFlags, io: Io): Promise<number> {
  const warning = releaseWarning(Deno.version.deno);
  if (warning !== null) io.stderr.write(`warning: ${warning}\n`);
  const mask = new SecretMask();
  const stage = new Stage(flags, io, mask);
  const stopListening = onSignals({ interrupt: stage.interrupt, terminate: stage.terminate });
  let logs = NO_LOGS;
  try {
    logs = await startLogs(flags, io.stderr, mask.mask);
    const { onHappening } = logs;
    const going = (async () => stage.play(await readRequest(file, flags, mask), onHappening))();
    going.catch(() => {}); // whoever left does not wait for it
    return await Promise.race([going, stage.left]);
  } finally {
    stopListening();
    stage.progress.end();
    await stage.close();
    await logs.close();
  }
}

/** One run on its way, and the user's ways to end it. */
class Stage {
  readonly #flags: RunFlags;
  readonly #io: Io;
  readonly #mask: SecretMask;
  readonly #left = Promise.withResolvers<number>();
  readonly #form: OutputForm;
  #engine: Engine | null = null;
  #run: Run | null = null;
  #cancelled = false;
  progress: Progress = silentProgress;

  constructor(flags: RunFlags, io: Io, mask: SecretMask) {
    this.#flags = flags;
    this.#io = io;
    this.#mask = mask;
    this.#form = flags.output ?? (io.stdout.isTerminal ? "pretty" : "json");
  }

  /** Resolves with an exit code when the user leaves before the end. */
  get left(): Promise<number> {
    return this.#left.promise;
  }

  /** Ctrl-C: the first cancels, the second leaves. */
  readonly interrupt = (): void => {
    if (this.#run === null || this.#cancelled) return this.#leave(EXIT.interrupted);
    this.#cancelled = true;
    this.#cancel(this.#run).then((why) => this.progress.interrupted(why));
  };

  /** Asks the run to turn back. @returns why it does not; `null`: it does */
  async #cancel(run: Run): Promise<string | null> {
    try {
      await run.cancel("Ctrl-C");
      return null;
    } catch (thrown) {
      return MaestroError.from(thrown).message; // past the pivot
    }
  }

  /** SIGTERM: never cancels. */
  readonly terminate = (): void => this.#leave(EXIT.terminated);

  /** Runs it to its end. @returns the exit code */
  async play(
    { workflow, start, secrets, texts }: RunRequest,
    onHappening: EngineOptions["onHappening"],
  ): Promise<number> {
    const { openEngine } = await import("../library/open.ts");
    const inspect = this.#flags.inspect ? await this.#inspector() : undefined;
    const events = this.#form === "events" ? await this.#eventPrinter() : () => {};
    this.progress = await this.#openProgress({ workflow });
    this.#engine = openEngine({
      secrets,
      onHappening: (runId, of, event) => { // of the run, and of those that are its children
        onHappening?.(runId, of, event);
        this.progress.hear(runId, of, event);
        events(runId, event);
      },
      ...(inspect !== undefined && { inspect }),
    });
    this.#run = await located(texts, this.#engine.start(workflow, start));
    const report = await this.#run.result();
    this.progress.end();
    this.#print(report, { workflow, endpoints: start.endpoints ?? {} });
    return exitCodeOfRun(report.status);
  }

  /** Ends what the run has opened. */
  async close(): Promise<void> {
    const engine = this.#engine;
    if (engine === null) return;
    const timer = Promise.withResolvers<void>();
    const id = setTimeout(timer.resolve, CLOSE_WITHIN);
    await Promise.race([engine.close(), timer.promise]);
    clearTimeout(id);
  }

  #leave(code: number): void {
    this.progress.end();
    this.#io.stderr.write(`${leavingText(code, this.#run?.report() ?? null)}\n`);
    // A second Ctrl-C waits for nothing and no one.
    if (code === EXIT.interrupted) this.#engine = null;
    this.#left.resolve(code);
  }

  async #inspector() {
    const { inspectionLine } = await import("./inspection.ts");
    const { stderr } = this.#io;
    return (event: Parameters<typeof inspectionLine>[0]) =>
      stderr.write(inspectionLine(event, Date.now()));
  }

  async #eventPrinter() {
    const { eventJson } = await import("../engine/event_json.ts");
    return (runId: string, event: Happening) => {
      this.#io.stdout.write(`${JSON.stringify(eventJson(runId, event))}\n`);
    };
  }

  /** Standard error is for one of them: logs, the inspection, or progress. */
  async #openProgress({ workflow }: Pick<RunRequest, "workflow">): Promise<Progress> {
    const output = this.#io.stderr;
    const { quiet, inspect } = this.#flags;
    if (quiet || inspect || logsToStderr(this.#flags)) return silentProgress;
    if (this.#form === "events" && this.#io.stdout.isTerminal) return silentProgress; // they are it
    const options = { workflow, output, mask: this.#mask.mask };
    if (!output.isTerminal) return plainProgress(options);
    const { liveTree } = await import("./live_tree.ts");
    return liveTree(options);
  }

  #print(report: RunReport, executed: Executed): void {
    const { stdout, stderr } = this.#io;
    if (this.#form === "json") printJson(this.#io, report);
    if (this.#form === "pretty" && report.status === "completed") {
      stdout.write(`${JSON.stringify(report.output, null, 2)}\n`);
    }
    if (!this.#explains()) return;
    const text = explain(report, executed, paintWith(stderr.colour));
    if (text !== "") stderr.write(this.#mask.mask(`${text}\n`));
  }

  /** Not among lines of JSON, and not where the result says it and quiet was asked for. */
  #explains(): boolean {
    const { quiet, inspect } = this.#flags;
    if (this.#form === "pretty") return true;
    return !quiet && !inspect && !logsToStderr(this.#flags);
  }
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
