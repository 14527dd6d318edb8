/**
 * The sign of a step in the tree.
 *
 * @module
 */
import { recordKey, recordOf, type RunState, type StepRecord } from "../machines/records.ts";
import type { Op } from "../machines/facts.ts";
import type { Step } from "../workflow/model.ts";
import { needsOperator, type RunView } from "./run_view.ts";
import type { Row } from "./tree_row.ts";

/** A step as it is looked at. */
export interface Seen {
  readonly view: RunView;
  readonly now: number;
  readonly op: Op;
  /** With its rounds. */
  readonly path: string;
  readonly record: StepRecord | undefined;
}

/** A sign, its tone, and whether the step is under way. */
export type Look = Pick<Row, "glyph" | "tone" | "active">;

const SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";

/** The sign of what is under way; it turns. */
export function spinner(now: number): string {
  return SPINNER[Math.floor(now / 100) % SPINNER.length] ?? "";
}

const PARKED: Look = { glyph: "!", tone: "bad", active: true };

/** The sign and its tone. */
export function lookOf(step: Step, seen: Seen): Look {
  const { now, view, path, op, record } = seen;
  const undo = op === "action" ? recordOf(view.state, path, "compensate") : undefined;
  const verify = op === "action" ? recordOf(view.state, path, "verify") : undefined;
  if (undo !== undefined) {
    if (isParked(view, undo)) return PARKED;
    if (undo.status === "completed") return { glyph: "↩", tone: "undo", active: false };
    if (undo.status === "running") return { glyph: spinner(now), tone: "undo", active: true };
  }
  if (verify !== undefined && isParked(view, verify)) return PARKED;
  if (record?.status === "running" && record.attention === null) {
    if (isParked(view, record)) return PARKED;
    const isWaiting = view.waits.has(recordKey(path, op)) ||
      verify !== undefined && view.waits.has(recordKey(path, "verify"));
    if (isWaiting) return { glyph: "◌", tone: "warn", active: true };
    if (record.nextAt !== null) return { glyph: "↻", tone: "warn", active: true };
    if (view.state.end === null && (step.kind === "wait" || step.kind === "await_signal")) {
      return { glyph: "◷", tone: "busy", active: true };
    }
  }
  return lookOfRecord(record, view.state, now, op);
}

/** The sign of anything that has a record. */
export function lookOfRecord(
  record: StepRecord | undefined,
  state: RunState,
  now: number,
  op: Op,
): Look {
  switch (record?.status) {
    case undefined:
      return { glyph: "·", tone: "faint", active: false };
    case "running":
      if (record.attention !== null) return PARKED;
      if (state.end !== null) return { glyph: "·", tone: "faint", active: false };
      return { glyph: spinner(now), tone: op === "compensate" ? "undo" : "busy", active: true };
    case "completed":
      return record.caught === null
        ? { glyph: "✓", tone: "good", active: false }
        : { glyph: "✓", tone: "warn", active: false };
    case "failed":
      return { glyph: "✗", tone: "bad", active: false };
    case "skipped":
      return { glyph: "–", tone: "faint", active: false };
    case "cancelled":
      return { glyph: "⊘", tone: "warn", active: false };
  }
}

/** Whether it, or a part of it, waits for an operator: a step that undoes it, or its child run. */
export function isParked(view: RunView, { attention, path, op }: StepRecord): boolean {
  if (attention !== null) return true;
  const child = view.children.get(path);
  if (child !== undefined && needsOperator(child)) return true;
  return op === "compensate" &&
    [...view.state.attention].some((key) => key.startsWith(`${path}.compensate[`));
}
