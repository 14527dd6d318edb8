import type { RunReport } from "../engine/report.ts";
import { formatTime, printable } from "./text.ts";

/** Where a run stands, in a few words, by its report. */
export function standingText(report: RunReport): string {
  const { status, error, attention, duration_ms } = report;
  const why = error === null ? "" : `: ${printable(error.code)}`;
  switch (status) {
    case "running":
    case "compensating":
      return STANDINGS[status];
    case "needs_attention": {
      const [first, ...more] = attention;
      if (first === undefined) return STANDINGS.needs_attention;
      const rest = more.length === 0 ? "" : `, and ${more.length} more`;
      return `${STANDINGS.needs_attention}: "${first.step}" (${first.error.code})${rest}`;
    }
    default:
      return `${STANDINGS[status]} in ${formatTime(duration_ms ?? 0)}${
        status === "failed" || status === "compensated" ? why : ""
      }`;
  }
}

const STANDINGS: Readonly<Record<RunReport["status"], string>> = {
  running: "goes on",
  compensating: "rolls back",
  needs_attention: "waits for an operator",
  completed: "completed",
  failed: "failed",
  compensated: "failed and undone",
  cancelled: "cancelled",
  timed_out: "timed out",
  incomplete: "ended incomplete",
};
