/**
 * What the page knows of a run: a fold over its events. It keeps what the server's report leaves out:
 * each step's input, and when each attempt began and ended.
 *
 * @module
 */
import type { Failure } from "../../../src/machines/failure.ts";
import type { JsonValue } from "../api/json.ts";

/** What a step's call is for. */
export type Op = "action" | "compensate" | "verify";

/** One fact or notice, as the stream of events has it. */
export interface RunEvent {
  readonly kind: string;
  /** Notices have none: they are gone after a restart. */
  readonly seq?: number;
  readonly at?: string;
  readonly path?: string;
  readonly op?: Op;
  readonly [key: string]: unknown;
}

/** One attempt of a call. Times are in milliseconds since the epoch. */
export interface Attempt {
  readonly number: number;
  readonly startedAt: number;
  endedAt: number | null;
  /** `null` while it is under way. */
  code: string | null;
  failure: Failure | null;
  /** When the next one is due; `null`: there is none, or nobody knows yet. */
  nextAt: number | null;
}

/** Where a step stands. */
export type StepState =
  | "running"
  | "backing_off"
  | "waiting"
  | "completed"
  | "caught"
  | "failed"
  | "skipped"
  | "cancelled"
  | "parked";

/** One step of a run, in one of its rounds, or what undoes or verifies it. */
export interface StepRecord {
  readonly path: string;
  readonly op: Op;
  /** Such as `block`, `call`, `wait`; `null`: it ended in the moment it started. */
  readonly form: string | null;
  readonly startedAt: number;
  endedAt: number | null;
  state: StepState;
  readonly attempts: Attempt[];
  readonly input: JsonValue | undefined;
  output: JsonValue | undefined;
  failure: Failure | null;
  /** When a `wait` is over. */
  readonly dueAt: number | null;
  /** What it waits for: its service's breaker, or its turn. */
  holdup: string | null;
  /** How often it was begun anew by an operator's word: a child run is another one each time. */
  revision: number;
  /** Which branch of a `switch` was taken. */
  branch: number | null | undefined;
}

/** A run, as far as its events say. */
export interface RunModel {
  readonly events: RunEvent[];
  /** By {@linkcode recordKey}, in order of start. */
  readonly records: Map<string, StepRecord>;
  startedAt: number | null;
  endedAt: number | null;
  rollbackAt: number | null;
  /** The last moment that anything was heard of. */
  lastAt: number;
  input: JsonValue | undefined;
}

/** A run of which nothing is known yet. */
export function emptyModel(): RunModel {
  return {
    events: [],
    records: new Map(),
    startedAt: null,
    endedAt: null,
    rollbackAt: null,
    lastAt: 0,
    input: undefined,
  };
}

/** Names a record in {@linkcode RunModel.records}. */
export function recordKey(path: string, op: Op = "action"): string {
  return `${op} ${path}`;
}

/** The id of the child run that a step has started, as the server makes it. */
export function childRunId(runId: string, path: string, revision: number): string {
  return `${runId}/${path}${revision === 0 ? "" : `#${revision + 1}`}`;
}

/** Adds what has happened. @returns whether the run has ended with it */
export function addEvent(model: RunModel, event: RunEvent): boolean {
  const isNotice = event.seq === undefined;
  if (!isNotice) {
    const last = model.events.at(-1)?.seq ?? 0;
    if (event.seq <= last) return false; // heard before the connection broke
    model.events.push(event);
  }
  const at = event.at === undefined ? model.lastAt : Date.parse(event.at);
  model.lastAt = Math.max(model.lastAt, at);
  const { kind, path, op = "action" } = event;
  switch (kind) {
    case "run_started":
      model.startedAt = at;
      model.input = event["input"] as JsonValue; // a fact's values are JSON
      return false;
    case "rollback_started":
      model.rollbackAt ??= at;
      return false;
    case "run_ended":
      model.endedAt = at;
      return true;
    case "step_started":
    case "step_skipped":
      if (path !== undefined) begin(model, begun(event, path, op, at));
      return false;
  }
  const record = path === undefined ? undefined : model.records.get(recordKey(path, op));
  if (record !== undefined) change(record, event, at);
  return false;
}

