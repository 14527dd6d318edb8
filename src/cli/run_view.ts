import type { Happening } from "../engine/happening.ts";
import type { Notice } from "../machines/board.ts";
import { applyFact } from "../machines/fold.ts";
import { emptyState, recordKey, type RunState } from "../machines/records.ts";
import type { Workflow } from "../workflow/model.ts";

/** Where a run stands, for those who show it: the fold over its facts, and what only notices tell. */
export interface RunView {
  readonly workflow: Workflow;
  readonly state: RunState;
  /** Who waits for a circuit breaker, or for its turn. By {@linkcode recordKey}. */
  readonly waits: Map<string, Notice>;
  /** Its child runs, the last one where an operator had it tried again, by the paths of their steps. */
  readonly children: Map<string, RunView>;
}

/** A view of a run that nothing was heard of yet. */
export function emptyView(workflow: Workflow): RunView {
  return { workflow, state: emptyState(), waits: new Map(), children: new Map() };
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

/** The run of a child, or of a child of that, in the view of its root. */
export interface ChildView {
  readonly view: RunView;
  /** What its steps' paths have before them in its root: `invoice/`. */
  readonly prefix: string;
}

/**
 * Finds, or makes, the view of one of the runs that a root run is made of.
 *
 * @param runId of the root, or of a run below it: `<root>/<path>`, with `#2` where it was tried again
 * @returns `null` where it is none of them
 */
export function viewOf(
  root: RunView,
  rootId: string,
  runId: string,
  workflow: Workflow,
  begins: boolean,
): ChildView | null {
  if (runId === rootId) return { view: root, prefix: "" };
  if (!runId.startsWith(`${rootId}/`)) return null;
  const paths = runId.slice(rootId.length + 1).split("/").map((part) => part.replace(/#\d+$/, ""));
  let view = root;
  for (const [index, path] of paths.entries()) {
    const isLast = index === paths.length - 1;
    let child = view.children.get(path);
    if (isLast && (child === undefined || begins)) {
      view.children.set(path, child = emptyView(workflow));
    }
    if (child === undefined) return null; // its own parent was never heard of
    view = child;
  }
  return { view, prefix: `${paths.join("/")}/` };
}

/** A run's view, and those of its children and theirs. */
export function* eachView(view: RunView): Generator<RunView> {
  yield view;
  for (const child of view.children.values()) yield* eachView(child);
}

/** Whether something in a run, or in a child of it, waits for an operator. */
export function needsOperator(view: RunView): boolean {
  for (const { state } of eachView(view)) if (state.attention.size > 0) return true;
  return false;
}
