/**
 * What happens in a run as lines of plain text, for where there is no terminal.
 *
 * @module
 */
import type { Happening } from "../engine/happening.ts";
import { recordOf, type StepRecord } from "../machines/records.ts";
import { GRPC_CODES } from "../workflow/words.ts";
import { calls, whatOf } from "./calls_text.ts";
import { findStep, targetOf } from "./find_step.ts";
import { isCrowded, roundsLine } from "./loop_lines.ts";
import { numeral } from "./loop_look.ts";
import type { ChildView, RunView } from "./run_view.ts";
import { statusText } from "./status_text.ts";
import { formatTime, printable, utcTime } from "./text.ts";

/** What an attempt may have ended with. */
const ANSWERS: ReadonlySet<string> = new Set(GRPC_CODES);

type StepEvent = Extract<Happening, { path: string }>;

/**
 * What happened as one line of plain text; `null` where it is not worth one.
 *
 * @param root the view of the whole, moved on by this event already
 * @param where of the run in which it happened: the root, or a child of it
 */
export function plainLine(root: RunView, where: ChildView, event: Happening): string | null {
  const text = textOf(where, event);
  if (text === null) return null;
  const began = root.state.started?.at ?? 0;
  const at = "at" in event ? formatTime(event.at - began).padStart(7) : " ".repeat(7);
  return `${at}  ${text}`;
}

function textOf({ view, prefix }: ChildView, event: Happening): string | null {
  if ("path" in event) {
    const rounds = roundsLine(view.state, event);
    if (rounds !== null) return `${PREFIX[event.op]}${prefix}${rounds}`;
    const said = stepText(view, event);
    return said === null ? null : `${PREFIX[event.op]}${prefix}${event.path}: ${said}`;
  }
  const of = prefix === "" ? "" : `${prefix.slice(0, -1)}: `;
  switch (event.kind) {
    case "run_started": {
      const { name, version } = view.workflow;
      const what = [name, version].filter((part) => part !== null).join(" ");
      return of === "" ? `run ${event.runId} of ${what} started` : null; // its step has said so
    }
    case "cancel_requested":
      return of +
        (event.reason === "timed_out" ? "out of time: stopping" : "cancel requested: stopping");
    case "schema_found":
      return null;
    case "signal_received":
      return `${of}signal "${event.name}" received`;
    case "rollback_started":
      return `${of}rolling back`;
    case "run_ended":
      if (of === "") return `run ${statusText(view, event.at)}`;
      return event.status === "completed" ? null : `${of}run ${statusText(view, event.at)}`;
  }
}

/** What a line about a step is about. */
const PREFIX = { action: "", compensate: "undo ", verify: "verify " } as const;

