import type { Happening } from "../engine/live_run.ts";
import type { Op } from "../machines/facts.ts";
import { recordOf } from "../machines/fold.ts";
import { eachStep } from "../workflow/calls.ts";
import type { Workflow } from "../workflow/model.ts";
import { GRPC_CODES } from "../workflow/words.ts";
import type { RunView } from "./run_view.ts";
import { statusText } from "./status_text.ts";
import { formatTime, printable } from "./text.ts";
import { calls } from "./tree_rows.ts";

/** What an attempt may have ended with. */
const ANSWERS: ReadonlySet<string> = new Set(GRPC_CODES);

/**
 * What happened as one line of plain text, for where there is no terminal; `null` where it is not
 * worth one.
 *
 * @param view the run's, moved on by this event already
 */
export function plainLine(workflow: Workflow, view: RunView, event: Happening): string | null {
  const text = textOf(workflow, view, event);
  if (text === null) return null;
  const began = view.state.started?.at ?? 0;
  const at = "at" in event ? formatTime(event.at - began).padStart(7) : " ".repeat(7);
  return `${at}  ${text}`;
}

function textOf(workflow: Workflow, view: RunView, event: Happening): string | null {
  const { name, version } = workflow;
  if ("path" in event) {
    const said = stepText(workflow, view, event);
    return said === null ? null : `${PREFIX[event.op]}${event.path}: ${said}`;
  }
  switch (event.kind) {
    case "run_started":
      return `run ${event.runId} of ${
        [name, version].filter((part) => part !== null).join(" ")
      } started`;
    case "cancel_requested":
      return event.reason === "timed_out" ? "out of time: stopping" : "cancel requested: stopping";
    case "signal_received":
      return `signal "${event.name}" received`;
    case "rollback_started":
      return "rolling back";
    case "run_ended":
      return `run ${statusText(workflow, view.state, event.at)}`;
  }
}

/** What a line about a step is about. */
const PREFIX = { action: "", compensate: "undo ", verify: "verify " } as const;

function stepText(
  workflow: Workflow,
  view: RunView,
  event: Extract<Happening, { path: string }>,
): string | null {
  const time = () => {
    const record = recordOf(view.state, event.path, event.op);
    return record === undefined || !("at" in event)
      ? ""
      : ` in ${formatTime(event.at - record.startedAt)}`;
  };
  switch (event.kind) {
    case "step_started": {
      const what = whatOf(workflow, event.path, event.op);
      return what === null ? null : `started, ${what}`;
    }
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
      return event.path === "" || whatOf(workflow, event.path, event.op) === null
        ? null
        : event.op === "compensate"
        ? `done${time()}`
        : `completed${time()}`;
    case "step_failed": {
      if (event.path === "") return null;
      const { code, step, message } = event.failure;
      if (step !== event.path) return `failed with ${step}`;
      // the last attempt has said so already, unless it is Maestro that makes an end of it
      const attempts = recordOf(view.state, event.path, event.op)?.attempts ?? 0;
      const known = attempts > 0 && ANSWERS.has(code);
      return `failed with ${code}${time()}${known ? "" : `: ${printable(message)}`}`;
    }
    case "step_skipped":
      return "skipped";
    case "step_doubted":
      return `gives up with ${event.failure.code}; asks whether it happened`;
    case "step_caught":
      return `failed with ${event.failure.code}, which its catch takes`;
    case "step_cancelled":
      return event.path === ""
        ? null
        : `cancelled${event.outcome === "unknown" ? ", its outcome unknown" : ""}`;
    case "pivot_passed":
      return "has passed its pivot: from here on the run only goes forward";
    case "branch_taken":
      return event.branch === null ? "no branch fits" : `takes branch ${event.branch}`;
    case "attention_raised":
      return `waits for an operator: ${event.failure.code}: ${printable(event.failure.message)}`;
    case "attention_resolved":
      return `resolved by an operator: ${event.action}`;
    case "breaker_waiting":
      return `waits for the circuit breaker of "${event.service}"${
        event.until === null ? "" : ` until ${new Date(event.until).toISOString().slice(11, 19)}Z`
      }`;
    case "queueing":
      return `waits for its turn: "${event.service}" has as many calls as its ` +
        '"max_concurrent" or "rate_limit" allows';
    case "block_failing":
      return null;
  }
}

/** What a step calls or sets; `null` for blocks, whose steps speak for themselves. */
function whatOf({ steps }: Workflow, path: string, op: Op): string | null {
  for (const step of eachStep(steps)) {
    if (step.path !== path) continue;
    if (step.kind === "call") {
      const { compensate } = step;
      if (op === "action" || compensate === null) return calls(step); // a compensation's step is one
      return compensate.kind === "call" ? calls(compensate) : "by its steps";
    }
    return step.kind === "set" ? `set ${Object.keys(step.values).join(", ")}` : null;
  }
  return null;
}
