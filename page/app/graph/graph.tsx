import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { StepNode } from "../../../src/server/step_tree.ts";
import { type Look, LOOK_NAMES } from "../run/looks.ts";
import { narrow } from "../ui/narrow.ts";
import type { Box, Direction, PlacedEdge } from "./box.ts";
import { curveThrough } from "./curve.ts";
import { layOut } from "./layout.ts";
import { StateIcon } from "./state_icon.tsx";

/** How one step of the graph stands. */
export interface NodeStatus {
  readonly look: Look;
  /** A few words beside it: attempts, rounds; `""`: none. */
  readonly note: string;
  /** How far it is undone; `null`: nothing undoes it, or nothing has yet. */
  readonly undo: { readonly look: Look; readonly order: number } | null;
}

/** How far a graph is made smaller to fit before it is scrolled instead: its words stay readable. */
const SMALLEST = 0.74;

/** A workflow's steps as a graph, with how they stand in a run. */
export function Graph({ steps, statusOf, selected, onSelect, label }: {
  readonly steps: readonly StepNode[];
  /** `null`: there is no run. */
  readonly statusOf: ((path: string) => NodeStatus) | null;
  /** The path of the step that is looked at. */
  readonly selected: string | null;
  readonly onSelect: (step: StepNode) => void;
  readonly label: string;
}): VNode {
  const direction: Direction = narrow.value ? "down" : "right";
  const box = useMemo(() => layOut(steps, direction), [steps, direction]);
  const room = useRef<HTMLDivElement>(null);
  const zoom = useSignal(1);
  useLayoutEffect(() => {
    const element = room.current;
    if (element === null) return;
    const fit = () => {
      const share = (element.clientWidth - 8) / (box.width + 4);
      zoom.value = Math.min(1, Math.max(share, SMALLEST));
    };
    const observer = new ResizeObserver(fit);
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
  return (
    <div class="graph-scroll" role="group" aria-label={label} tabIndex={0} ref={room}>
      <div class="graph-zoom" style={{ zoom: String(zoom.value) }}>
        <Drawing {...{ box, direction, statusOf, selected, onSelect }} />
      </div>
    </div>
  );
}

function Drawing({ box, direction, statusOf, selected, onSelect }: {
  readonly box: Box;
  readonly direction: Direction;
  readonly statusOf: ((path: string) => NodeStatus) | null;
  readonly selected: string | null;
  readonly onSelect: (step: StepNode) => void;
}): VNode {
  const lookOf = (path: string) => statusOf?.(path).look ?? "pending";
  const reached = ({ from, to }: PlacedEdge) =>
    to === null ? from !== null && PASSED.has(lookOf(from)) : !IDLE.has(lookOf(to));
  return (
    <div class="graph-sheet" style={{ width: `${box.width + 4}px`, height: `${box.height + 4}px` }}>
      <svg class="graph-lines" width={box.width + 4} height={box.height + 4} aria-hidden="true">
        {box.frames.map((frame, at) => (
          <rect
            key={at}
            class={`graph-frame part-${frame.part ?? "step"} kind-${frame.step.kind}`}
            x={frame.x + 1}
            y={frame.y + 1}
            width={frame.width}
            height={frame.height}
            rx="10"
          />
        ))}
        {box.edges.map((edge, at) => (
          <path
            key={at}
            class={`graph-edge edge-${edge.kind} ${reached(edge) ? "is-reached" : ""}`}
            d={curveThrough(edge.points, direction)}
            transform="translate(1 1)"
          />
        ))}
      </svg>
      {box.labels.map(({ text, x, y, width }, at) => (
        <span
          key={at}
          class="graph-label"
          title={text}
          style={{ left: `${x}px`, top: `${y}px`, maxWidth: `${width}px` }}
        >
          {bare(text)}
        </span>
      ))}
      {box.frames.map((frame, at) => (
        <FrameTitle
          key={`f${at}`}
          {...frame}
          status={frame.part === null ? statusOf?.(frame.step.path) ?? null : null}
          isSelected={frame.part === null && frame.step.path === selected}
          onSelect={onSelect}
        />
      ))}
      {box.nodes.map(({ step, x, y, width, height }) => (
        <NodeButton
          key={step.path}
          {...{ step, x, y, width, height, onSelect }}
          status={statusOf?.(step.path) ?? null}
          isSelected={step.path === selected}
        />
      ))}
    </div>
  );
}

const IDLE: ReadonlySet<Look> = new Set<Look>(["pending", "not_reached", "skipped"]);
const PASSED: ReadonlySet<Look> = new Set<Look>(["completed", "caught", "undoing", "undone"]);

/** How far a step is undone, in the little room that there is. */
const UNDO_NAMES: Readonly<Partial<Record<Look, string>>> = {
  running: "under way",
  completed: "undone",
  parked: "parked",
  skipped: "skipped",
};

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

function NodeButton(
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

function FrameTitle({ step, part, label, x, y, width, status, isSelected, onSelect }:
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
  return <span class="kind-mark" aria-hidden="true">{MARKS[kind]}</span>;
}

const MARKS: Readonly<Record<StepNode["kind"], string>> = {
  call: "→",
  steps: "≡",
  parallel: "∥",
  switch: "⋔",
  foreach: "↻",
  repeat: "↻",
  wait: "⏸",
  await_signal: "✉",
  workflow: "▣",
  set: "=",
  fail: "✕",
  return: "⏎",
};

/** What kinds of steps are called. */
export const KIND_NAMES: Readonly<Record<StepNode["kind"], string>> = {
  call: "call",
  steps: "sequence",
  parallel: "parallel",
  switch: "switch",
  foreach: "for each",
  repeat: "repeat",
  wait: "wait",
  await_signal: "signal",
  workflow: "child run",
  set: "set",
  fail: "fail",
  return: "return",
};

function subtitle({ kind, call, detail }: StepNode): string {
  if (call !== null) return `${call.service} · ${shortMethod(call.method)}`;
  return detail === null ? KIND_NAMES[kind] : `${KIND_NAMES[kind]} · ${bare(detail)}`;
}

function shortMethod(method: string): string {
  return method.slice(method.lastIndexOf("/") + 1);
}

/** An expression without the braces around it. */
function bare(text: string): string {
  return text.replaceAll(/\{\{\s*|\s*\}\}/g, "");
}

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
