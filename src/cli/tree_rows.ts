/**
 * The rows of a run's tree: one a step, as the YAML has them.
 *
 * @module
 */
import type { CallStep, CallTarget, Step, SwitchStep } from "../workflow/model.ts";
import { recordOf, type StepRecord } from "../machines/fold.ts";
import type { Op } from "../machines/facts.ts";
import type { RunView } from "./run_view.ts";
import { callDetail, lookOf, undoDetail } from "./step_look.ts";
import type { Row } from "./tree_row.ts";

/** Every row of a run's steps. */
export function rowsOf(steps: readonly Step[], view: RunView, now: number): Row[] {
  return rowsBelow(steps, "", { view, now, op: "action" });
}

interface Context {
  readonly view: RunView;
  readonly now: number;
  readonly op: Op;
}

function rowsBelow(steps: readonly Step[], lead: string, context: Context): Row[] {
  return steps.flatMap((step, index) => {
    const last = index === steps.length - 1;
    return rowsOfStep(step, lead + (last ? "└─ " : "├─ "), lead + (last ? "   " : "│  "), context);
  });
}

function rowsOfStep(step: Step, branch: string, lead: string, context: Context): Row[] {
  const { view, now, op } = context;
  const record = recordOf(view.state, step.path, op);
  const undo = op === "action" ? recordOf(view.state, step.path, "compensate") : undefined;
  const look = lookOf(record, { ...context, path: step.path, undo });
  const undoing = step.kind === "call" ? undoDetail(step, context) : [];
  const own: Row = {
    branch,
    ...look,
    label: step.id,
    labelTone: record === undefined || step.id.includes("[") ? "faint" : "plain",
    what: whatOf(step),
    details: step.kind === "call" && undoing.length === 0
      ? callDetail(step, record, { ...context, path: step.path })
      : undoing,
    time: timeOf(record, now),
  };
  return [own, ...childRows(step, lead, context)];
}

function childRows(step: Step, lead: string, context: Context): Row[] {
  if (recordOf(context.view.state, step.path, context.op)?.status === "skipped") return [];
  switch (step.kind) {
    case "steps":
      return rowsBelow(step.steps, lead, context);
    case "parallel":
      return rowsBelow(step.branches, lead, context);
    case "switch":
      return branchRows(step, lead, context);
    case "call":
      return compensationRows(step, lead, context);
    default:
      return [];
  }
}

/** A switch shows all its ways until it has taken one, then only that one's steps. */
function branchRows(step: SwitchStep, lead: string, context: Context): Row[] {
  const taken = recordOf(context.view.state, step.path, context.op)?.branch;
  return step.branches.flatMap(({ when, steps }, index) => {
    const last = index === step.branches.length - 1;
    const row: Row = {
      branch: lead + (last ? "└─ " : "├─ "),
      glyph: taken === index ? "›" : taken === undefined ? "·" : "–",
      tone: taken === index ? "good" : "faint",
      label: when === null ? "otherwise" : `when ${conditionOf(when)}`,
      labelTone: taken === index ? "plain" : "faint",
      what: "",
      details: [],
      time: null,
      active: false,
    };
    const open = taken === undefined || taken === index;
    return open ? [row, ...rowsBelow(steps, lead + (last ? "   " : "│  "), context)] : [row];
  });
}

/** The steps of a compensation show once it has begun. */
function compensationRows({ compensate, path }: CallStep, lead: string, context: Context): Row[] {
  if (compensate?.kind !== "steps") return [];
  if (recordOf(context.view.state, path, "compensate") === undefined) return [];
  return rowsBelow(compensate.steps, lead, { ...context, op: "compensate" });
}

function whatOf(step: Step): string {
  switch (step.kind) {
    case "call":
      return calls(step);
    case "set":
      return `set ${Object.keys(step.values).join(", ")}`;
    case "fail":
      return `fail ${step.code}`;
    default:
      return step.kind;
  }
}

/** `payments.Charge`, however the method is written. */
export function calls({ service, method }: CallTarget): string {
  return `${service}.${method.slice(method.lastIndexOf("/") + 1)}`;
}

function conditionOf(when: string): string {
  return when.trim().replace(/^\{\{\s*|\s*\}\}$/g, "").replaceAll(/\s+/g, " ");
}

function timeOf(record: StepRecord | undefined, now: number): number | null {
  if (record === undefined || record.status === "skipped") return null;
  return (record.endedAt ?? now) - record.startedAt;
}
