import type { Fact } from "../machines/facts.ts";
import { printable, utcTime } from "./text.ts";

/** So wide are the longest kinds. */
const KIND = 18;

/**
 * A fact on one line: when, what, where, and how it went. Requests and answers are left out, as are
 * the messages of services.
 *
 * @param runId whose it is
 */
export function eventLine(runId: string, event: Fact): string {
  const parts = [
    new Date(event.at).toISOString(),
    event.kind.padEnd(KIND),
    ..."path" in event ? [whereOf(event)] : [],
    ...detailsOf(runId, event),
  ];
  return parts.join("  ").trimEnd();
}

type StepFact = Extract<Fact, { readonly path: string }>;

function whereOf({ path, op }: StepFact): string {
  if (path === "") return "(the run)";
  return op === "action" ? path : `${path} (${op})`;
}

/** What is worth knowing besides. */
function detailsOf(runId: string, event: Fact): string[] {
  const until = (at: number) => utcTime(at, event.at);
  switch (event.kind) {
    case "run_started":
      return [
        [event.workflow, event.version ?? ""].join(" ").trim(),
        ...event.deadline === null ? [] : [`until ${until(event.deadline)}`],
      ];
    case "step_started":
      return [
        ...event.dueAt === undefined ? [] : [`until ${until(event.dueAt)}`],
        ...event.form === "workflow" && event.op === "action" ? [`run ${runId}/${event.path}`] : [],
      ];
    case "step_skipped":
      return [];
    case "child_attention":
      return [event.parked ? "waits for an operator" : "goes on"];
    case "attempt_started":
      return [`attempt ${event.attempt}`];
    case "attempt_ended":
      return [
        `attempt ${event.attempt}`,
        event.code,
        ...event.outcome === "completed" ? [] : [event.outcome],
        ...event.nextAt === null ? [] : [`again at ${until(event.nextAt)}`],
      ];
    case "step_completed":
      return [
        ...event.signal === undefined ? [] : [`signal ${printable(event.signal)}`],
        ...event.pivot ? [PIVOT] : [],
      ];
    case "step_failed":
      return [...failureOf(event), event.failure.outcome, ...event.pivot ? [PIVOT] : []];
    case "step_doubted":
    case "block_failing":
      return failureOf(event);
    case "step_caught":
      return [...failureOf(event), `by catch[${event.entry}]`, ...event.pivot ? [PIVOT] : []];
    case "step_cancelled":
      return [event.outcome];
    case "branch_taken":
      return [event.branch === null ? "none" : `branch ${event.branch}`];
    case "schema_found":
      return [event.service];
    case "cancel_requested":
      return [event.reason, ...byWhom(event.by)];
    case "signal_received":
      return [printable(event.name), `id ${printable(event.id)}`];
    case "pivot_passed":
      return [];
    case "rollback_started":
      return [event.reason];
    case "attention_raised":
      return [...failureOf(event), ...event.pivot ? [PIVOT] : []];
    case "attention_resolved": {
      const changed = event.input === undefined ? "" : " with another request";
      const given = event.output === undefined ? "" : " with an output";
      return [`${event.action}${changed}${given}`, ...byWhom(event.by), printable(event.reason)];
    }
    case "run_ended":
      return [event.status];
  }
}

const PIVOT = "past the pivot";

/** A block fails by a step of it. */
function failureOf({ path, failure }: Extract<StepFact, { readonly failure?: unknown }>): string[] {
  if (failure === undefined) return [];
  return [failure.code, ...failure.step === path ? [] : [`by ${failure.step}`]];
}

function byWhom(by: string | null): string[] {
  return by === null ? [] : [`by ${printable(by)}`];
}
