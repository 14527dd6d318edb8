import type { RunReport } from "../engine/report.ts";
import { EXIT } from "./exit_code.ts";

/** What someone who leaves before a run's end is told. */
export function leavingText(code: number, report: RunReport | null): string {
  const why = code === EXIT.terminated ? "Stopped by SIGTERM" : "Left at once";
  if (report === null) return `${why}: nothing was run`;
  const cancelled = code === EXIT.terminated ? ", which was not cancelled" : "";
  const standing = report.steps
    .filter(({ kind, status, outcome, compensation }) =>
      (kind === "call" || kind === "child") && compensation?.status !== "done" &&
      (outcome === "completed" || outcome === "unknown" || status === "running")
    )
    .map(({ path, outcome }) =>
      outcome === "completed" ? path : `${path} (its outcome is unknown)`
    );
  const left = standing.length === 0
    ? "nothing is left to undo"
    : `done and not undone: ${standing.join(", ")}`;
  return `${why}, in the middle of run ${report.run_id}${cancelled}. It was kept in memory only (--store memory), so it ends with this process and can't be resumed; ${left}`;
}
