/**
 * Where everything of a workflow's graph stands. Blocks are boxes in boxes, as in the file: a sequence
 * is a line, branches lie side by side. Only where siblings need each other is there a graph in the
 * strict sense, which dagre lays out.
 *
 * @module
 */
import type { StepGroup, StepNode } from "../../../src/server/step_tree.ts";
import {
  type Box,
  breadthOf,
  type Direction,
  emptyBox,
  grow,
  lengthOf,
  place,
  type PlacedFrame,
  pointAt,
} from "./box.ts";
import { layOutNeeds } from "./layout_needs.ts";

/** The size of a node. */
export const NODE = { width: 172, widest: 260, height: 46, undo: 22, rest: 84 };

/** How wide a letter of a name is, about. */
const LETTER = 8;

/** Between one step and the next. */
const GAP = 34;
/** Between branches. */
const BETWEEN = 14;
/** Inside of a frame. */
const PAD = 14;
/** For a frame's title. */
const TITLE = 32;
/** For a branch's condition. */
const LABEL = 20;

/** Lays a whole workflow out. */
export function layOut(steps: readonly StepNode[], direction: Direction): Box {
  const box = sequence(steps, direction);
  const last = steps.at(-1);
  if (last === undefined || last.groups.length > 0) return box;
  return { ...box, edges: box.edges.filter(({ from, to }) => from !== last.path || to !== null) };
}

/** One after the other. */
function sequence(steps: readonly StepNode[], direction: Direction): Box {
  const boxes = steps.map((step) => unit(step, direction));
  const port = Math.max(0, ...boxes.map((box) => box.port));
  const merged = emptyBox(port);
  let at = 0;
  boxes.forEach((box, index) => {
    const across = port - box.port;
    if (index > 0) {
      const points = [pointAt(at - GAP, port, direction), pointAt(at, port, direction)];
      const [from = null, to = null] = [steps[index - 1]?.path, steps[index]?.path];
      merged.edges.push({ points, from, to, kind: "next" });
    }
    place(merged, box, pointAt(at, across, direction));
    at += lengthOf(box, direction) + GAP;
  });
  return merged;
}

/** A step with what catches its failure below it. */
function unit(step: StepNode, direction: Direction): Box {
  const own = step.groups.length > 0 ? block(step, direction) : leaf(step, direction);
  const asides: readonly (readonly [StepGroup, "catch" | "compensate"])[] = [
    ...(step.compensate !== null && "steps" in step.compensate
      ? [[{ label: null, steps: step.compensate.steps }, "compensate"] as const]
      : []),
    ...step.catches.filter(({ steps }) => steps.length > 0)
      .map((group) => [group, "catch"] as const),
  ];
  if (asides.length === 0) return own;
  const merged = emptyBox(own.port);
  place(merged, own, { x: 0, y: 0 });
  for (const [group, part] of asides) {
    const label = part === "catch" ? `on ${group.label ?? "failure"}` : "to undo it";
    const inner = framed(sequence(group.steps, direction), { step, part, label }, direction);
    const from = direction === "right"
      ? { x: 20, y: merged.height }
      : { x: merged.width, y: own.height / 2 };
    const at = direction === "right"
      ? { x: 0, y: merged.height + BETWEEN + 6 }
      : { x: merged.width + BETWEEN + 6, y: 0 };
    const to = direction === "right" ? { x: 20, y: at.y } : { x: at.x, y: own.height / 2 };
    const first = group.steps[0]?.path ?? null;
    merged.edges.push({ points: [from, to], from: null, to: first, kind: part });
    place(merged, inner, at);
  }
  // The way on begins where all of it ends.
  merged.edges.push({
    points: [
      pointAt(lengthOf(own, direction), own.port, direction),
      pointAt(lengthOf(merged, direction), own.port, direction),
    ],
    from: step.path,
    to: null,
    kind: "next",
  });
  return merged;
}

