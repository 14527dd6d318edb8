/**
 * Where a run stands, as people and programs read it: the object of `--output json`.
 *
 * @module
 */
import type { Failure } from "../machines/failure.ts";
import { recordOf, type RunState, type StepRecord } from "../machines/records.ts";
import type { EndStatus, Op } from "../machines/facts.ts";
import type { Outcome } from "../machines/outcome.ts";
import { rollbackPlan } from "../machines/undo_plan.ts";
import type { Json } from "../workflow/json.ts";
import type { Step, Workflow } from "../workflow/model.ts";
import { toJson } from "../workflow/value.ts";
import { definitionOf } from "./definition.ts";

/** Where a run stands: its end, or `running`, `compensating` or `needs_attention` before that. */
export type RunStatus = EndStatus | "running" | "compensating" | "needs_attention";

/** A run, as `--output json` prints it. Times are RFC 3339, values are ProtoJSON. */
export interface RunReport {
  /** Unique in the journal; the beginning of every idempotency key. */
  readonly run_id: string;
  /** The workflow's name. */
  readonly workflow: string;
  /** The workflow's version; `null` where its file says none. */
  readonly version: string | null;
  /** What services see as `x-correlation-id`; the run's id unless another was given. */
  readonly correlation_id: string;
  /** Where it stands, or how it ended. */
  readonly status: RunStatus;
  /** What the run returned; `null` where it did not complete. */
  readonly output: Json;
  /** What failed; once it has ended so, that it was cancelled or timed out; else `null`. */
  readonly error: Failure | null;
  /** What waits for an operator. */
  readonly attention: readonly AttentionReport[];
  /** When its first fact was recorded. */
  readonly started_at: string;
  /** `null` until it has ended. */
  readonly finished_at: string | null;
  /** From start to end, rollback and time spent parked included; `null` until it has ended. */
  readonly duration_ms: number | null;
  /** Every started or skipped call and set step, in order of start. */
  readonly steps: readonly StepReport[];
}

/** One parked step: it goes on when {@linkcode Run.resolve} says how. */
export interface AttentionReport {
  /** The step's path, as {@linkcode Resolution} wants it. */
  readonly step: string;
  /** What is parked: the step's own `action`, its `verify` or its `compensate`. */
  readonly op: Op;
  /** Why it was parked: its last failure. */
  readonly error: Failure;
  /** The request that fails; `null` where it could not be made, or steps undo this one. */
  readonly request: Json;
}

/** One step, as far as it came. */
export interface StepReport {
  /** Where it stands in the tree: `charge`, `checkout.charge`, `tier.switch[0].perks`. */
  readonly path: string;
  /** As written, else its path. */
  readonly id: string;
  /** `call`, `wait`, `signal`, `child` or `set`. */
  readonly kind: string;
  /** `running` also while it backs off; `waiting`: a wait or signal that has not come; `skipped`: its `when` was false. */
  readonly status: "running" | "waiting" | "completed" | "failed" | "skipped" | "cancelled";
  /** Whether it happened; `null` until it has ended, and where it was skipped. */
  readonly outcome: Outcome | null;
  /** Calls begun, the first included. */
  readonly attempts: number;
  /** When it was started or skipped. */
  readonly started_at: string;
  /** `null` until it has ended. */
  readonly finished_at: string | null;
  /** What expressions see as its output; `null` where there is none (yet). */
  readonly output: Json;
  /** Why it failed; between two attempts, why the last one did. */
  readonly error: Failure | null;
  /** `null` until a rollback concerns the step. */
  readonly compensation: CompensationReport | null;
}

/** How far a step is undone. */
export interface CompensationReport {
  /** `parked`: it waits for an operator, or one has aborted; `skipped`: one left it undone. */
  readonly status: "pending" | "running" | "done" | "parked" | "skipped";
  /** Calls begun, those of all its steps where steps undo it. */
  readonly attempts: number;
  /** Why the last attempt failed; `null` where none did, or it is done after all. */
  readonly error: Failure | null;
  /** `null` while it is pending. */
  readonly started_at: string | null;
  /** `null` until it is done, skipped or aborted. */
  readonly finished_at: string | null;
}

/** The report of a run from where it stands. */
export function reportOf(
  workflow: Workflow,
  state: RunState,
  /** What waits for an operator in child runs. */
  inChildren: readonly AttentionReport[] = [],
): RunReport {
  const { started, end } = state;
  if (started === null) throw new Error("The run has not started");
  // Once it has ended nothing changes any more, and many who wait for a run only want to know how it
  // ended: what takes long is made when it is first looked at.
  let output: Json | undefined;
  let steps = end === null ? stepReports(workflow, state) : undefined;
  const report: RunReport = {
    run_id: started.runId,
    workflow: started.workflow,
    version: started.version,
    correlation_id: started.correlationId,
    status: inChildren.length > 0 && state.end === null ? "needs_attention" : statusOf(state),
    get output() {
      return output ??= end?.output === undefined ? null : toJson(end.output);
    },
    error: end?.failure ?? causeOf(state),
    attention: [...attentionOf(state), ...inChildren],
    started_at: timeOf(started.at),
    finished_at: end === null ? null : timeOf(end.at),
    duration_ms: end === null ? null : end.at - started.at,
    get steps() {
      return steps ??= stepReports(workflow, state);
    },
  };
  return Object.defineProperty(report, INSPECT, { value: plain });
}

