import type { CallTarget, CatchEntry, Step, Workflow } from "../workflow/model.ts";

/** A call, as a graph names it. */
export interface CallNode {
  /** The service's name in the workflow. */
  readonly service: string;
  /** As the file has it. */
  readonly method: string;
}

/** Steps that are done one after the other. */
export interface StepGroup {
  /** What they are: a branch's condition, the codes of a `catch`; `null`: nothing to be said. */
  readonly label: string | null;
  /** In order. */
  readonly steps: readonly StepNode[];
}

/** One step, with those inside it. */
export interface StepNode {
  /** As in a run's steps; in a loop's rounds with the round left open: `ship[].label`. */
  readonly path: string;
  /** As written, else derived from its place. */
  readonly id: string;
  /** `call`, `steps`, `parallel`, `switch`, `foreach`, `repeat`, `wait`, `await_signal`, `workflow`, `set`, `fail` or `return`. */
  readonly kind: Step["kind"];
  /** Of a `call`: who is called; else `null`. */
  readonly call: CallNode | null;
  /** Its detail in a few words: a signal's name, a child's workflow, a loop's items; `null`: none. */
  readonly detail: string | null;
  /** The condition under which it is done; `null`: always. */
  readonly when: string | null;
  /** In a `parallel`: the ids of the siblings that come first. */
  readonly needs: readonly string[];
  /** Whether there is no way back after it. */
  readonly pivot: boolean;
  /** What undoes it: a call, or steps; `null`: nothing does. */
  readonly compensate: CallNode | { readonly steps: readonly StepNode[] } | null;
  /** What it holds: one group of a sequence or a loop's round, one a branch of a `parallel` or `switch`. */
  readonly groups: readonly StepGroup[];
  /** What takes its failure. */
  readonly catches: readonly StepGroup[];
}

/** A workflow's steps as a tree, for a graph. */
export function stepTree({ steps }: Workflow): readonly StepNode[] {
  return steps.map(nodeOf);
}

function nodeOf(step: Step): StepNode {
  return {
    path: step.path,
    id: step.id,
    kind: step.kind,
    call: step.kind === "call" ? callNode(step) : null,
    detail: detailOf(step),
    when: step.when,
    needs: step.needs,
    pivot: step.kind === "call" && step.pivot,
    compensate: compensationOf(step),
    groups: groupsOf(step),
    catches: step.catch.map((entry) => ({
      label: catchLabel(entry),
      steps: entry.steps.map(nodeOf),
    })),
  };
}

function callNode({ service, method }: CallTarget): CallNode {
  return { service, method };
}

function detailOf(step: Step): string | null {
  switch (step.kind) {
    case "foreach":
      return `${step.as} in ${typeof step.items === "string" ? step.items : "a list"}`;
    case "repeat":
      return `until ${step.until}`;
    case "wait":
      return step.until ?? `${step.duration} ms`;
    case "await_signal":
      return step.signal;
    case "workflow":
      return step.workflow.name;
    case "set":
      return Object.keys(step.values).join(", ");
    case "fail":
      return step.code;
    default:
      return null;
  }
}

function compensationOf(step: Step): StepNode["compensate"] {
  if (!("compensate" in step) || step.compensate === null) return null;
  const { compensate } = step;
  return compensate.kind === "call"
    ? callNode(compensate)
    : { steps: compensate.steps.map(nodeOf) };
}

function groupsOf(step: Step): readonly StepGroup[] {
  switch (step.kind) {
    case "steps":
    case "foreach":
    case "repeat":
      return [{ label: null, steps: step.steps.map(nodeOf) }];
    case "parallel":
      return step.branches.map((branch) => ({ label: branch.id, steps: [nodeOf(branch)] }));
    case "switch":
      return step.branches.map(({ when, steps }) => ({
        label: when ?? "else",
        steps: steps.map(nodeOf),
      }));
    default:
      return [];
  }
}

function catchLabel({ codes, reason, when }: CatchEntry): string {
  const parts = [codes.join(", "), reason ?? "", when ?? ""].filter((part) => part !== "");
  return parts.join(" ") || "any failure";
}
