import type { Fact } from "../machines/facts.ts";
import { applyFact } from "../machines/fold.ts";
import { emptyState, type RunState } from "../machines/records.ts";
import type { Beginning, Beginnings } from "./beginnings.ts";
import { childId } from "./children.ts";
import type { Journal } from "./doors.ts";
import { decodeFact } from "./fact_codec.ts";
import { type AttentionReport, reportOf, type RunReport } from "./report.ts";

/** Runs as the journal has them, to look at: whoever goes on with them. */
export class StoredRuns {
  readonly #journal: Pick<Journal, "read">;
  readonly #beginnings: Beginnings;

  constructor(journal: Pick<Journal, "read">, beginnings: Beginnings) {
    this.#journal = journal;
    this.#beginnings = beginnings;
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
    for await (const stored of this.#journal.read(runId, after)) {
      if (stored.seq === 1) yield (await this.#beginnings.of(runId, [stored])).started;
      else yield decodeFact(stored, () => undefined);
    }
  }

  /** What it began with. @throws {MaestroError} `RUN_NOT_FOUND` */
  async beginning(runId: string): Promise<Beginning> {
    return (await this.#read(runId)).beginning;
  }

  async #read(runId: string): Promise<{ beginning: Beginning; state: RunState }> {
    const stored = await Array.fromAsync(this.#journal.read(runId));
    const beginning = await this.#beginnings.of(runId, stored);
    const rest = stored.slice(1).map((fact) => decodeFact(fact, () => undefined));
    return { beginning, state: foldOf([beginning.started, ...rest]) };
  }
}

/** Where a run stands by its facts. */
export function foldOf(facts: readonly Fact[]): RunState {
  const state = emptyState();
  for (const fact of facts) applyFact(state, fact);
  return state;
}
