/**
 * Starts runs by the clock: language.md's `schedule`.
 *
 * @module
 */
import { MaestroError } from "../errors.ts";
import { lastMoment, nextMoment, nextMoments } from "../workflow/cron.ts";
import type { Schedule, Workflow } from "../workflow/model.ts";
import { systemClock } from "./clock.ts";
import type { Clock, Journal, RunSummary } from "./doors.ts";
import type { Engine } from "./engine.ts";
import type { StartOptions } from "./engine_options.ts";

/** How soon a start that failed is tried again, in milliseconds. */
const AGAIN = 10_000;

/** The longest sleep, in milliseconds: somebody may set the machine's clock meanwhile. */
const LONGEST_SLEEP = 60_000;

/** Trying again won't help before the workflow is another one. */
const HOPELESS: ReadonlySet<string> = new Set([
  "INPUT_INVALID",
  "WORKFLOW_INVALID",
  "METHOD_NOT_FOUND",
  "USAGE",
]);

/** How many moments are looked back for the last run before a restart: behind more, nothing is made up for. */
const LOOK_BACK = 1_000;

/** Where a run stands that has not ended. */
const OPEN = ["running", "compensating", "needs_attention"] as const;

/** What came of a schedule's moment. */
export interface ScheduledMoment {
  /** The workflow's name. */
  readonly workflow: string;
  /** The moment, in milliseconds since the epoch. */
  readonly at: number;
  /** The id of the moment's run. */
  readonly runId: string;
  /**
   * `skipped`: the run before is still under way; `elsewhere`: the moment has its run already, by
   * another server or before a restart; `failed`: see {@linkcode ScheduledMoment.error}.
   */
  readonly outcome: "started" | "skipped" | "elsewhere" | "failed";
  /** Why it could not be started; it is tried again where that may help. */
  readonly error?: MaestroError;
}

/** What a scheduler goes by. */
export interface SchedulerOptions {
  /** Starts a run, durably; mostly the engine's own `start`. Throws `RUN_EXISTS` where the id is taken. */
  readonly start: (workflow: Workflow, options: StartOptions) => Promise<unknown>;
  /** Tells what a run began with. */
  readonly engine: Pick<Engine, "beginning">;
  /** Where the runs are that were started before. */
  readonly journal: Pick<Journal, "find" | "list">;
  /** What tells the time and wakes. @default the machine's clock */
  readonly clock?: Clock;
  /** Hears of every moment. */
  readonly onMoment?: (moment: ScheduledMoment) => void;
}

/** One workflow that is started by the clock. */
interface Entry {
  workflow: Workflow;
  schedule: Schedule;
  /** The next moment; `null`: there is none. */
  due: number | null;
  /** What could not be done, and when it is tried again. */
  again: { readonly at: number; readonly work: () => Promise<void> } | null;
  /** Moments come one after the other. */
  work: Promise<void>;
}

