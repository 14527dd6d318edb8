import type { RunReport } from "../engine/report.ts";
import { EXIT } from "./exit_code.ts";
import { resumeCommand, shellWord, storeOption } from "./store_option.ts";

/** What someone who leaves before the end leaves behind. */
export type LeftBehind =
  /** Nothing was begun. */
  | { readonly kind: "nothing" }
  /** A run that was kept in memory only. */
  | { readonly kind: "lost"; readonly report: RunReport }
  /** Runs that can be resumed; `null`: all that are open. */
  | { readonly kind: "resumable"; readonly runId: string | null; readonly store: string }
  /** A run that another process goes on with. */
  | { readonly kind: "elsewhere"; readonly runId: string; readonly store: string };

/** What someone who leaves before the end is told. */
export function leavingText(code: number, left: LeftBehind): string {
  const bySignal = code === EXIT.terminated;
  const why = bySignal ? "Stopped by SIGTERM" : "Left at once";
  switch (left.kind) {
    case "nothing":
      return `${why}: nothing was run`;
    case "elsewhere":
      return `${why}: another process goes on with run ${left.runId}; see maestro runs show ${
        shellWord(left.runId)
      }${storeOption(left.store)}`;
    case "resumable": {
      const middle = left.runId === null
        ? ""
        : `, in the middle of run ${left.runId}${cancelled(bySignal)}`;
      return `${why}${middle}. Nothing is lost; go on with: ${
        resumeCommand(left.runId, left.store)
      }`;
    }
    case "lost": {
      const { report } = left;
      return `${why}, in the middle of run ${report.run_id}${
        cancelled(bySignal)
      }. It was kept in memory only (--store memory), so it ends with this process and can't be resumed; ${
        standingText(report)
      }`;
    }
  }
}

function cancelled(bySignal: boolean): string {
  return bySignal ? ", which was not cancelled" : "";
}

function standingText({ steps }: RunReport): string {
  const standing = steps
    .filter(({ kind, status, outcome, compensation }) =>
      (kind === "call" || kind === "child") && compensation?.status !== "done" &&
      (outcome === "completed" || outcome === "unknown" || status === "running")
    )
    .map(({ path, outcome }) =>
      outcome === "completed" ? path : `${path} (its outcome is unknown)`
    );
  return standing.length === 0
    ? "nothing is left to undo"
    : `done and not undone: ${standing.join(", ")}`;
}
