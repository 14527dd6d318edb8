import type { RunReport } from "../engine/report.ts";
import type { Run } from "../engine/run.ts";
import { MaestroError } from "../errors.ts";
import { isParked } from "./rest.ts";
import type { Operator, RunsView } from "./views.ts";
import type { Going, Stage } from "./stage.ts";
import type { StoredRun } from "./stored_run.ts";

/** How often another process's run is looked at, in milliseconds. */
const LOOK_EVERY = 200;

/**
 * A run that is there already: followed while another process goes on with it, and taken over where
 * nobody does, also when that one dies.
 */
export class JoinedRun implements Going {
  readonly #stage: Pick<Stage, "hear">;
  readonly #operator: Pick<Operator, "cancel" | "resume">;
  readonly #journal: Pick<RunsView, "find">;
  readonly #stored: StoredRun;
  #here: Run | null = null;

  constructor(
    stage: Pick<Stage, "hear">,
    operator: Pick<Operator, "cancel" | "resume">,
    journal: Pick<RunsView, "find">,
    stored: StoredRun,
  ) {
    this.#stage = stage;
    this.#operator = operator;
    this.#journal = journal;
    this.#stored = stored;
  }

  /** The run's id. */
  get id(): string {
    return this.#stored.id;
  }

  /** Whether it goes on in this process. */
  get isHere(): boolean {
    return this.#here !== null;
  }

  async result(): Promise<RunReport> {
    for (;;) {
      if (this.#here !== null) return await this.#here.result();
      const found = await this.#journal.find(this.id);
      const { owned, endedAt, status, sleepsUntil, correlationId } = found;
      for await (const { runId, workflow, event } of this.#stored.news()) {
        this.#stage.hear(runId, workflow, event, { correlationId, traceparent: null });
      }
      const rests = status === "needs_attention" &&
        (sleepsUntil === null || isParked(this.#stored.view));
      if (endedAt !== null || rests) return this.#stored.report();
      if (!owned) await this.#takeOver();
      if (!this.isHere) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
    }
  }

  async cancel(by: string): Promise<void> {
    this.#here ??= await this.#operator.cancel(this.id, by);
  }

  async #takeOver(): Promise<void> {
    try {
      this.#here = await this.#operator.resume(this.id);
    } catch (thrown) {
      const { code } = MaestroError.from(thrown);
      // Another process was faster, or it has ended meanwhile: it is looked at again.
      if (code !== "RUN_OWNED" && code !== "RUN_NOT_ACTIVE") throw thrown;
    }
  }
}

/** Takes in what happened in a run before it is followed. */
export async function catchUp(stage: Stage, stored: StoredRun): Promise<void> {
  for await (const { runId, workflow, event } of stored.news()) {
    stage.progress.recall(runId, workflow, event);
    stage.recount(runId, event);
  }
  if (stored.view.state.end === null) stage.progress.goesOn();
}
