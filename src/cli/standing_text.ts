import type { RunReport } from "../engine/report.ts";
import { END_TEXT } from "./end_text.ts";
import { formatTime, printable } from "./text.ts";

/** Where a run stands, in a few words, by its report. */
export function standingText(report: RunReport): string {
  const { status, error, attention, duration_ms } = report;
  const why = error === null ? "" : `: ${printable(error.code)}`;
  switch (status) {
    case "running": {
      const busy = report.steps.filter((step) =>
        step.status === "running" || step.status === "waiting"
      );
      const waits = busy.length > 0 && busy.every((step) => step.status === "waiting");
      return waits ? `waits at ${busy.map(({ path }) => `"${path}"`).join(", ")}` : "goes on";
    }
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

const STANDINGS: Readonly<Record<Exclude<RunReport["status"], "running">, string>> = {
  compensating: "rolls back",
  needs_attention: "waits for an operator",
  ...END_TEXT,
};
