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
  if (direction === "right") {
    const middle = (from.x + to.x) / 2;
    return `C${middle},${from.y} ${middle},${to.y} ${to.x},${to.y}`;
  }
  const middle = (from.y + to.y) / 2;
  return `C${from.x},${middle} ${to.x},${middle} ${to.x},${to.y}`;
}
