/**
 * A run as a journal has it, read without an engine: nothing of it goes on here.
 *
 * @module
 */
import type { Beginning } from "../engine/beginnings.ts";
import { childId } from "../engine/children.ts";
import { type AttentionReport, reportOf, type RunReport } from "../engine/report.ts";
import { type FactReader, StoredFacts } from "../engine/stored_facts.ts";
import { MaestroError } from "../errors.ts";
import type { Fact } from "../machines/facts.ts";
import { recordOf } from "../machines/records.ts";
import type { Workflow } from "../workflow/model.ts";
import { findStep } from "./find_step.ts";
import type { RunsView } from "./views.ts";
import { emptyView, hear, type RunView, viewOf } from "./run_view.ts";

/** A fact, and the run that it is of. */
export interface StoredEvent {
  readonly runId: string;
  readonly workflow: Workflow;
  readonly event: Fact;
}

/** What runs are read from. */
type Readable = Pick<RunsView, "read" | "kept">;

type Started = Beginning["started"];

/** One of the runs that a stored run is made of: itself, or a child run. */
interface Part {
  readonly runId: string;
  readonly workflow: Workflow;
  readonly reader: FactReader;
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
  readonly #journal: Pick<RunsView, "read">;
  readonly #facts: StoredFacts;
  /** By run id; a child run stands behind its parent. */
  readonly #parts = new Map<string, Part>();

  private constructor(
    journal: Pick<RunsView, "read">,
    facts: StoredFacts,
    started: Started,
    workflow: Workflow,
  ) {
    this.#journal = journal;
    this.#facts = facts;
    this.started = started;
    this.view = emptyView(workflow);
    this.#add(started.runId, workflow);
  }

  /** The run's id. */
  get id(): string {
    return this.started.runId;
  }

  /** Finds a run; nothing but its beginning is read. @throws {MaestroError} `RUN_NOT_FOUND` */
  static async find(
    journal: Readable,
    id: string,
    facts: StoredFacts = storedFacts(journal),
  ): Promise<StoredRun> {
    const { started, workflow } = await facts.beginning(id);
    return new StoredRun(journal, facts, started, workflow);
  }

  /** A run, read to where it stands. @throws {MaestroError} `RUN_NOT_FOUND` */
  static async read(journal: Readable, id: string, facts?: StoredFacts): Promise<StoredRun> {
    const run = await StoredRun.find(journal, id, facts);
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
      const event = await part.reader.read(stored);
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
    const record = recordOf(state, path) ?? recordOf(state, path, op);
    const child = childId(runId, path, record?.revisions ?? 0);
    const part = this.#parts.get(child);
    if (part === undefined) this.#add(child, step.workflow);
    else part.open = true;
  }

  #add(runId: string, workflow: Workflow): void {
    const reader = this.#facts.reader(runId);
    this.#parts.set(runId, { runId, workflow, reader, seq: 0, open: true });
  }
}

/** The facts of stored runs, with the messages of gRPC services. */
export function storedFacts(journal: Readable): StoredFacts {
  return new StoredFacts(
    journal,
    async (kept) => (await import("../grpc/kept_schema.ts")).keptTypes(kept),
  );
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
