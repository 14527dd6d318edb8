import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { StepNode } from "../../../src/server/step_tree.ts";
import type { Look, NodeStatus } from "../run/looks.ts";
import { narrow } from "../ui/narrow.ts";
import type { Box, Direction, PlacedEdge } from "./box.ts";
import { curveThrough } from "./curve.ts";
import { FrameTitle, NodeButton } from "./graph_node.tsx";
import { layOut } from "./layout.ts";
import { bare } from "./step_words.ts";

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
  const [box, direction] = useMemo(() => layOutFor(steps, narrow.value), [steps, narrow.value]);
  const room = useRef<HTMLDivElement>(null);
  const zoom = useSignal(1);
  useLayoutEffect(() => {
    const element = room.current;
    if (element === null) return;
    const fit = () => {
      const share = (element.clientWidth - 8) / (box.width + 4);
      zoom.value = Math.min(1, Math.max(share, SMALLEST));
      look();
    };
    const look = () => {
      const { scrollLeft, scrollTop, scrollWidth, scrollHeight, clientWidth, clientHeight } =
        element;
      // Where there is more, the edge fades.
      element.classList.toggle("is-more-left", scrollLeft > 4);
      element.classList.toggle("is-more-right", scrollLeft + clientWidth < scrollWidth - 4);
      element.classList.toggle("is-more-above", scrollTop > 4);
      element.classList.toggle("is-more-below", scrollTop + clientHeight < scrollHeight - 4);
    };
    // The line on which it begins is in sight from the start.
    requestAnimationFrame(() => {
      fit();
      const port = box.port * zoom.value;
      if (direction === "down") element.scrollLeft = port - element.clientWidth / 2;
      else element.scrollTop = port - element.clientHeight / 2;
    });
    const observer = new ResizeObserver(fit);
    observer.observe(element);
    for (const child of element.children) observer.observe(child);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, [box]);
  return (
    <div class="graph-scroll" role="group" aria-label={label} tabIndex={0} ref={room}>
      <div class="graph-zoom" style={{ zoom: String(zoom.value) }}>
        <Drawing {...{ box, direction, statusOf, selected, onSelect }} />
      </div>
    </div>
  );
}

/** On a phone time goes down, unless so much goes on side by side that less is to be scrolled the other way. */
function layOutFor(steps: readonly StepNode[], isNarrow: boolean): readonly [Box, Direction] {
  const right = layOut(steps, "right");
  const down = isNarrow ? layOut(steps, "down") : null;
  return down !== null && down.width <= right.width ? [down, "down"] : [right, "right"];
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
