import { rootIdOf } from "../engine/ids.ts";
import { explain } from "./explain.ts";
import type { Output } from "./output.ts";
import { paintWith } from "./palette.ts";
import { type Place, resumeCommand } from "./store_option.ts";
import type { StoredRun } from "./stored_run.ts";
import { renderTree } from "./tree.ts";

/** Everything about where a run stands: its tree, why it stands there, and what can be done. */
export function runPage(
  stored: StoredRun,
  { store, owned }: { readonly store: Place; readonly owned: boolean },
  now: number,
  output: Output,
): string {
  const paint = paintWith(output.colour);
  const tree = renderTree(stored.view, now, { width: output.width(), paint });
  const { workflow } = stored.view;
  const executed = { workflow, endpoints: stored.started.endpoints, store };
  const report = stored.report();
  const isOnItsWay = report.finished_at === null && report.attention.length === 0;
  const leftOpen = `Left open: nobody goes on with it. Go on with: ${
    resumeCommand(rootIdOf(stored.id), store)
  }`;
  const onItsWay = owned ? "" : paint("warn", leftOpen);
  const why = isOnItsWay ? onItsWay : explain(report, executed, paint);
  return [tree, why].filter((text) => text !== "").map((text) => `${text}\n`).join("");
}
