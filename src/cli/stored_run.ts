/**
 * A run as a journal has it, read without an engine: nothing of it goes on here.
 *
 * @module
 */
import { type Beginning, Beginnings } from "../engine/beginnings.ts";
import type { Journal } from "../engine/doors.ts";
import { type AttentionReport, reportOf, type RunReport } from "../engine/report.ts";
import { MaestroError } from "../errors.ts";
import type { Fact } from "../machines/facts.ts";
import { recordOf } from "../machines/records.ts";
import type { Workflow } from "../workflow/model.ts";
import { findStep } from "./find_step.ts";
import { readFact } from "./read_fact.ts";
import { emptyView, hear, type RunView, viewOf } from "./run_view.ts";

/** A fact, and the run that it is of. */
export interface StoredEvent {
  readonly runId: string;
  readonly workflow: Workflow;
  readonly event: Fact;
}

type Started = Beginning["started"];

/** One of the runs that a stored run is made of: itself, or a child run. */
interface Part {
  readonly runId: string;
  readonly workflow: Workflow;
  /** The last of its facts that was read. */
  seq: number;
  /** There may be more to come. */
  open: boolean;
}

/** A run with its child runs, as far as they have been read. */
export class StoredRun {
  /** Where it stands by what was read. */
  readonly view: RunView;
  /** How it began. */
  readonly started: Started;
  readonly #journal: Journal;
  readonly #beginnings: Beginnings;
  /** By run id; a child run stands behind its parent. */
  readonly #parts = new Map<string, Part>();

  private constructor(
    journal: Journal,
    beginnings: Beginnings,
    started: Started,
    workflow: Workflow,
  ) {
    this.#journal = journal;
    this.#beginnings = beginnings;
    this.started = started;
    this.view = emptyView(workflow);
    this.#add(started.runId, workflow);
  }

  /** The run's id. */
  get id(): string {
    return this.started.runId;
  }

  /** Finds a run; nothing but its beginning is read. @throws {MaestroError} `RUN_NOT_FOUND` */
  static async find(journal: Journal, id: string): Promise<StoredRun> {
    for await (const first of journal.read(id)) {
      const beginnings = new Beginnings(journal);
      const { started, workflow } = await beginnings.of(id, [first]);
      return new StoredRun(journal, beginnings, started, workflow);
    }
    throw new MaestroError("RUN_NOT_FOUND", `There is no run "${id}"`);
  }

  /** A run, read to where it stands. @throws {MaestroError} `RUN_NOT_FOUND` */
  static async read(journal: Journal, id: string): Promise<StoredRun> {
    const run = await StoredRun.find(journal, id);
    for await (const _ of run.news());
    return run;
  }

  /** Reads what is new: of each run in order, a parent's before its children's. */
  async *news(): AsyncGenerator<StoredEvent> {
    for (const part of this.#parts.values()) { // those that are added meanwhile come at the end
      if (part.open) yield* this.#newsOf(part);
    }
  }

  /** Where it stands, as `--output json` has it. */
  report(): RunReport {
    return reportOfView(this.view);
  }

  async *#newsOf(part: Part): AsyncGenerator<StoredEvent> {
    const { runId, workflow } = part;
    for await (const stored of this.#factsOf(part)) {
      const event = await readFact(this.#beginnings, runId, stored);
      part.seq = event.seq;
      part.open = event.kind !== "run_ended";
      const begins = event.kind === "run_started";
      const where = viewOf(this.view, this.id, runId, workflow, begins);
      if (where !== null) hear(where.view, event);
      if (where !== null && BEGINS_CHILD.has(event.kind) && "path" in event) {
        this.#follow(part, event, where.view);
      }
      yield { runId, workflow, event };
    }
  }

  async *#factsOf({ runId, seq }: Part) {
    try {
      yield* this.#journal.read(runId, seq);
    } catch (thrown) {
      // A child run's own beginning may come a moment after its step's.
      if (MaestroError.from(thrown).code !== "RUN_NOT_FOUND" || runId === this.id) throw thrown;
    }
  }

  /** A step that starts a child run, starts it anew, or undoes it: there is news to be had of that. */
  #follow({ runId, workflow }: Part, { path, op }: StepPlace, { state }: RunView): void {
    const step = findStep(workflow, path)?.step;
    if (step?.kind !== "workflow") return;
    const revision = (recordOf(state, path) ?? recordOf(state, path, op))?.revisions ?? 0;
    const child = `${runId}/${path}${revision === 0 ? "" : `#${revision + 1}`}`;
    const part = this.#parts.get(child);
    if (part === undefined) this.#add(child, step.workflow);
    else part.open = true;
  }

  #add(runId: string, workflow: Workflow): void {
    this.#parts.set(runId, { runId, workflow, seq: 0, open: true });
  }
}

/** What a child run may begin with, or go on with. */
const BEGINS_CHILD: ReadonlySet<Fact["kind"]> = new Set(["step_started", "attention_resolved"]);

type StepPlace = Pick<Extract<Fact, { readonly path: string }>, "path" | "op">;

/** Where a run stands, with what waits for an operator in its child runs. */
function reportOfView({ workflow, state, children }: RunView): RunReport {
  return reportOf(
    workflow,
    state,
    [...children].flatMap(([path, child]) => attentionIn(path, child)),
  );
}

function attentionIn(path: string, child: RunView): AttentionReport[] {
  if (child.state.started === null || child.state.end !== null) return [];
  return reportOfView(child).attention.map((one) => ({ ...one, step: `${path}/${one.step}` }));
}
