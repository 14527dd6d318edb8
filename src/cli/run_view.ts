import type { Happening } from "../engine/live_run.ts";
import type { Notice } from "../machines/board.ts";
import { applyFact, emptyState, recordKey, type RunState } from "../machines/fold.ts";

/** Where a run stands, for those who show it: the fold over its facts, and what only notices tell. */
export interface RunView {
  readonly state: RunState;
  /** Who waits for a circuit breaker, or for its turn. By {@linkcode recordKey}. */
  readonly waits: Map<string, Notice>;
}

/** A view of a run that nothing was heard of yet. */
export function emptyView(): RunView {
  return { state: emptyState(), waits: new Map() };
}

/** Moves a view on. */
export function hear(view: RunView, event: Happening): void {
  switch (event.kind) {
    case "breaker_waiting":
    case "queueing":
      view.waits.set(recordKey(event.path, event.op), event);
      return;
    default:
      if ("path" in event) view.waits.delete(recordKey(event.path, event.op));
      applyFact(view.state, event);
  }
}
