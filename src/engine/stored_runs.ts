import type { Fact } from "../machines/facts.ts";
import { applyFact } from "../machines/fold.ts";
import { emptyState, type RunState } from "../machines/records.ts";
import type { Beginning } from "./beginnings.ts";
import { childId } from "./children.ts";
import type { Journal } from "./doors.ts";
import { type AttentionReport, reportOf, type RunReport } from "./report.ts";
import type { StoredFacts } from "./stored_facts.ts";

/** Runs as the journal has them, to look at: whoever goes on with them. */
export class StoredRuns {
  readonly #journal: Pick<Journal, "read">;
  readonly #facts: StoredFacts;

  constructor(journal: Pick<Journal, "read">, facts: StoredFacts) {
    this.#journal = journal;
    this.#facts = facts;
  }

  /** Where a run stands. @throws {MaestroError} `RUN_NOT_FOUND` */
  async report(runId: string): Promise<RunReport> {
    const { state, beginning } = await this.#read(runId);
    const inChildren: AttentionReport[] = [];
    for (const key of state.underWay) {
      const record = state.records.get(key);
      if (record?.form !== "workflow") continue;
      const { path, revisions } = record;
      const child = await this.report(childId(runId, path, revisions)).catch(() => null);
      for (const one of child?.attention ?? []) {
        inChildren.push({ ...one, step: `${path}/${one.step}` });
      }
    }
    return reportOf(beginning.workflow, state, inChildren);
  }

  /** Its facts so far, those after a number. @throws {MaestroError} `RUN_NOT_FOUND` */
  async *facts(runId: string, after: number): AsyncIterable<Fact> {
    const reader = this.#facts.reader(runId);
    for await (const stored of this.#journal.read(runId)) {
      const fact = await reader.read(stored);
      if (fact.seq > after) yield fact;
    }
  }

  /** What it began with. @throws {MaestroError} `RUN_NOT_FOUND` */
  beginning(runId: string): Promise<Beginning> {
    return this.#facts.beginning(runId);
  }

  async #read(runId: string): Promise<{ beginning: Beginning; state: RunState }> {
    const reader = this.#facts.reader(runId);
    const state = emptyState();
    for await (const stored of this.#journal.read(runId)) {
      applyFact(state, await reader.read(stored));
    }
    return { beginning: reader.beginning, state };
  }
}

/** Where a run stands by its facts. */
export function foldOf(facts: readonly Fact[]): RunState {
  const state = emptyState();
  for (const fact of facts) applyFact(state, fact);
  return state;
}
