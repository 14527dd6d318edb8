/**
 * Why a run did not complete, for people.
 *
 * @module
 */
import type { AttentionReport, RunReport, StepReport } from "../engine/report.ts";
import type { Op } from "../machines/facts.ts";
import type { Failure } from "../machines/failure.ts";
import { detailLines } from "./error_details.ts";
import {
  type Executed,
  type Failed,
  failedStep,
  isOutdated,
  remedyOf,
  whereOf,
} from "./failed_step.ts";
import { findStep } from "./find_step.ts";
import { operatorCommands } from "./operator_commands.ts";
import type { Place } from "./store_option.ts";
import type { Paint } from "./palette.ts";
import { count, printable, shorten } from "./text.ts";

/** What failed and why, what was undone, and what is left to do; empty for a run that completed. */
export function explain(report: RunReport, executed: Executed, paint: Paint): string {
  if (report.status === "completed") return "";
  const lines = [
    ...report.error === null ? [] : causeLines(report.error, executed, paint),
    ...report.attention.flatMap((parked) => parkedLines(parked, executed, paint)),
    ...undoLines(report, executed, paint),
    ...(report.attention.length > 0 || report.status === "needs_attention"
      ? operatorLines(report, executed.store).map((line) => paint("warn", line))
      : []),
  ];
  return lines.join("\n");
}

/** What waits for an operator, why, and the request that fails. */
function parkedLines(
  { step, op, error, request }: AttentionReport,
  executed: Executed,
  paint: Paint,
): string[] {
  const failed = failedStep(executed, error, step, OPS.find((each) => each === op) ?? "action");
  const head = `! "${step}" ${WAITS[op] ?? "cannot go on"}: ${codeOf(error)}${
    whereOf(failed, executed)
  }`;
  return [
    paint("bad", head),
    ...messageLines(failed, paint),
    ...(request === null ? [] : [
      paint(
        "faint",
        `  Request: ${shorten(printable(JSON.stringify(request)), MOST_OF_REQUEST)}`,
      ),
    ]),
  ];
}

const OPS: readonly Op[] = ["action", "compensate", "verify"];

const WAITS: Readonly<Record<string, string>> = {
  compensate: "cannot be undone",
  verify: "is in doubt, and whether it happened cannot be found out",
};

/** A request is for recognising; the whole is in the JSON. */
const MOST_OF_REQUEST = 300;

/** What an operator can do about it; where no other process can, what is left to do by hand. */
function operatorLines({ run_id, attention }: RunReport, store: Place): string[] {
  if (store !== "memory") {
    const commands = operatorCommands(run_id, attention, store);
    return ["  An operator is needed:", ...commands.map((line) => `    ${line}`)];
  }
  const forward = attention.some(({ op }) => op !== "compensate");
  const left = forward ? "what waits has to be done" : "what is not undone has to be undone";
  return [
    "  An operator is needed. The run was kept in memory only (--store memory), so nobody can take it " +
    `up again: ${left} by hand`,
  ];
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
    ...(error.outcome === "unknown" && failed.step?.kind === "call" // what a block did is listed
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
  { steps, attention }: RunReport,
  executed: Executed,
  paint: Paint,
): string[] {
  const concerned = steps.filter(({ compensation }) => compensation !== null);
  const undone = concerned.filter(({ compensation }) => compensation?.status === "done");
  const left = concerned.filter(({ compensation }) => compensation?.status !== "done");
  // In the order in which it was done, which is the reverse of that in which it was begun.
  const order = undone.toReversed().toSorted((a, b) =>
    compare(a.compensation?.finished_at, b.compensation?.finished_at)
  );
  const forward = attention.some(({ op }) => op !== "compensate");
  const inChildren = concerned.length === 0 && attention.length > 0 && !forward;
  return [
    ...(undone.length === 0 ? [] : [paint("undo", `  Undone: ${namesOf(order)}`)]),
    ...(left.length === 0 ? [] : [paint("bad", `  Not undone: ${namesOf(left)}`)]),
    ...(concerned.length > 0 || inChildren ? [] : [
      paint(
        "faint",
        `  ${forward ? pivotText(steps, executed) : nothingUndone(steps, executed)}`,
      ),
    ]),
  ];
}

/** So many are named. */
const MOST_NAMED = 20;

function namesOf(steps: readonly StepReport[]): string {
  const more = steps.length - MOST_NAMED;
  const names = steps.slice(0, MOST_NAMED).map(({ path }) => path).join(", ");
  return more > 0 ? `${names} and ${more.toLocaleString("en")} more` : names;
}

/** Nothing is undone while the run waits to go forward. */
function pivotText(steps: readonly StepReport[], { workflow }: Executed): string {
  const pivot = steps.find(({ path, outcome }) => {
    const step = findStep(workflow, path)?.step;
    return step?.kind === "call" && step.pivot && happened(outcome);
  });
  return pivot === undefined
    ? "Nothing is undone until that is settled"
    : `Nothing is undone: "${pivot.path}" was the pivot, after which there is no way back`;
}

function happened(outcome: StepReport["outcome"]): boolean {
  return outcome === "completed" || outcome === "unknown";
}

/** Calls that were made, or may have been, stand: nobody said how to undo them. */
function nothingUndone(steps: readonly StepReport[], { workflow }: Executed): string {
  const standing = steps.filter(({ kind, outcome }) =>
    (kind === "call" || kind === "child") && happened(outcome)
  );
  if (standing.length === 0) return "Nothing had to be undone";
  const undoable = standing.some(({ path }) => {
    const step = findStep(workflow, path)?.step;
    return step !== undefined && "compensate" in step && step.compensate !== null;
  });
  if (undoable) return `Nothing was undone: ${namesOf(standing)}`;
  return standing.length === 1
    ? `Nothing was undone: ${namesOf(standing)} has no "compensate"`
    : `Nothing was undone: none of ${namesOf(standing)} has a "compensate"`;
}

function compare(a: string | null | undefined, b: string | null | undefined): number {
  return (a ?? "") < (b ?? "") ? -1 : (a ?? "") > (b ?? "") ? 1 : 0;
}