/**
 * Starts runs when their schedules say so. A run's id is made of its workflow's name and the moment,
 * so that the journal takes each moment once, however many schedulers there are on it, and however
 * often they are restarted.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  #stopWaiting = () => {};
  #isClosed = false;

  /** Starts nothing before {@linkcode Scheduler.set}. */
  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * These are the workflows from now on, one of each name; those without a `schedule` are left alone.
   * Of a name that is new here, the last moment that was missed is made up for.
   */
  set(workflows: readonly Workflow[]): void {
    if (this.#isClosed) return;
    const scheduled = new Map<string, Schedule>();
    for (const workflow of workflows) {
      if (workflow.schedule === null) continue;
      scheduled.set(workflow.name, workflow.schedule);
      this.#put(workflow, workflow.schedule);
    }
    for (const name of this.#entries.keys()) if (!scheduled.has(name)) this.#entries.delete(name);
    this.#wait();
  }

  /** The next moments at which a workflow is started, in milliseconds since the epoch; none where it has no schedule here. */
  next(workflow: string, count = 1): readonly number[] {
    const entry = this.#entries.get(workflow);
    return entry === undefined ? [] : nextMoments(entry.schedule, this.#clock.now(), count);
  }

  /** Starts nothing more; resolves once what was being started has started. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopWaiting();
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.all(entries.map(({ work }) => work));
  }

  #put(workflow: Workflow, schedule: Schedule): void {
    const due = nextMoment(schedule, this.#clock.now());
    const known = this.#entries.get(workflow.name);
    if (known === undefined) {
      const entry: Entry = { workflow, schedule, due, again: null, work: Promise.resolve() };
      this.#entries.set(workflow.name, entry);
      this.#enqueue(entry, () => this.#makeUp(entry));
      return;
    }
    if (!sameTimes(known.schedule, schedule)) Object.assign(known, { due, again: null });
    Object.assign(known, { workflow, schedule });
  }

  #wait(): void {
    this.#stopWaiting();
    if (this.#isClosed || this.#entries.size === 0) return;
    const now = this.#clock.now();
    let wake = now + LONGEST_SLEEP;
    for (const { due, again } of this.#entries.values()) {
      wake = Math.min(wake, due ?? Infinity, again?.at ?? Infinity);
    }
    this.#stopWaiting = this.#clock.at(wake, () => this.#tick());
  }

  #tick(): void {
    const now = this.#clock.now();
    for (const entry of this.#entries.values()) {
      const { due, again, schedule } = entry;
      if (due !== null && due <= now) {
        // Of those that passed while this process could do nothing, the last one counts.
        const moment = lastMoment(schedule, now) ?? due;
        Object.assign(entry, { due: nextMoment(schedule, now), again: null });
        this.#enqueue(entry, () => this.#come(entry, moment));
      } else if (again !== null && again.at <= now) {
        entry.again = null;
        this.#enqueue(entry, again.work);
      }
    }
    this.#wait();
  }

  #enqueue(entry: Entry, work: () => Promise<void>): void {
    entry.work = entry.work.then(() => this.#isGone(entry) ? undefined : work());
  }

  #isGone(entry: Entry): boolean {
    return this.#entries.get(entry.workflow.name) !== entry;
  }

  /** Makes up for the last moment, where it was missed. */
  async #makeUp(entry: Entry): Promise<void> {
    const { workflow, schedule } = entry;
    const moment = lastMoment(schedule, this.#clock.now());
    if (moment === null) return;
    try {
      if (await this.#wasMissed(workflow.name, schedule, moment)) await this.#come(entry, moment);
    } catch (thrown) {
      this.#fail(entry, moment, thrown, () => this.#makeUp(entry));
    }
  }

  /** Whether a moment that has passed should have had a run. */
  async #wasMissed(workflow: string, schedule: Schedule, moment: number): Promise<boolean> {
    const before = await this.#lastRun(workflow, schedule, moment);
    if (before === null || before.runId === scheduledRunId(workflow, moment)) return false;
    if (schedule.overlap === "skip" && (before.endedAt ?? Infinity) > moment) return false;
    // The schedule may be another one since then, to which the moment meant nothing.
    const then = (await this.#options.engine.beginning(before.runId)).workflow.schedule;
    return then !== null && sameTimes(then, schedule);
  }

  async #come(entry: Entry, moment: number): Promise<void> {
    const { workflow, schedule } = entry;
    const runId = scheduledRunId(workflow.name, moment);
    try {
      if (schedule.overlap === "skip" && await this.#isUnderWay(workflow.name, runId)) {
        return this.#tell(workflow.name, moment, "skipped");
      }
      await this.#options.start(workflow, { runId, input: schedule.input });
      this.#tell(workflow.name, moment, "started");
    } catch (thrown) {
      this.#fail(entry, moment, thrown, () => this.#come(entry, moment));
    }
  }

  #fail(entry: Entry, moment: number, thrown: unknown, work: () => Promise<void>): void {
    const error = MaestroError.from(thrown);
    const { name } = entry.workflow;
    if (error.code === "RUN_EXISTS") return this.#tell(name, moment, "elsewhere");
    if (!HOPELESS.has(error.code)) {
      entry.again = { at: this.#clock.now() + AGAIN, work };
      this.#wait();
    }
    this.#tell(name, moment, "failed", error);
  }

  #tell(
    workflow: string,
    at: number,
    outcome: ScheduledMoment["outcome"],
    error?: MaestroError,
  ): void {
    const runId = scheduledRunId(workflow, at);
    this.#options.onMoment?.({ workflow, at, runId, outcome, ...(error && { error }) });
  }

  /** The run of a moment, or of the last one before it that has one; `null`: it was long ago. */
  async #lastRun(
    workflow: string,
    schedule: Schedule,
    moment: number,
  ): Promise<RunSummary | null> {
    const { journal } = this.#options;
    let at: number | null = moment;
    for (let looked = 0; looked < LOOK_BACK && at !== null; looked++) {
      try {
        return await journal.find(scheduledRunId(workflow, at));
      } catch (thrown) {
        if (MaestroError.from(thrown).code !== "RUN_NOT_FOUND") throw thrown;
      }
      at = lastMoment(schedule, at - 1);
    }
    return null;
  }

  /** Whether a run that the schedule has started is under way, or waits for an operator, but for one. */
  async #isUnderWay(workflow: string, but: string): Promise<boolean> {
    for (const status of OPEN) {
      const query = { workflow, status, text: `${workflow}@` };
      let after: string | undefined;
      for (;;) {
        const page: readonly RunSummary[] = await this.#options.journal
          .list({ ...query, ...(after !== undefined && { after }) });
        if (page.some(({ runId }) => runId !== but && isScheduled(workflow, runId))) return true;
        after = page.at(-1)?.runId;
        if (after === undefined) break;
      }
    }
    return false;
  }
}

/** The id of the run of a workflow's moment: `nightly@20260101T030000Z`. Those of one workflow sort by their moment. */
export function scheduledRunId(workflow: string, moment: number): string {
  const time = new Date(moment).toISOString().replace(/\.\d+/, "").replaceAll(/[-:]/g, "");
  return `${workflow}@${time}`;
}

function isScheduled(workflow: string, runId: string): boolean {
  return runId.startsWith(`${workflow}@`) && /@\d{8}T\d{6}Z$/.test(runId);
}

function sameTimes(a: Schedule, b: Schedule): boolean {
  return a.cron === b.cron && a.timezone === b.timezone;
}
