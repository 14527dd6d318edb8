import type { StepNode } from "../../../src/server/step_tree.ts";

/** Which way time goes. */
export type Direction = "right" | "down";

/** A step without steps of its own. */
export interface PlacedNode {
  readonly step: StepNode;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A step with others inside, or what undoes or catches one. */
export interface PlacedFrame extends PlacedNode {
  /** `null`: the step itself; else what part of it this is. */
  readonly part: "catch" | "compensate" | null;
  readonly label: string;
}

/** A few words beside an edge. */
export interface PlacedLabel {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** From one to the next. */
export interface PlacedEdge {
  readonly points: readonly Point[];
  /** The path of the step that it comes from; `null`: it leads into a block. */
  readonly from: string | null;
  /** The path of the step that it leads to; `null`: out of a block. */
  readonly to: string | null;
  readonly kind: "next" | "catch" | "compensate";
}

/** A place in the drawing. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A part of the drawing, from its own corner. */
export interface Box {
  readonly width: number;
  readonly height: number;
  /** Where its line goes through: across the direction of time, from the corner. */
  readonly port: number;
  readonly nodes: readonly PlacedNode[];
  readonly frames: readonly PlacedFrame[];
  readonly edges: readonly PlacedEdge[];
  readonly labels: readonly PlacedLabel[];
}

/** A part of the drawing to which others are added. */
export type OpenBox = {
  -readonly [Name in keyof Box]: Box[Name] extends readonly (infer One)[] ? One[] : Box[Name];
};

/** Nothing yet. */
export function emptyBox(port: number): OpenBox {
  return { width: 0, height: 0, port, nodes: [], frames: [], edges: [], labels: [] };
}

/** Puts one drawing into another, its corner at a point. */
export function place(into: OpenBox, box: Box, { x, y }: Point): void {
  const moved = <T extends Point>(one: T): T => ({ ...one, x: one.x + x, y: one.y + y });
  into.nodes.push(...box.nodes.map(moved));
  into.frames.push(...box.frames.map(moved));
  into.labels.push(...box.labels.map(moved));
  into.edges.push(...box.edges.map((edge) => ({ ...edge, points: edge.points.map(moved) })));
  grow(into, { x: x + box.width, y: y + box.height });
}

/** Makes it reach at least to a point. */
export function grow(box: OpenBox, { x, y }: Point): void {
  box.width = Math.max(box.width, x);
  box.height = Math.max(box.height, y);
}

/** A point by how far it is along the direction of time, and across it. */
export function pointAt(along: number, across: number, direction: Direction): Point {
  return direction === "right" ? { x: along, y: across } : { x: across, y: along };
}

/** A drawing's size along the direction of time. */
export function lengthOf(box: Box, direction: Direction): number {
  return direction === "right" ? box.width : box.height;
}

/** A drawing's size across the direction of time. */
export function breadthOf(box: Box, direction: Direction): number {
  return direction === "right" ? box.height : box.width;
}
