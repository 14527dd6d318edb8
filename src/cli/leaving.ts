import type { RunReport } from "../engine/report.ts";
import { EXIT } from "./exit_code.ts";
import { type Place, placeOption, resumeCommand, shellWord, showCommand } from "./store_option.ts";

/** What someone who leaves before the end leaves behind. */
export type LeftBehind =
  /** Nothing was begun. */
  | { readonly kind: "nothing" }
  /** A run that was kept in memory only. */
  | { readonly kind: "lost"; readonly report: RunReport }
  /** Runs that can be resumed; `null`: all that are open. */
  | { readonly kind: "resumable"; readonly runId: string | null; readonly store: Place }
  /** A run that a server was asked to start, and it has not answered yet. */
  | { readonly kind: "asked"; readonly runId: string; readonly store: Place }
  /** Runs that another process, or a server, goes on with; `null`: some. */
  | { readonly kind: "elsewhere"; readonly runId: string | null; readonly store: Place }
  /** Something that is wanted of a run. */
  | {
    readonly kind: "wanted";
    /** What it is: `the cancel`. */
    readonly what: string;
    readonly signalId: string | undefined;
    /** `taken`: the run goes on here, with it on record; `posted`: it stands in the run's inbox. */
    readonly stands: "taken" | "posted" | "unknown";
    readonly runId: string;
    readonly store: Place;
  };

/** What someone who leaves before the end is told. */
export function leavingText(code: number, left: LeftBehind): string {
  const bySignal = code === EXIT.terminated;
  const why = bySignal ? "Stopped by SIGTERM" : "Left at once";
  switch (left.kind) {
    case "nothing":
      return `${why}: nothing was run`;
    case "asked":
      return `${why} before it was known whether run ${left.runId} was started; see ${
        showCommand(left.runId, left.store)
      }`;
    case "elsewhere": {
      const { runId, store } = left;
      const who = typeof store === "string" ? "another process" : "the server";
      const [what, look] = runId === null
        ? ["them", `maestro runs list${placeOption(store)}`]
        : [`run ${runId}`, showCommand(runId, store)];
      return `${why}: ${who} goes on with ${what}; see ${look}`;
    }
    case "wanted":
      return `${why}${wantedText(left)}`;
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

type Wanted = Extract<LeftBehind, { kind: "wanted" }>;

function wantedText(left: Wanted): string {
  const { what, stands, signalId, runId, store } = left;
  const again = signalId === undefined
    ? ""
    : `; sent again with --signal-id ${shellWord(signalId)} it counts once`;
  switch (stands) {
    case "taken":
      return `, in the middle of run ${runId}. Nothing is lost; go on with: ${
        resumeCommand(runId, store)
      }`;
    case "posted":
      return `: ${what} is posted, and need not be sent again: the process that has run ${runId} does it, or whoever takes the run over${again}; see ${
        showCommand(runId, store)
      }`;
    case "unknown":
      return ` before it was known whether ${what} is on record${again}; see ${
        showCommand(runId, store)
      }`;
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
