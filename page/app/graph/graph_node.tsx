import type { VNode } from "preact";
import type { StepNode } from "../../../src/server/step_tree.ts";
import { type Look, LOOK_NAMES, type NodeStatus } from "../run/looks.ts";
import { StateIcon } from "./state_icon.tsx";
import { bare, KIND_NAMES, shortMethod, subtitle } from "./step_words.ts";

/** How far a step is undone, in the little room that there is. */
const UNDO_NAMES: Readonly<Partial<Record<Look, string>>> = {
  running: "under way",
  completed: "undone",
  parked: "parked",
  skipped: "skipped",
};

/** What is drawn of a step, and where. */
interface ButtonProps {
  readonly step: StepNode;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly status: NodeStatus | null;
  readonly isSelected: boolean;
  readonly onSelect: (step: StepNode) => void;
}

/** A step without steps of its own. */
export function NodeButton(
  { step, x, y, width, height, status, isSelected, onSelect }: ButtonProps,
): VNode {
  const look = status?.look ?? "pending";
  const { compensate } = step;
  const undo = compensate !== null && !("steps" in compensate) ? compensate : null;
  return (
    <button
      type="button"
      class={`graph-node look-${look} kind-${step.kind} ${step.pivot ? "is-pivot" : ""}`}
      style={{ left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` }}
      title={`${step.path}\n${subtitle(step)}`}
      aria-pressed={isSelected}
      data-path={step.path}
      onClick={() => onSelect(step)}
    >
      <span class="graph-node-main">
        {status === null ? <KindMark kind={step.kind} /> : <StateIcon look={look} />}
        <span class="graph-node-text">
          <span class="graph-node-id">{step.id}</span>
          <Gap />
          <span class="graph-node-sub">{subtitle(step)}</span>
        </span>
        <Heard words={heardOf(step, status)} />
        {status !== null && status.note !== "" && (
          <>
            <Gap />
            <span class="graph-note">{status.note}</span>
          </>
        )}
        {step.pivot && <span class="graph-note" title="No way back after this step">pivot</span>}
      </span>
      {undo !== null && (
        <span class={`graph-undo look-${status?.undo?.look ?? "pending"}`}>
          <Gap />
          ↶ {shortMethod(undo.method)}
          {status?.undo && (
            <span class="graph-note">
              {status.undo.order > 0 ? `${status.undo.order}. ` : ""}
              {UNDO_NAMES[status.undo.look] ?? LOOK_NAMES[status.undo.look]}
            </span>
          )}
        </span>
      )}
    </button>
  );
}

/** The title of a box around steps. */
export function FrameTitle({ step, part, label, x, y, width, status, isSelected, onSelect }:
  & ButtonProps
  & { readonly part: "catch" | "compensate" | null; readonly label: string }): VNode {
  const style = { left: `${x + 4}px`, top: `${y + 4}px`, maxWidth: `${width - 8}px` };
  if (part !== null) {
    return <span class="graph-frame-title" style={style} title={label}>{bare(label)}</span>;
  }
  return (
    <button
      type="button"
      class="graph-frame-title"
      style={style}
      aria-pressed={isSelected}
      data-path={step.path}
      onClick={() => onSelect(step)}
    >
      {status !== null && <StateIcon look={status.look} />}
      <span class="graph-node-id">{label}</span>
      <Gap />
      <span class="graph-node-sub">{KIND_NAMES[step.kind]}</span>
      <Heard words={heardOf(step, status)} />
      {status !== null && status.note !== "" && <span class="graph-note">{status.note}</span>}
    </button>
  );
}

/** Between words that only stand apart. */
function Gap(): VNode {
  return <span class="visually-hidden">,</span>;
}

function KindMark({ kind }: { readonly kind: StepNode["kind"] }): VNode {
  return (
    <svg class="kind-mark" viewBox="0 0 16 16" aria-hidden="true">
      <path d={MARKS[kind]} />
    </svg>
  );
}

/** Drawn, since not everybody's fonts have such signs. */
const MARKS: Readonly<Record<StepNode["kind"], string>> = {
  call: "M3 8h10M9 4l4 4-4 4",
  steps: "M3.5 4.5h9M3.5 8h9M3.5 11.5h9",
  parallel: "M5.5 3.5v9M10.5 3.5v9",
  switch: "M2.5 8H6l6.5-4M6 8l6.5 4",
  foreach: "M12.5 8A4.5 4.5 0 1 1 8 3.5h3.5M9.5 1.5l2 2-2 2",
  repeat: "M12.5 8A4.5 4.5 0 1 1 8 3.5h3.5M9.5 1.5l2 2-2 2",
  wait: "M8 4.5V8l2.5 1.5M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11z",
  await_signal: "M2.5 4.5h11v7.5h-11zM2.5 5L8 9l5.5-4",
  workflow: "M3 3h10v10H3zM6 6h4v4H6z",
  set: "M4 6.5h8M4 9.5h8",
  fail: "M4.5 4.5l7 7M11.5 4.5l-7 7",
  return: "M12.5 3.5V8h-9M6.5 5l-3 3 3 3",
};

/** What is only to be heard: what others see by colour and form. */
function Heard({ words }: { readonly words: readonly string[] }): VNode {
  return <span class="visually-hidden">{words.map((word) => `, ${word}`).join("")}</span>;
}

function heardOf({ compensate, pivot }: StepNode, status: NodeStatus | null): readonly string[] {
  return [
    ...status === null ? [] : [LOOK_NAMES[status.look]],
    ...compensate === null || status?.undo ? [] : ["can be undone"],
    ...pivot ? ["no way back after it"] : [],
  ];
}
