/**
 * How a step looks in the tree: its sign, and what is said beside it.
 *
 * @module
 */
import type { Notice } from "../machines/board.ts";
import { recordKey, recordOf, type RunState, type StepRecord } from "../machines/fold.ts";
import type { Op } from "../machines/facts.ts";
import type { CallStep } from "../workflow/model.ts";
import type { RunView } from "./run_view.ts";
import { formatTime } from "./text.ts";
import type { Detail, Row } from "./tree_row.ts";

interface Context {
  readonly view: RunView;
  readonly now: number;
  readonly op: Op;
}

const SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";

/** The sign of what is under way; it turns. */
export function spinner(now: number): string {
  return SPINNER[Math.floor(now / 100) % SPINNER.length] ?? "";
}

/** The sign and its tone. */
export function lookOf(
  record: StepRecord | undefined,
  context: Context & { readonly path: string; readonly undo: StepRecord | undefined },
): Pick<Row, "glyph" | "tone" | "active"> {
  const { undo, now, view, path, op } = context;
  if (undo !== undefined) {
    if (isParked(view.state, undo)) return { glyph: "!", tone: "bad", active: true };
    if (undo.status === "completed") return { glyph: "↩", tone: "undo", active: false };
    if (undo.status === "running") return { glyph: spinner(now), tone: "undo", active: true };
  }
  switch (record?.status) {
    case undefined:
      return { glyph: "·", tone: "faint", active: false };
    case "running":
      if (isParked(view.state, record)) return { glyph: "!", tone: "bad", active: true };
      if (view.waits.has(recordKey(path, op))) return { glyph: "◌", tone: "warn", active: true };
      if (record.nextAt !== null) return { glyph: "↻", tone: "warn", active: true };
      if (view.state.end !== null) return { glyph: "·", tone: "faint", active: false };
      return { glyph: spinner(now), tone: op === "compensate" ? "undo" : "busy", active: true };
    case "completed":
      return { glyph: "✓", tone: "good", active: false };
    case "failed":
      return { glyph: "✗", tone: "bad", active: false };
    case "skipped":
      return { glyph: "–", tone: "faint", active: false };
    case "cancelled":
      return { glyph: "⊘", tone: "warn", active: false };
  }
}

/** How a call goes. */
export function callDetail(
  step: CallStep,
  record: StepRecord | undefined,
  context: Context & { readonly path: string },
): Detail[] {
  if (record === undefined) return [];
  const { view, now, path, op } = context;
  const wait = view.waits.get(recordKey(path, op));
  const of = op === "compensate" ? "" : `/${step.retry.attempts}`;
  switch (record.status) {
    case "running":
      return runningDetail(record, wait, of, now);
    case "completed":
      return record.attempts > 1
        ? [{ tone: "faint", text: `attempt ${record.attempts}${of}` }]
        : [];
    case "failed":
      return [
        { tone: "bad", text: record.failure?.code ?? "failed" },
        ...(record.attempts > 1
          ? [{ tone: "faint", text: `attempt ${record.attempts}${of}` } as const]
          : []),
      ];
    case "skipped":
    case "cancelled":
      return [{ tone: "faint", text: record.status }];
  }
}

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
    : `breaker open until ${clockTime(wait.until)} (${formatTime(wait.until - now)})`;
}

/** How far a step is undone. */
export function undoDetail({ path, compensate }: CallStep, { view, now, op }: Context): Detail[] {
  if (op !== "action" || view.state.rollback === null || compensate === null) return [];
  const action = recordOf(view.state, path);
  const undo = recordOf(view.state, path, "compensate");
  if (undo === undefined) {
    const due = action?.outcome === "completed" || action?.outcome === "unknown";
    return due
      ? [{ tone: "undo", text: view.state.end === null ? "to be undone" : "not undone" }]
      : [];
  }
  if (isParked(view.state, undo)) {
    const code = undo.attention?.failure.code;
    return [{ tone: "bad", text: `cannot be undone${code === undefined ? "" : `: ${code}`}` }];
  }
  if (undo.status === "completed") return [{ tone: "undo", text: "undone" }];
  if (undo.status === "skipped") return [{ tone: "warn", text: "undo skipped" }];
  if (undo.status !== "running") return [{ tone: "bad", text: "not undone" }];
  const wait = view.waits.get(recordKey(path, "compensate"));
  const [how] = runningDetail(undo, wait, "", now);
  return [{ tone: "undo", text: how === undefined ? "undoing" : `undoing: ${how.text}` }];
}

/** Whether it, or a part of it, waits for an operator. */
function isParked(state: RunState, record: StepRecord): boolean {
  return record.attention !== null ||
    (record.op === "compensate" &&
      [...state.attention].some((key) => key.startsWith(`${record.path}.compensate[`)));
}

function clockTime(at: number): string {
  return new Date(at).toTimeString().slice(0, 8);
}
