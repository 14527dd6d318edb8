import type { RunModel, StepRecord } from "./run_model.ts";
import { type Look, lookOf } from "./looks.ts";
import { openPath, type StepIndex } from "./step_paths.ts";

/** A piece of a bar. Times are in milliseconds since the epoch. */
export interface Segment {
  readonly from: number;
  readonly to: number;
  readonly kind: "attempt" | "failed_attempt" | "backoff" | "wait" | "work";
  readonly title: string;
}

/** One bar of the timeline. */
export interface TimelineRow {
  readonly key: string;
  readonly path: string;
  readonly label: string;
  readonly look: Look;
  /** How its bar is coloured: what it came to itself, undone or not. */
  readonly state: Look;
  /** It holds other steps. */
  readonly isBlock: boolean;
  readonly isUndo: boolean;
  readonly from: number;
  readonly to: number;
  readonly segments: readonly Segment[];
}

/** The bars of a run, in order of start; until `now` where something is under way. */
export function timelineRows(
  model: RunModel,
  index: StepIndex,
  now: number,
): readonly TimelineRow[] {
  const rows: TimelineRow[] = [];
  for (const [key, record] of model.records) {
    if (record.state === "skipped" || isRound(record, index)) continue;
    rows.push(rowOf(key, record, model, now));
  }
  return rows;
}

/** A round of a loop has no bar of its own: its steps have. */
function isRound({ path, form }: StepRecord, index: StepIndex): boolean {
  return form === "block" && openPath(index, path) === null;
}

function rowOf(key: string, record: StepRecord, model: RunModel, now: number): TimelineRow {
  const { path, op, form, startedAt, endedAt } = record;
  return {
    key,
    path,
    label: op === "action" ? path : op === "compensate" ? `undo ${path}` : `verify ${path}`,
    look: lookOf(model, record),
    state: record.op === "compensate" && record.state === "completed" ? "undone" : record.state,
    isBlock: form === "block",
    isUndo: op === "compensate",
    from: startedAt,
    to: endedAt ?? Math.max(now, startedAt),
    segments: segmentsOf(record, endedAt ?? Math.max(now, startedAt)),
  };
}

function segmentsOf(
  { attempts, startedAt, form, state }: StepRecord,
  end: number,
): readonly Segment[] {
  if (attempts.length === 0) {
    const isHeld = form === "call" && end - startedAt > UNSEEN;
    const isWait = form === "wait" || form === "await_signal" || isHeld;
    return [{
      from: startedAt,
      to: end,
      kind: isWait ? "wait" : "work",
      title: isHeld ? HELD : "",
    }];
  }
  const segments: Segment[] = [];
  const first = attempts[0]?.startedAt ?? end;
  if (first - startedAt > UNSEEN) {
    segments.push({ from: startedAt, to: first, kind: "wait", title: HELD });
  }
  attempts.forEach(({ number, startedAt: from, endedAt, code }, index) => {
    const to = endedAt ?? end;
    const failed = code !== null && code !== "OK";
    segments.push({
      from,
      to,
      kind: failed ? "failed_attempt" : "attempt",
      title: `Attempt ${number}: ${code ?? "under way"}`,
    });
    const next = attempts[index + 1]?.startedAt ?? (endedAt === null ? to : end);
    // Until a caught step is completed, the steps that caught it are at work.
    const isWaited = attempts[index + 1] !== undefined || (failed && state !== "caught");
    if (next > to && isWaited) {
      const kind = state === "parked" && attempts[index + 1] === undefined ? "wait" : "backoff";
      segments.push({ from: to, to: next, kind, title: `Waits after attempt ${number}` });
    }
  });
  return segments;
}

/** A call that goes out at once still takes a moment to do so, in milliseconds. */
const UNSEEN = 20;

const HELD = "Waits for its turn, or for its service's breaker";

/** Round moments of an axis from 0 to a length of time, in milliseconds. */
export function ticksUpTo(length: number, most: number): readonly number[] {
  const rough = Math.max(length, 1) / most;
  const step = STEPS.find((one) => one >= rough) ?? Math.ceil(rough / 86_400_000) * 86_400_000;
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, index) => index * step);
}

const STEPS: readonly number[] = [
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  1_000,
  2_000,
  5_000,
  10_000,
  15_000,
  30_000,
  60_000,
  120_000,
  300_000,
  600_000,
  900_000,
  1_800_000,
  3_600_000,
  7_200_000,
  14_400_000,
  28_800_000,
  43_200_000,
  86_400_000,
];
