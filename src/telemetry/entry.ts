import type { Happening } from "../engine/happening.ts";
import type { Failure } from "../machines/failure.ts";
import type { Json } from "../workflow/json.ts";
import type { Value } from "../workflow/value.ts";
import type { LogLevel } from "./levels.ts";

/** One line of a log, before it has its time and its run. */
export interface Entry {
  readonly level: LogLevel;
  /** Never holds a value of the run: those are in the fields. */
  readonly message: string;
  readonly fields: Readonly<Record<string, Json>>;
  /** What may be logged at level `trace` only. */
  readonly payload?: Readonly<Record<string, Value>>;
}

/** What a step's fact is about, by what the step is for. */
const NOUNS = { action: "step", compensate: "compensation", verify: "verification" } as const;

/** The entry of something that happened, without what only its past can tell. */
export function entryOf(event: Happening): Entry {
  const op = "op" in event ? event.op : "action";
  const noun = NOUNS[op];
  const at = "path" in event ? { step: event.path, ...(op !== "action" && { op }) } : {};
  switch (event.kind) {
    case "run_started":
      return entry("info", "run started", {}, { input: event.input });
    case "step_started":
      return entry("info", `${noun} started`, at, { request: event.input });
    case "step_skipped":
      return entry("info", `${noun} skipped`, at);
    case "attempt_started":
      return entry("debug", "attempt started", { ...at, attempt: event.attempt });
    case "attempt_ended": {
      const fields = { ...at, attempt: event.attempt, code: event.code, outcome: event.outcome };
      if (event.outcome === "completed") {
        return entry("debug", "attempt completed", fields, { response: event.output });
      }
      const wait = event.nextAt === null
        ? {}
        : { retry_in_ms: Math.max(0, event.nextAt - event.at) };
      return event.nextAt === null
        ? failed("debug", "attempt failed", fields, event.failure)
        : failed("warn", "attempt failed, another follows", { ...fields, ...wait }, event.failure);
    }
    case "step_completed":
      return entry("info", `${noun} completed`, at, { output: event.output });
    case "step_failed":
      return failed("error", `${noun} failed`, at, event.failure);
    case "step_cancelled":
      return entry("info", `${noun} cancelled`, { ...at, outcome: event.outcome });
    case "step_doubted":
      return failed("warn", `${noun} in doubt, and is verified`, at, event.failure);
    case "step_caught":
      return failed("warn", `${noun} failed, and its catch takes it`, at, event.failure);
    case "schema_found":
      return entry("debug", "schema found", { service: event.service });
    case "signal_received":
      return entry("info", "signal received", { signal: event.name }, { payload: event.payload });
    case "block_failing":
      return failed("debug", "block failing", at, event.failure);
    case "branch_taken":
      return entry("debug", "branch taken", { ...at, branch: event.branch });
    case "cancel_requested":
      return entry("warn", "cancel requested", { reason: event.reason });
    case "pivot_passed":
      return entry("info", "pivot passed", at);
    case "child_attention":
      return entry("debug", event.parked ? "child run is parked" : "child run goes on", at);
    case "rollback_started":
      return entry("warn", "rollback started", { reason: event.reason });
    case "attention_raised":
      return failed("error", "waits for an operator", at, event.failure, {
        request: event.request,
      });
    case "attention_resolved":
      return entry("warn", `resolved by an operator: ${event.action}`, at, {
        request: event.input,
      });
    case "run_ended": {
      const level = event.status === "completed" ? "info" : "error";
      const fields = { status: event.status };
      return failed(level, "run ended", fields, event.failure, { output: event.output });
    }
    case "breaker_waiting":
      return entry("warn", "waits for the circuit breaker", { ...at, service: event.service });
    case "queueing":
      return entry("debug", "waits for its turn", { ...at, service: event.service });
  }
}

type Payload = Readonly<Record<string, Value | undefined>>;

function entry(
  level: LogLevel,
  message: string,
  fields: Entry["fields"],
  payload: Payload = {},
): Entry {
  const said = Object.entries(payload).filter(([, value]) => value !== undefined);
  if (said.length === 0) return { level, message, fields };
  return { level, message, fields, payload: Object.fromEntries(said) as Record<string, Value> };
}

/**
 * What a service says about a failure may name the person it was about, so its words count as
 * payload. Its code, and the reason and domain of `google.rpc.ErrorInfo`, are constants.
 */
function failed(
  level: LogLevel,
  message: string,
  fields: Entry["fields"],
  failure: Failure | undefined,
  payload: Payload = {},
): Entry {
  if (failure === undefined) return entry(level, message, fields, payload);
  const { code, attempts, outcome, reason, domain } = failure;
  return entry(level, message, {
    ...fields,
    code,
    outcome,
    ...(!("attempt" in fields) && attempts > 0 && { attempts }),
    ...(reason !== "" && { reason, domain }),
    ...(isOwn(failure) && { error: failure.message }),
  }, {
    ...payload,
    ...(!isOwn(failure) && { error: failure.message }),
    ...(failure.details.length > 0 && { details: failure.details as Value }),
  });
}

/** Codes whose messages this program words, without a value of the run in them. */
const OWN: ReadonlySet<string> = new Set([
  "STEP_TIMEOUT",
  "CIRCUIT_OPEN",
  "RETRY_BUDGET_EXHAUSTED",
  "RUN_CANCELLED",
  "RUN_TIMEOUT",
]);

/** Also a call that never left got no word from the service: what is said is about the connection. */
function isOwn({ code, outcome }: Failure): boolean {
  return OWN.has(code) ||
    (outcome === "not_sent" && (code === "UNAVAILABLE" || code === "DEADLINE_EXCEEDED"));
}