function begin({ records }: RunModel, record: StepRecord): void {
  const key = recordKey(record.path, record.op);
  const before = records.get(key);
  // Steps are started twice only inside of what was parked, and is tried again.
  if (before?.form === "workflow") record.revision = before.revision + 1;
  records.set(key, record);
}

function begun(event: RunEvent, path: string, op: Op, at: number): StepRecord {
  const form = event["form"] as string | undefined ?? null; // a fact's form is one
  const skipped = event.kind === "step_skipped";
  const dueAt = event["due_at"];
  return {
    path,
    op,
    form,
    startedAt: at,
    endedAt: skipped ? at : null,
    state: skipped ? "skipped" : WAITING.has(form) ? "waiting" : "running",
    attempts: [],
    input: event["input"] as JsonValue | undefined,
    output: undefined,
    failure: null,
    dueAt: typeof dueAt === "string" ? Date.parse(dueAt) : null,
    holdup: null,
    revision: 0,
    branch: undefined,
  };
}

const WAITING: ReadonlySet<string | null> = new Set(["wait", "await_signal"]);

function change(record: StepRecord, event: RunEvent, at: number): void {
  record.holdup = null;
  switch (event.kind) {
    case "attempt_started":
      record.state = "running";
      record.attempts.push({
        number: Number(event["attempt"]),
        startedAt: at,
        endedAt: null,
        code: null,
        failure: null,
        nextAt: null,
      });
      break;
    case "attempt_ended":
      endAttempt(record, event, at);
      break;
    case "step_completed":
      // What caught the failure has given the output: that it failed is still so.
      end(record, record.state === "caught" ? "caught" : "completed", at);
      if (event["output"] !== undefined) record.output = event["output"] as JsonValue;
      break;
    case "step_caught":
      record.failure = failureOf(event);
      end(record, "caught", at);
      break;
    case "step_failed":
      record.failure = failureOf(event);
      end(record, "failed", at);
      break;
    case "step_cancelled":
      end(record, "cancelled", at);
      break;
    case "step_doubted":
      record.failure = failureOf(event);
      record.holdup = "Whether it happened is being asked";
      break;
    case "block_failing":
      record.failure = failureOf(event);
      break;
    case "branch_taken":
      record.branch = event["branch"] as number | null;
      break;
    case "attention_raised":
      record.failure = failureOf(event);
      record.state = "parked";
      break;
    case "attention_resolved":
      record.state = "running";
      if (record.form === "workflow" && event["action"] === "retry") record.revision++;
      break;
    case "breaker_waiting":
      record.holdup = `Waits for the breaker of ${String(event["service"])}`;
      record.state = "backing_off";
      break;
    case "queueing":
      record.holdup = `Waits for its turn at ${String(event["service"])}`;
      break;
  }
}

function endAttempt(record: StepRecord, event: RunEvent, at: number): void {
  const attempt = record.attempts.at(-1);
  if (attempt === undefined) return;
  const nextAt = event["next_at"];
  attempt.endedAt = at;
  attempt.code = String(event["code"]);
  attempt.failure = failureOf(event);
  attempt.nextAt = typeof nextAt === "string" ? Date.parse(nextAt) : null;
  if (event["output"] !== undefined) record.output = event["output"] as JsonValue;
  record.failure = attempt.failure;
  if (attempt.nextAt !== null) record.state = "backing_off";
}

function end(record: StepRecord, state: StepState, at: number): void {
  record.state = state;
  record.endedAt = at;
  if (state === "completed") record.failure = null;
}

function failureOf(event: RunEvent): Failure | null {
  return event["failure"] as Failure | undefined ?? null; // a fact's failure is one
}
