import type { RunSummary } from "../engine/doors.ts";
import type { RunStatus } from "../engine/report.ts";
import type { Paint, Tone } from "./palette.ts";
import { formatTime, printable, utcTime } from "./text.ts";

const HEADS = ["RUN", "WORKFLOW", "STATUS", "STARTED", "TIME"] as const;

/** Runs as a table, a line each. */
export function runTable(runs: readonly RunSummary[], now: number, paint: Paint): string {
  const rows = runs.map((run) => ({ run, cells: cellsOf(run, now) }));
  const widths = HEADS.map((head, at) =>
    Math.max(head.length, ...rows.map(({ cells }) => cells[at]?.length ?? 0))
  );
  const line = (cells: readonly string[], toneOf: (column: number) => Tone) =>
    cells.map((cell, at) => {
      const last = at === cells.length - 1;
      return paint(toneOf(at), cell) + (last ? "" : " ".repeat((widths[at] ?? 0) - cell.length));
    }).join("  ");
  const lines = [
    line(HEADS, () => "faint"),
    ...rows.map(({ run, cells }) =>
      line(cells, (column) => column === STATUS ? TONES[run.status] : "plain")
    ),
  ];
  return `${lines.join("\n")}\n`;
}

const STATUS = HEADS.indexOf("STATUS");

const TONES: Readonly<Record<RunStatus, Tone>> = {
  running: "busy",
  compensating: "undo",
  needs_attention: "bad",
  completed: "good",
  failed: "bad",
  compensated: "undo",
  cancelled: "undo",
  timed_out: "bad",
  incomplete: "bad",
};

function cellsOf(run: RunSummary, now: number): readonly string[] {
  const { runId, workflow, version, status, startedAt } = run;
  return [
    printable(runId),
    printable([workflow, version ?? ""].join(" ").trim()),
    status,
    `${new Date(startedAt).toISOString().slice(0, 19)}Z`,
    timeOf(run, now),
  ];
}

/** How long it took, or how it goes on. */
function timeOf(
  { startedAt, endedAt, sleepsUntil, owned, status }: RunSummary,
  now: number,
): string {
  if (endedAt !== null) return formatTime(endedAt - startedAt);
  if (status === "needs_attention") return "waits for an operator";
  if (!owned) return "left open: nobody goes on with it";
  if (typeof sleepsUntil === "number") return `sleeps until ${utcTime(sleepsUntil, now)}`;
  return sleepsUntil === null ? "waits for a signal" : `${formatTime(now - startedAt)} so far`;
}
