/**
 * Why a run did not complete, for people.
 *
 * @module
 */
import type { RunReport, StepReport } from "../engine/report.ts";
import type { Failure } from "../machines/failure.ts";
import type { Paint } from "./palette.ts";
import { count, printable } from "./text.ts";

/** What failed and why, what was undone, and what is left to do; empty for a run that completed. */
export function explain(report: RunReport, paint: Paint): string {
  if (report.status === "completed") return "";
  const lines = [
    ...report.error === null ? [] : causeLines(report.error, paint),
    ...report.attention.flatMap(({ step, op, error }) => [
      paint(
        "bad",
        `! "${step}" ${op === "compensate" ? "cannot be undone" : "cannot go on"}: ${
          codeOf(error)
        }`,
      ),
      ...messageLines(error),
    ]),
    ...undoLines(report.steps, paint),
    ...(report.attention.length > 0 || report.status === "needs_attention"
      ? [
        paint(
          "warn",
          `  An operator is needed. The run was kept in memory only: it can't be taken up again, so what is not undone has to be undone by hand`,
        ),
      ]
      : []),
  ];
  return lines.join("\n");
}

function causeLines(error: Failure, paint: Paint): string[] {
  if (error.step === "") return [paint("bad", `✗ ${printable(error.message)}`)];
  return [
    paint("bad", `✗ Step "${error.step}" failed: ${codeOf(error)}`),
    ...messageLines(error),
    ...(error.outcome === "unknown"
      ? [
        paint(
          "faint",
          "  It may have taken effect all the same: the service did not say that it did not",
        ),
      ]
      : []),
  ];
}

function codeOf({ code, attempts }: Failure): string {
  return attempts === 0 ? code : `${code} after ${count(attempts, "attempt")}`;
}

function messageLines({ message, reason, domain, metadata }: Failure): string[] {
  const facts = [
    ...(reason === "" ? [] : [`reason ${reason}`]),
    ...(domain === "" ? [] : [`domain ${domain}`]),
    ...Object.entries(metadata).map(([name, value]) => `${name} ${value}`),
  ].map(printable);
  return [
    ...(message === "" ? [] : [`  ${printable(message)}`]),
    ...(facts.length === 0 ? [] : [`  (${facts.join(", ")})`]),
  ];
}

function undoLines(steps: readonly StepReport[], paint: Paint): string[] {
  const concerned = steps.filter(({ compensation }) => compensation !== null);
  const undone = concerned.filter(({ compensation }) => compensation?.status === "done");
  const left = concerned.filter(({ compensation }) => compensation?.status !== "done");
  const names = (list: readonly StepReport[]) => list.map(({ path }) => path).join(", ");
  // In the order in which it was done, which is the reverse of that in which it was begun.
  const order = undone.toSorted((a, b) =>
    compare(a.compensation?.finished_at, b.compensation?.finished_at)
  );
  return [
    ...(undone.length === 0 ? [] : [paint("undo", `  Undone: ${names(order)}`)]),
    ...(left.length === 0 ? [] : [paint("bad", `  Not undone: ${names(left)}`)]),
    ...(concerned.length === 0 ? [paint("faint", "  Nothing had to be undone")] : []),
  ];
}

function compare(a: string | null | undefined, b: string | null | undefined): number {
  return (a ?? "") < (b ?? "") ? -1 : (a ?? "") > (b ?? "") ? 1 : 0;
}
