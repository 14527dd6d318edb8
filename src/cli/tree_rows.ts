/**
 * The rows of a run's tree: one a step, as the YAML has them; of loops those rounds that something is
 * going on in; of child runs their steps, as long as they are under way.
 *
 * @module
 */
import { recordOf, type StepRecord } from "../machines/records.ts";
import type { Op } from "../machines/facts.ts";
import type { Step, SwitchStep } from "../workflow/model.ts";
import { pathIn, type Rounds } from "../workflow/rounds.ts";
import { whatOf } from "./calls_text.ts";
import { roundsShown } from "./loop_look.ts";
import type { RunView } from "./run_view.ts";
import { detailsOf } from "./step_detail.ts";
import { lookOf, lookOfRecord } from "./step_look.ts";
import type { Row } from "./tree_row.ts";

/** A row before it is known where it hangs. */
interface Node {
  readonly row: Omit<Row, "branch">;
  readonly below: readonly Node[];
}

interface Context {
  readonly view: RunView;
  readonly now: number;
  readonly op: Op;
  readonly rounds: Rounds;
}

/** Every row of a run's steps. */
export function rowsOf(view: RunView, now: number): Row[] {
  return [...hang(nodesOfRun(view, now), "")];
}

function* hang(nodes: readonly Node[], lead: string): Generator<Row> {
  for (const [index, { row, below }] of nodes.entries()) {
    const last = index === nodes.length - 1;
    yield { branch: lead + (last ? "└─ " : "├─ "), ...row };
    yield* hang(below, lead + (last ? "   " : "│  "));
  }
}

function nodesOfRun(view: RunView, now: number): Node[] {
  return nodesOf(view.workflow.steps, { view, now, op: "action", rounds: [] });
}

function nodesOf(steps: readonly Step[], context: Context): Node[] {
  return steps.map((step) => nodeOf(step, context));
}

function nodeOf(step: Step, context: Context): Node {
  const { view, now, op, rounds } = context;
  const path = pathIn(step.path, rounds);
  const record = recordOf(view.state, path, op);
  const seen = { view, now, op, path, record };
  return {
    row: {
      ...lookOf(step, seen),
      label: step.id,
      labelTone: record === undefined || step.id.includes("[") ? "faint" : "plain",
      what: whatOf(step),
      details: detailsOf(step, seen),
      time: timeOf(record, now),
    },
    below: below(step, path, record, context),
  };
}

function below(
  step: Step,
  path: string,
  record: StepRecord | undefined,
  context: Context,
): Node[] {
  if (record?.status === "skipped") return [];
  return [
    ...inside(step, path, record, context),
    ...instead(step, path, record, context),
    ...undoing(step, path, context),
  ];
}

function inside(
  step: Step,
  path: string,
  record: StepRecord | undefined,
  context: Context,
): Node[] {
  switch (step.kind) {
    case "steps":
      return nodesOf(step.steps, context);
    case "parallel":
      return nodesOf(step.branches, context);
    case "switch":
      return branches(step, record, context);
    case "foreach":
    case "repeat":
      return record === undefined
        ? nodesOf(step.steps, context)
        : loop(step, path, record, context);
    case "workflow":
      return child(path, record, context);
    default:
      return [];
  }
}

/** A switch shows all its ways until it has taken one, then only that one's steps. */
function branches(step: SwitchStep, record: StepRecord | undefined, context: Context): Node[] {
  const taken = record?.branch;
  return step.branches.map(({ when, steps }, index) => ({
    row: {
      glyph: taken === index ? "›" : taken === undefined ? "·" : "–",
      tone: taken === index ? "good" : "faint",
      label: when === null ? "otherwise" : `when ${conditionOf(when)}`,
      labelTone: taken === index ? "plain" : "faint",
      ...BARE,
    },
    below: taken === undefined || taken === index ? nodesOf(steps, context) : [],
  }));
}

/** Thousands of rounds would say nothing: shown are those in which something is going on. */
function loop(
  step: Extract<Step, { kind: "foreach" | "repeat" }>,
  path: string,
  record: StepRecord,
  context: Context,
): Node[] {
  const { view, now, op, rounds } = context;
  const { shown, more } = roundsShown(view.state, path, record);
  const nodes = shown.map((round): Node => {
    const at = `${path}[${round}]`;
    const own = recordOf(view.state, at, op);
    return {
      row: {
        ...lookOfRecord(own, view.state, now, op),
        label: `[${round}]`,
        labelTone: "plain",
        what: "",
        details: [],
        time: timeOf(own, now),
      },
      below: nodesOf(step.steps, { ...context, rounds: [...rounds, round] }),
    };
  });
  if (more !== "") nodes.push({ row: remark(more), below: [] });
  return nodes;
}

/** The steps of a child run show while it is under way, or has failed. */
function child(path: string, record: StepRecord | undefined, { view, now }: Context): Node[] {
  const run = view.children.get(path);
  if (run === undefined || record === undefined) return [];
  const { end, attention } = run.state;
  const isDone = end?.status === "completed" && run.state.rollback === null;
  const isUndone = end !== null && run.state.rollback === "parent";
  return (isDone || isUndone) && attention.size === 0 ? [] : nodesOfRun(run, now);
}

/** What a `catch` does once it has taken the step's failure. */
function instead(
  step: Step,
  path: string,
  record: StepRecord | undefined,
  context: Context,
): Node[] {
  const entry = record?.caught === null ? undefined : step.catch[record?.caught?.entry ?? 0];
  if (record === undefined || entry === undefined || entry.steps.length === 0) return [];
  const { view, now, op } = context;
  const own = recordOf(view.state, `${path}.catch[${record.caught?.entry ?? 0}]`, op);
  return [{
    row: {
      ...lookOfRecord(own, view.state, now, op),
      label: "catch",
      labelTone: own === undefined ? "faint" : "plain",
      what: record.caught?.failure.code ?? "",
      details: [],
      time: timeOf(own, now),
    },
    below: nodesOf(entry.steps, context),
  }];
}

/** The steps of a compensation show once it has begun. */
function undoing(step: Step, path: string, context: Context): Node[] {
  if (!("compensate" in step) || step.compensate?.kind !== "steps") return [];
  if (recordOf(context.view.state, path, "compensate") === undefined) return [];
  return nodesOf(step.compensate.steps, { ...context, op: "compensate" });
}

const BARE = { what: "", details: [], time: null, active: false } as const;

function remark(text: string): Omit<Row, "branch"> {
  return { glyph: "…", tone: "faint", label: text, labelTone: "faint", ...BARE };
}

function conditionOf(when: string): string {
  return when.trim().replace(/^\{\{\s*|\s*\}\}$/g, "").replaceAll(/\s+/g, " ");
}

function timeOf(record: StepRecord | undefined, now: number): number | null {
  if (record === undefined || record.status === "skipped") return null;
  return (record.endedAt ?? now) - record.startedAt;
}
