import type { Direction, Point } from "./box.ts";

/** A line through points as an SVG path, bent so that it leaves and arrives along the direction of time. */
export function curveThrough(points: readonly Point[], direction: Direction): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  let path = `M${first.x},${first.y}`;
  let before = first;
  for (const point of rest) {
    path += bend(before, point, direction);
    before = point;
  }
  return path;
}

function bend(from: Point, to: Point, direction: Direction): string {
  if (from.x === to.x || from.y === to.y) return `L${to.x},${to.y}`;
  const steep = steepness(from, to, direction);
  if (steep > STEEPEST) return elbow(from, to, direction);
  if (direction === "right") {
    const middle = (from.x + to.x) / 2;
    return `C${middle},${from.y} ${middle},${to.y} ${to.x},${to.y}`;
  }
  const middle = (from.y + to.y) / 2;
  return `C${from.x},${middle} ${to.x},${middle} ${to.x},${to.y}`;
}

/** Steeper lines than this, side by side, run together into a band: they share one line instead. */
const STEEPEST = 1.6;

function steepness(from: Point, to: Point, direction: Direction): number {
  const [along, across] = [Math.abs(to.x - from.x), Math.abs(to.y - from.y)];
  return direction === "right" ? across / along : along / across;
}

const CORNER = 10;

/** Along, across and along again, with round corners. */
function elbow(from: Point, to: Point, direction: Direction): string {
  const corner = Math.min(CORNER, Math.abs(to.x - from.x) / 2, Math.abs(to.y - from.y) / 2);
  const [dx, dy] = [Math.sign(to.x - from.x) * corner, Math.sign(to.y - from.y) * corner];
  if (direction === "right") {
    const middle = (from.x + to.x) / 2;
    return `L${middle - dx},${from.y}Q${middle},${from.y} ${middle},${from.y + dy}` +
      `L${middle},${to.y - dy}Q${middle},${to.y} ${middle + dx},${to.y}L${to.x},${to.y}`;
  }
  const middle = (from.y + to.y) / 2;
  return `L${from.x},${middle - dy}Q${from.x},${middle} ${from.x + dx},${middle}` +
    `L${to.x - dx},${middle}Q${to.x},${middle} ${to.x},${middle + dy}L${to.x},${to.y}`;
}
