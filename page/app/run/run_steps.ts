import type { StepNode } from "../../../src/server/step_tree.ts";
import { heaviest, type Look, lookOf, type NodeStatus } from "./looks.ts";
import { recordKey, type RunModel, type StepRecord } from "./run_model.ts";
import { openPath, type StepIndex } from "./step_paths.ts";

/** A run's steps, found by the paths that its workflow has for them. */
export class RunSteps {
  readonly index: StepIndex;
  readonly #model: RunModel;
  /** Every round of a step, by its open path. */
  readonly #rounds = new Map<string, StepRecord[]>();
  /** When each compensation was begun, from 1. */
  readonly #undoOrder = new Map<string, number>();

  constructor(model: RunModel, index: StepIndex) {
    this.index = index;
    this.#model = model;
    for (const record of model.records.values()) {
      const path = openPath(this.index, record.path);
      if (record.op === "compensate" && !record.path.includes(".compensate[")) {
        this.#undoOrder.set(record.path, this.#undoOrder.size + 1);
      }
      // The steps that undo a step run as compensations, under paths of their own.
      const isOwn = record.op === "action" || record.path.includes(".compensate[");
      if (path === null || !isOwn) continue;
      const rounds = this.#rounds.get(path);
      if (rounds === undefined) this.#rounds.set(path, [record]);
      else rounds.push(record);
    }
  }

  /** Every round of a step that has started, by the path of the workflow or of any round. */
  roundsOf(path: string): readonly StepRecord[] {
    return this.#rounds.get(openPath(this.index, path) ?? path) ?? [];
  }

  /** The step as the workflow has it. */
  nodeOf(path: string): StepNode | null {
    return this.index.get(openPath(this.index, path) ?? path) ?? null;
  }

  /** How a step stands, over all of its rounds. */
  statusOf(path: string): NodeStatus {
    const rounds = this.roundsOf(path);
    const looks = rounds.map((record) => lookOf(this.#model, record));
    const look = heaviest(looks);
    if (look === null) {
      const over = this.#model.endedAt !== null || this.#model.rollbackAt !== null;
      return { look: over ? "not_reached" : "pending", note: "", undo: null };
    }
    return { look, note: noteOf(rounds, looks), undo: this.#undoOf(rounds) };
  }

  #undoOf(rounds: readonly StepRecord[]): NodeStatus["undo"] {
    const undone = rounds.flatMap(({ path }) => {
      const record = this.#model.records.get(recordKey(path, "compensate"));
      return record === undefined ? [] : [record];
    });
    const look = heaviest(undone.map(({ state }) => state));
    if (look === null) return null;
    const order = undone.length === 1 ? this.#undoOrder.get(undone[0]?.path ?? "") ?? 0 : 0;
    return { look, order };
  }
}

function noteOf(rounds: readonly StepRecord[], looks: readonly Look[]): string {
  if (rounds.length > 1) {
    const done = looks.filter((look) => DONE.has(look)).length;
    return `${done}/${rounds.length}`;
  }
  const attempts = rounds[0]?.attempts.length ?? 0;
  return attempts > 1 ? `×${attempts}` : "";
}

const DONE: ReadonlySet<Look> = new Set<Look>(["completed", "caught", "undone"]);
