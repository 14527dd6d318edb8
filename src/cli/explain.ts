/**
 * Why a run did not complete, for people.
 *
 * @module
 */
import type { RunReport, StepReport } from "../engine/report.ts";
import type { Failure } from "../machines/failure.ts";
import { eachCompensable } from "../workflow/calls.ts";
import type { Workflow } from "../workflow/model.ts";
import { detailLines } from "./error_details.ts";
import {
  type Executed,
  type Failed,
  failedStep,
  isOutdated,
  remedyOf,
  whereOf,
} from "./failed_step.ts";
import type { Paint } from "./palette.ts";
import { count, printable } from "./text.ts";

/** What failed and why, what was undone, and what is left to do; empty for a run that completed. */
export function explain(report: RunReport, executed: Executed, paint: Paint): string {
  if (report.status === "completed") return "";
  const lines = [
    ...report.error === null ? [] : causeLines(report.error, executed, paint),
    ...report.attention.flatMap(({ step, op, error }) => {
      const what = op === "compensate" ? "cannot be undone" : "cannot go on";
      const failed = failedStep(executed, error, step, op === "compensate" ? op : "action");
      const head = `! "${step}" ${what}: ${codeOf(error)}${whereOf(failed, executed)}`;
      return [paint("bad", head), ...messageLines(failed, paint)];
    }),
    ...undoLines(report.steps, executed, paint),
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

function causeLines(error: Failure, executed: Executed, paint: Paint): string[] {
  const failed = failedStep(executed, error, error.step, "action");
  if (error.step === "") {
    return [paint("bad", `✗ ${printable(error.message)}${remedyOf(failed)}`)];
  }
  const head = `✗ Step "${error.step}" failed: ${codeOf(error)}${whereOf(failed, executed)}`;
  return [
    paint("bad", head),
    ...messageLines(failed, paint),
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

function messageLines(failed: Failed, paint: Paint): string[] {
  const { message, reason, domain, metadata, details } = failed.error;
  const facts = [
    ...(reason === "" ? [] : [`reason ${reason}`]),
    ...(domain === "" ? [] : [`domain ${domain}`]),
    ...Object.entries(metadata).map(([name, value]) => `${name} ${value}`),
  ].map(printable);
  return [
    ...(message === "" ? [] : [`  ${printable(message)}${remedyOf(failed)}`]),
    ...(facts.length === 0 ? [] : [`  (${facts.join(", ")})`]),
    ...detailLines(details).map((line) => `  ${line}`),
    ...(isOutdated(failed)
      ? [
        paint(
          "faint",
          "  The schema has this method: if the service is of an older version than its schema, update it",
        ),
      ]
      : []),
  ];
}

function undoLines(
  steps: readonly StepReport[],
  { workflow }: Executed,
  paint: Paint,
): string[] {
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
    ...(concerned.length === 0 ? [paint("faint", `  ${nothingUndone(steps, workflow)}`)] : []),
  ];
}

/** Calls that were made, or may have been, stand: nobody said how to undo them. */
function nothingUndone(steps: readonly StepReport[], workflow: Workflow): string {
  const standing = steps.filter(({ kind, outcome }) =>
    kind === "call" && (outcome === "completed" || outcome === "unknown")
  ).map(({ path }) => path);
  if (standing.length === 0) return "Nothing had to be undone";
  const undoable = new Set([...eachCompensable(workflow.steps)].map(({ path }) => path));
  if (standing.some((path) => undoable.has(path))) {
    return `Nothing was undone: ${standing.join(", ")}`;
  }
  return standing.length === 1
    ? `Nothing was undone: ${standing[0]} has no "compensate"`
    : `Nothing was undone: none of ${standing.join(", ")} has a "compensate"`;
}

function compare(a: string | null | undefined, b: string | null | undefined): number {
  return (a ?? "") < (b ?? "") ? -1 : (a ?? "") > (b ?? "") ? 1 : 0;
}
