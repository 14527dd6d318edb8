/**
 * What the tree says beside a step: how it goes, most important first.
 *
 * @module
 */
import type { Notice } from "../machines/board.ts";
import { recordKey, recordOf, type StepRecord } from "../machines/records.ts";
import type { CallStep, Step } from "../workflow/model.ts";
import { calls } from "./calls_text.ts";
import { loopDetail } from "./loop_look.ts";
import { isParked, type Seen } from "./step_look.ts";
import { clockTime, formatTime } from "./text.ts";
import type { Detail } from "./tree_row.ts";

/** Everything that is said of a step. */
export function detailsOf(step: Step, seen: Seen): Detail[] {
  const undo = undoDetail(step, seen);
  return undo.length > 0 ? undo : [...caughtDetail(seen), ...ownDetail(step, seen)];
}

function ownDetail(step: Step, seen: Seen): Detail[] {
  const { record, view, now, path } = seen;
  if (record === undefined) return [];
  if (record.attention !== null) {
    return [{ tone: "bad", text: `waits for an operator: ${record.attention.failure.code}` }];
  }
  if (record.status === "skipped" || record.status === "cancelled") {
    const by = record.resolved === null ? "" : " by an operator";
    const word = record.status === "cancelled" && by !== "" ? "aborted" : record.status;
    return [{ tone: "faint", text: word + by }];
  }
  switch (step.kind) {
    case "call":
      return callDetail(step, record, seen);
    case "foreach":
    case "repeat":
      return [...ownFailure(record), ...loopDetail(step, record, view.state, now)];
    case "wait":
    case "await_signal":
      return record.status === "running" ? [waitDetail(step, record, now)] : ownFailure(record);
    case "workflow":
      return record.status === "running" && view.children.get(path)?.state.rollback != null
        ? [{ tone: "undo", text: "rolling back" }]
        : ownFailure(record);
    default:
      return ownFailure(record);
  }
}

/** How a call goes. */
function callDetail(step: CallStep, record: StepRecord, seen: Seen): Detail[] {
  const { view, now, path, op } = seen;
  const of = op === "compensate" ? "" : `/${step.retry.attempts}`;
  const often: Detail[] = record.attempts > 1
    ? [{ tone: "faint", text: `attempt ${record.attempts}${of}` }]
    : [];
  const verified = verifyDetail(step, record, seen);
  switch (record.status) {
    case "running": {
      if (record.caught !== null) return [];
      const wait = view.waits.get(recordKey(path, op));
      return verified.length > 0 ? verified : runningDetail(record, wait, of, now);
    }
    case "completed":
      return record.caught !== null
        ? []
        : [...verified, ...often, ...(view.state.pivot === path ? [NO_WAY_BACK] : [])];
    default:
      return [{ tone: "bad", text: record.failure?.code ?? "failed" }, ...verified, ...often];
  }
}

const NO_WAY_BACK: Detail = { tone: "faint", text: "no way back" };

function runningDetail(
  { attempts, nextAt, failure }: StepRecord,
  wait: Notice | undefined,
  of: string,
  now: number,
): Detail[] {
  if (wait !== undefined) return [{ tone: "warn", text: waitText(wait, now) }];
  if (nextAt !== null) {
    return [
      { tone: "warn", text: `${failure?.code ?? "failed"}, again in ${formatTime(nextAt - now)}` },
      { tone: "faint", text: `attempt ${attempts}${of}` },
    ];
  }
  return attempts > 1 ? [{ tone: "warn", text: `attempt ${attempts}${of}` }] : [];
}

function waitText(wait: Notice, now: number): string {
  if (wait.kind === "queueing") return "waits for its turn";
  // From then on it is half open: others may be trying.
  return wait.until === null || wait.until <= now
    ? "breaker not closed, waits for its turn"
    : `breaker open until ${clockTime(wait.until, now)} (${formatTime(wait.until - now)})`;
}

/** Until when a step waits. */
function waitDetail(
  step: Extract<Step, { kind: "wait" | "await_signal" }>,
  { dueAt, startedAt }: StepRecord,
  now: number,
): Detail {
  const until = dueAt ?? (step.timeout === null ? null : startedAt + step.timeout);
  const when = until === null ? "" : ` until ${clockTime(until, now)} (${formatTime(until - now)})`;
  return { tone: "busy", text: `waits${when}` };
}

/** Whether it happened: that is asked, where it is in doubt. */
function verifyDetail(step: CallStep, record: StepRecord, { view, now, path, op }: Seen): Detail[] {
  if (step.verify === null || op !== "action") return [];
  const verify = recordOf(view.state, path, "verify");
  if (verify === undefined) {
    const inDoubt = record.status === "running" && record.unsettled &&
      record.outcomes.includes("unknown") && record.outcomes.at(-1) !== "completed";
    return inDoubt ? [{ tone: "warn", text: "in doubt, will be verified" }] : [];
  }
  if (verify.attention !== null) {
    const { code } = verify.attention.failure;
    return [{ tone: "bad", text: `in doubt, cannot be verified: ${code}` }];
  }
  if (verify.status === "completed") return [{ tone: "warn", text: "verified: it did happen" }];
  if (verify.status === "failed") return [{ tone: "warn", text: "verified: it did not happen" }];
  if (verify.status !== "running" || record.status !== "running") return [];
  const [how] = runningDetail(verify, view.waits.get(recordKey(path, "verify")), "", now);
  const asked = how === undefined ? `asking ${calls(step.verify)}` : how.text;
  return [{ tone: "warn", text: `in doubt: ${asked}` }];
}

/** What its `catch` took, and what that does. */
function caughtDetail({ record, view, path, op }: Seen): Detail[] {
  if (record === undefined || record.caught === null) return [];
  const { failure, entry } = record.caught;
  const handled = recordOf(view.state, `${path}.catch[${entry}]`, op);
  const undoing = record.status === "running" && handled === undefined;
  return [
    { tone: "warn", text: `caught ${failure.code}` },
    ...(undoing ? [{ tone: "undo", text: "undoing what it did" } as const] : []),
  ];
}

/** A block repeats nobody else's failure. */
function ownFailure({ status, failure, path }: StepRecord): Detail[] {
  return status === "failed" && failure !== null && failure.step === path
    ? [{ tone: "bad", text: failure.code }]
    : [];
}

/** How far a step is undone. */
function undoDetail(step: Step, { view, now, op, path, record }: Seen): Detail[] {
  if (op !== "action" || !("compensate" in step)) return [];
  const undo = recordOf(view.state, path, "compensate");
  if (undo === undefined) {
    if (view.state.rollback === null || record === undefined) return [];
    const done = record.effect === "completed";
    const due = step.compensate === null
      ? step.kind === "workflow" && done
      : done || record.effect === "unknown";
    return due
      ? [{ tone: "undo", text: view.state.end === null ? "to be undone" : "not undone" }]
      : [];
  }
  if (isParked(view, undo)) {
    const code = undo.attention?.failure.code;
    return [{ tone: "bad", text: `cannot be undone${code === undefined ? "" : `: ${code}`}` }];
  }
  if (undo.status === "completed") return [{ tone: "undo", text: "undone" }];
  if (undo.status === "skipped") {
    // A child run that ended as incomplete was left so by an operator, too.
    return [{ tone: "warn", text: "undo skipped" }];
  }
  if (undo.status !== "running") return [{ tone: "bad", text: "not undone" }];
  const wait = view.waits.get(recordKey(path, "compensate"));
  const [how] = runningDetail(undo, wait, "", now);
  return [{ tone: "undo", text: how === undefined ? "undoing" : `undoing: ${how.text}` }];
}