/** What `console.log` asks: it would show getters as such. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

function plain(this: RunReport): RunReport {
  return { ...this };
}

const NONE: ReadonlySet<string> = new Set();

function stepReports(workflow: Workflow, state: RunState): StepReport[] {
  const { locator } = definitionOf(workflow);
  const locate = (path: string) => locator.find(path);
  const undone = state.rollback === null
    ? NONE
    : new Set(rollbackPlan({ state, locate }).map(({ path }) => path));
  const inner = innerRecords(state);
  const reports: StepReport[] = [];
  for (const record of state.records.values()) {
    if (record.op !== "action") continue;
    const step = locate(record.path)?.step;
    const kind = step && KINDS[step.kind];
    if (step !== undefined && kind !== undefined) {
      reports.push(stepReport(step, kind, record, { state, undone, inner }));
    }
  }
  return reports;
}

/** What a report calls the steps that do something by themselves; others it doesn't list. */
const KINDS: Readonly<Partial<Record<Step["kind"], string>>> = {
  call: "call",
  wait: "wait",
  await_signal: "signal",
  workflow: "child",
  set: "set",
};

/** Where a run stands, in one word. */
export function statusOf(state: RunState): RunStatus {
  if (state.end !== null) return state.end.status;
  if (state.attention.size > 0) return "needs_attention";
  return state.rollback === null ? "running" : "compensating";
}

/** Why a run that has not ended yet turned back. */
function causeOf(state: RunState): Failure | null {
  return state.rollback === null ? null : recordOf(state, "")?.failure ?? null;
}

function attentionOf(state: RunState): AttentionReport[] {
  return [...state.attention].flatMap((key) => {
    const record = state.records.get(key);
    if (record === undefined || record.attention === null) return [];
    const { failure, request } = record.attention;
    return [{ step: record.path, op: record.op, error: failure, request: toJson(request) }];
  });
}

function stepReport(
  step: Step,
  kind: string,
  record: StepRecord,
  { state, undone, inner }: Undoing,
): StepReport {
  const waits = record.form === "wait" || record.form === "await_signal";
  const isUndone = undone.has(record.path) ||
    recordOf(state, record.path, "compensate") !== undefined;
  return {
    path: record.path,
    id: step.id,
    kind,
    status: waits && record.status === "running" ? "waiting" : record.status,
    outcome: record.effect,
    attempts: record.attempts,
    started_at: timeOf(record.startedAt),
    finished_at: record.endedAt === null ? null : timeOf(record.endedAt),
    output: record.output === undefined ? null : toJson(record.output),
    error: record.failure,
    compensation: isUndone ? compensationReport(record.path, state, inner) : null,
  };
}

function compensationReport(
  path: string,
  state: RunState,
  all: InnerRecords,
): CompensationReport {
  const record = recordOf(state, path, "compensate");
  if (record === undefined) {
    return { status: "pending", attempts: 0, error: null, started_at: null, finished_at: null };
  }
  const inner = all.get(path) ?? [];
  const status = compensationStatus(record, inner);
  return {
    status,
    attempts: inner.reduce((sum, { attempts }) => sum + attempts, record.attempts),
    error: status === "done" ? null : record.attention?.failure ?? record.failure,
    started_at: timeOf(record.startedAt),
    finished_at: record.endedAt === null ? null : timeOf(record.endedAt),
  };
}

function compensationStatus(
  record: StepRecord,
  inner: readonly StepRecord[],
): CompensationReport["status"] {
  const all = [record, ...inner];
  if (all.some(({ attention, resolved }) => attention !== null || resolved === "abort")) {
    return "parked";
  }
  if (record.status !== "completed" && record.status !== "skipped") return "running";
  return all.some(({ resolved }) => resolved === "skip") ? "skipped" : "done";
}

/** The records of the steps that undo a step, by that step's path. */
type InnerRecords = ReadonlyMap<string, readonly StepRecord[]>;

/** What the reports of steps say about how far they are undone. */
interface Undoing {
  readonly state: RunState;
  /** What is in the rollback's plan. */
  readonly undone: ReadonlySet<string>;
  readonly inner: InnerRecords;
}

/** Found once for all steps. */
function innerRecords(state: RunState): InnerRecords {
  const found = new Map<string, StepRecord[]>();
  for (const record of state.records.values()) {
    const at = record.op === "compensate" ? record.path.indexOf(".compensate[") : -1;
    if (at < 0) continue;
    const owner = record.path.slice(0, at);
    const others = found.get(owner);
    if (others === undefined) found.set(owner, [record]);
    else others.push(record);
  }
  return found;
}

let second = { at: NaN, text: "" };

/** RFC 3339. The times of runs are mostly of the same second, whose text is not made again. */
function timeOf(milliseconds: number): string {
  const at = Math.floor(milliseconds / 1_000);
  if (at !== second.at) second = { at, text: new Date(at * 1_000).toISOString().slice(0, -4) };
  return `${second.text}${String(Math.floor(milliseconds) - at * 1_000).padStart(3, "0")}Z`;
}