function stepText(view: RunView, event: StepEvent): string | null {
  const { state } = view;
  const record = recordOf(state, event.path, event.op);
  const time = record === undefined || !("at" in event)
    ? ""
    : ` in ${formatTime(event.at - record.startedAt)}`;
  switch (event.kind) {
    case "step_started":
      return isCrowded(state, event.path) ? null : startText(view, event, record);
    case "attempt_started":
      return event.attempt > 1 ? `attempt ${event.attempt}` : null;
    case "attempt_ended": {
      if (event.failure === undefined) return null;
      const then = event.nextAt === null ? "" : `; again in ${formatTime(event.nextAt - event.at)}`;
      return `attempt ${event.attempt} failed with ${event.code}: ${
        printable(event.failure.message)
      }${then}`;
    }
    case "step_completed":
      return completedText(view, event, time);
    case "step_failed": {
      if (event.path === "") return null;
      if (event.op === "verify") return "it did not happen";
      const { code, step, message } = event.failure;
      const pivot = event.pivot ? PASSED : "";
      if (step !== event.path) return `failed with ${step}${pivot}`;
      // the last attempt has said so already, unless it is Maestro that makes an end of it
      const known = (record?.attempts ?? 0) > 0 && ANSWERS.has(code);
      return `failed with ${code}${time}${known ? "" : `: ${printable(message)}`}${pivot}`;
    }
    case "step_skipped":
      return isCrowded(state, event.path) ? null : "skipped";
    case "step_doubted":
      return `gives up with ${event.failure.code}; asks whether it happened`;
    case "step_caught":
      return caughtText(view, event);
    case "step_cancelled":
      return event.path === ""
        ? null
        : `cancelled${event.outcome === "unknown" ? ", its outcome unknown" : ""}`;
    case "pivot_passed":
      return "has passed its pivot: from here on the run only goes forward";
    case "branch_taken":
      if (isCrowded(state, event.path)) return null;
      return event.branch === null ? "no branch fits" : `takes branch ${event.branch}`;
    case "attention_raised": {
      const { code, message } = event.failure;
      return `waits for an operator: ${code}: ${printable(message)}${event.pivot ? PASSED : ""}`;
    }
    case "attention_resolved":
      return `resolved by an operator: ${event.action}`;
    case "breaker_waiting":
      return `waits for the circuit breaker of "${event.service}"${
        event.until === null ? "" : ` until ${utcTime(event.until, event.until)}`
      }`;
    case "queueing":
      return isCrowded(state, event.path)
        ? null
        : `waits for its turn: "${event.service}" has as many calls as its ` +
          '"max_concurrent" or "rate_limit" allows';
    case "block_failing":
    case "child_attention": // the child has said so
      return null;
  }
}

const PASSED = "; it is the pivot: from here on there is no way back";

/** What a step begins to do; `null` for blocks, whose steps speak for themselves. */
function startText(
  { workflow }: RunView,
  { path, op, at, dueAt }: Extract<Happening, { kind: "step_started" }>,
  record: StepRecord | undefined,
): string | null {
  const step = findStep(workflow, path)?.step;
  if (step === undefined) return null;
  const target = targetOf(step, op);
  if (target !== null) return `started, ${calls(target)}`;
  if (op === "compensate" && "compensate" in step) {
    if (step.compensate !== null) return "started, by its steps";
    if (step.kind === "workflow") return "started, by its own compensations";
  }
  switch (step.kind) {
    case "set":
    case "workflow":
      return `started, ${whatOf(step)}`;
    case "wait":
      return dueAt === undefined
        ? null
        : `waits until ${utcTime(dueAt, at)} (${formatTime(dueAt - at)})`;
    case "await_signal": {
      const most = step.timeout === null ? "" : `, at most ${formatTime(step.timeout)}`;
      return `waits for the signal "${step.signal}"${most}`;
    }
    case "foreach": {
      const items = Array.isArray(record?.input) ? record.input.length : 0;
      return `started, ${numeral(items)} ${items === 1 ? "item" : "items"}`;
    }
    default:
      return null;
  }
}

function completedText(
  { workflow, state }: RunView,
  { path, op, pivot }: Extract<Happening, { kind: "step_completed" }>,
  time: string,
): string | null {
  if (path === "") return null;
  if (op === "verify") return "it did happen";
  const step = findStep(workflow, path)?.step;
  if (step === undefined || isCrowded(state, path)) return null;
  switch (step.kind) {
    case "steps":
    case "parallel":
    case "switch":
    case "repeat":
    case "fail":
    case "return":
      return op === "compensate" && "compensate" in step ? `done${time}` : null;
    default:
      return `${op === "compensate" ? "done" : "completed"}${time}${pivot ? PASSED : ""}`;
  }
}

/** What takes a failure, and what that does. */
function caughtText(
  { workflow }: RunView,
  { path, failure, entry, pivot }: Extract<Happening, { kind: "step_caught" }>,
): string {
  const does = findStep(workflow, path)?.step.catch[entry];
  const undoes = does?.undo ? "; what it did is undone first" : "";
  const steps = does === undefined || does.steps.length === 0
    ? ""
    : `; ${does.steps.map(({ id }) => id).join(", ")} instead`;
  return `failed with ${failure.code}, which its catch takes${undoes}${steps}${
    pivot ? PASSED : ""
  }`;
}