function leaf(step: StepNode, direction: Direction): Box {
  const undo = step.compensate !== null && !("steps" in step.compensate) ? NODE.undo : 0;
  const height = NODE.height + undo;
  const width = direction === "right" ? widthFor(step.id) : NODE.width;
  const node = { step, x: 0, y: 0, width, height };
  return {
    ...emptyBox(direction === "right" ? NODE.height / 2 : width / 2),
    width,
    height,
    nodes: [node],
  };
}

/** Wide enough for a name, within reason: where time goes down, branches share the width of a phone. */
function widthFor(name: string): number {
  return Math.min(Math.max(NODE.width, name.length * LETTER + NODE.rest), NODE.widest);
}

/** A step that holds others, in its frame. */
function block(step: StepNode, direction: Direction): Box {
  const { kind, groups } = step;
  const titled = { step, part: null, label: step.id };
  if (kind !== "parallel" && kind !== "switch") {
    return framed(sequence(groups[0]?.steps ?? [], direction), titled, direction);
  }
  const branches = groups.map(({ steps }) => sequence(steps, direction));
  const heads = groups.map(({ steps }) => steps[0]);
  const needs = kind === "parallel" && heads.some((head) => (head?.needs.length ?? 0) > 0);
  const inner = needs
    ? layOutNeeds(heads.flatMap((head) => head ?? []), branches, direction)
    : sideBySide(groups, branches, direction, kind === "switch");
  return framed(inner, titled, direction);
}

/** Branches without an order among them. */
function sideBySide(
  groups: readonly StepGroup[],
  branches: readonly Box[],
  direction: Direction,
  labelled: boolean,
): Box {
  const room = labelled ? LABEL : 0;
  const longest = Math.max(0, ...branches.map((box) => lengthOf(box, direction)));
  const total = branches.reduce((sum, box) => {
    return sum + breadthOf(box, direction) + BETWEEN + (direction === "right" ? room : 0);
  }, -BETWEEN);
  const port = total / 2;
  const merged = emptyBox(port);
  const start = GAP + (direction === "down" ? room : 0);
  let across = 0;
  branches.forEach((box, index) => {
    if (direction === "right") across += room;
    const line = across + box.port;
    const corner = pointAt(start, across, direction);
    const fork = [pointAt(0, port, direction), pointAt(start, line, direction)];
    const join = [
      pointAt(start + lengthOf(box, direction), line, direction),
      pointAt(start + longest, line, direction),
      pointAt(start + longest + GAP, port, direction),
    ];
    const { steps = [] } = groups[index] ?? {};
    const [first = null, last = null] = [steps[0]?.path, steps.at(-1)?.path];
    merged.edges.push({ points: fork, from: null, to: first, kind: "next" });
    merged.edges.push({ points: join, from: last, to: null, kind: "next" });
    place(merged, box, corner);
    const text = groups[index]?.label;
    if (labelled && text) {
      merged.labels.push({ text, x: corner.x, y: corner.y - LABEL + 2, width: box.width });
    }
    across += breadthOf(box, direction) + BETWEEN;
  });
  grow(merged, pointAt(start + longest + GAP, total, direction));
  return merged;
}

/** With a border and a title around it, and its line led through to the border. */
function framed(
  inner: Box,
  title: Pick<PlacedFrame, "step" | "part" | "label">,
  direction: Direction,
): Box {
  const before = direction === "right" ? PAD : TITLE;
  const port = inner.port + (direction === "right" ? TITLE : PAD);
  const merged = emptyBox(port);
  place(merged, inner, { x: PAD, y: TITLE });
  const end = before + lengthOf(inner, direction);
  grow(merged, { x: merged.width + PAD, y: merged.height + PAD });
  grow(merged, { x: NODE.width + 2 * PAD, y: 0 });
  const { width, height } = merged;
  merged.frames.unshift({ ...title, x: 0, y: 0, width, height });
  const own = title.part === null ? title.step.path : null;
  merged.edges.push({
    points: [pointAt(0, port, direction), pointAt(before, port, direction)],
    from: null,
    to: own,
    kind: "next",
  }, {
    points: [pointAt(end, port, direction), pointAt(lengthOf(merged, direction), port, direction)],
    from: own,
    to: null,
    kind: "next",
  });
  return merged;
}
