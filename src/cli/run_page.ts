import { explain } from "./explain.ts";
import type { Output } from "./output.ts";
import { paintWith } from "./palette.ts";
import type { StoredRun } from "./stored_run.ts";
import { renderTree } from "./tree.ts";

/** Everything about where a run stands: its tree, why it stands there, and what can be done. */
export function runPage(stored: StoredRun, store: string, now: number, output: Output): string {
  const paint = paintWith(output.colour);
  const tree = renderTree(stored.view, now, { width: output.width(), paint });
  const { workflow } = stored.view;
  const executed = { workflow, endpoints: stored.started.endpoints, store };
  const report = stored.report();
  const isOnItsWay = report.finished_at === null && report.attention.length === 0;
  const why = isOnItsWay ? "" : explain(report, executed, paint);
  return [tree, why].filter((text) => text !== "").map((text) => `${text}\n`).join("");
}
