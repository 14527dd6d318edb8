import { Graph, layout } from "@dagrejs/dagre";
import type { StepNode } from "../../../src/server/step_tree.ts";
import { type Box, type Direction, emptyBox, grow, type OpenBox, place, pointAt } from "./box.ts";

/** Around the whole, for the lines that lead in and out. */
const MARGIN = 34;

/** Branches of a `parallel` that need each other: a layered graph. */
export function layOutNeeds(
  heads: readonly StepNode[],
  branches: readonly Box[],
  direction: Direction,
): Box {
  const graph = new Graph({ directed: true });
  graph.setGraph({
    rankdir: direction === "right" ? "LR" : "TB",
    nodesep: 18,
    ranksep: 40,
    edgesep: 14,
  });
  graph.setDefaultEdgeLabel(() => ({}));
  heads.forEach((head, index) => {
    const { width = 0, height = 0 } = branches[index] ?? {};
    graph.setNode(head.id, { width, height });
  });
  for (const head of heads) {
    for (const need of head.needs) if (graph.hasNode(need)) graph.setEdge(need, head.id);
  }
  layout(graph);
  return draw(graph, { heads, branches, direction });
}

interface Parts {
  readonly heads: readonly StepNode[];
  readonly branches: readonly Box[];
  readonly direction: Direction;
}

function draw(graph: Graph, { heads, branches, direction }: Parts): Box {
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  const total = direction === "right" ? width : height;
  const port = (direction === "right" ? height : width) / 2;
  const merged: OpenBox = emptyBox(port);
  const ports = new Map<string, { readonly start: number; readonly end: number; line: number }>();
  heads.forEach((head, index) => {
    const box = branches[index];
    const node = graph.node(head.id) as { x: number; y: number } | undefined;
    if (box === undefined || node === undefined) return;
    const corner = { x: node.x - box.width / 2, y: node.y - box.height / 2 };
    const shifted = direction === "right"
      ? { x: corner.x + MARGIN, y: corner.y }
      : { x: corner.x, y: corner.y + MARGIN };
    place(merged, box, shifted);
    const [start, size, across] = direction === "right"
      ? [shifted.x, box.width, shifted.y]
      : [shifted.y, box.height, shifted.x];
    ports.set(head.id, { start, end: start + size, line: across + box.port });
  });
  for (const { v, w } of graph.edges()) {
    const from = ports.get(v);
    const to = ports.get(w);
    if (from === undefined || to === undefined) continue;
    // Between its ends the line goes where dagre leads it around other branches.
    const between = (graph.edge(v, w) as { points: { x: number; y: number }[] }).points.slice(1, -1)
      .map(({ x, y }) => direction === "right" ? { x: x + MARGIN, y } : { x, y: y + MARGIN });
    merged.edges.push({
      points: [
        pointAt(from.end, from.line, direction),
        ...between,
        pointAt(to.start, to.line, direction),
      ],
      from: heads.find(({ id }) => id === v)?.path ?? null,
      to: heads.find(({ id }) => id === w)?.path ?? null,
      kind: "next",
    });
  }
  lead(merged, { heads, ports, port, total, direction });
  for (const { points } of merged.edges) points.forEach((point) => grow(merged, point));
  return merged;
}

/** Lines into the branches that need none, and out of those that none needs. */
function lead(
  merged: OpenBox,
  { heads, ports, port, total, direction }: {
    readonly heads: readonly StepNode[];
    readonly ports: ReadonlyMap<string, { start: number; end: number; line: number }>;
    readonly port: number;
    readonly total: number;
    readonly direction: Direction;
  },
): void {
  const needed = new Set(heads.flatMap(({ needs }) => needs));
  const end = total + 2 * MARGIN;
  for (const head of heads) {
    const own = ports.get(head.id);
    if (own === undefined) continue;
    if (head.needs.length === 0) {
      const points = [pointAt(0, port, direction), pointAt(own.start, own.line, direction)];
      merged.edges.push({ points, from: null, to: head.path, kind: "next" });
    }
    if (!needed.has(head.id)) {
      const points = [
        pointAt(own.end, own.line, direction),
        pointAt(Math.max(own.end, end - MARGIN), own.line, direction),
        pointAt(end, port, direction),
      ];
      merged.edges.push({ points, from: head.path, to: null, kind: "next" });
    }
  }
}
