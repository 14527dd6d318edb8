/** The graph's layout: whatever a workflow looks like, nothing lies on anything else. */
import assert from "node:assert/strict";
import type { Box, Direction } from "../../page/app/graph/box.ts";
import { layOut } from "../../page/app/graph/layout.ts";
import { stepTree } from "../../src/server/step_tree.ts";
import { workflowOf } from "../support/engines.ts";
import { WORKFLOWS } from "./shop.ts";

const DIRECTIONS: readonly Direction[] = ["right", "down"];

const NESTED = `
name: nested
services: { a: { endpoint: "a:1" } }
steps:
  - id: outer
    parallel:
      - id: left
        steps:
          - { id: one, service: a, method: M, compensate: { steps: [ { id: back, service: a, method: M } ] } }
          - id: again
            foreach: [1, 2]
            steps:
              - { id: each, service: a, method: M, catch: [{ codes: [NOT_FOUND], steps: [ { id: other, service: a, method: M } ] }] }
      - { id: right, service: a, method: M, needs: [left] }
      - { id: far, service: a, method: M, needs: [right] }
      - { id: skip, service: a, method: M, needs: [left] }
      - { id: alone, service: a, method: M }
  - switch:
      - { when: "{{ true }}", steps: [ { wait: 1s }, { set: { x: 1 } } ] }
      - { steps: [ { fail: { code: ABORTED, message: no } } ] }
`;

for (const direction of DIRECTIONS) {
  for (const [name, text] of [["order", WORKFLOWS["order.yaml"] ?? ""], ["nested", NESTED]]) {
    Deno.test(`the graph of "${name}", to the ${direction}, has every step once and none on another`, () => {
      const steps = stepTree(workflowOf(text ?? ""));
      const box = layOut(steps, direction);
      const paths = [...box.nodes, ...box.frames.filter(({ part }) => part === null)]
        .map(({ step }) => step.path).sort();
      assert.deepEqual(paths, [...new Set(paths)]);
      assert.ok(paths.length >= 11, paths.join(", "));
      box.nodes.forEach((a, at) => {
        for (const b of box.nodes.slice(at + 1)) {
          assert.ok(!overlap(a, b), `${a.step.path} lies on ${b.step.path}`);
        }
      });
      staysInside(box);
    });
  }
}

for (const direction of DIRECTIONS) {
  Deno.test(`to the ${direction}, a line leaves every step at its own border, and none the last`, () => {
    const text =
      `${NESTED}  - { id: last, service: a, method: M, catch: [{ steps: [ { wait: 1s } ] }] }\n`;
    const { nodes, edges } = layOut(stepTree(workflowOf(text)), direction);
    for (const { step, x, y, width, height } of nodes) {
      const leaves = edges.some(({ points: [from] }) =>
        from !== undefined &&
        (direction === "right"
          ? from.x === x + width && from.y > y && from.y < y + height
          : from.y === y + height && from.x > x && from.x < x + width)
      );
      assert.equal(leaves, step.id !== "last", step.path);
    }
  });
}

Deno.test("a workflow without steps has an empty graph", () => {
  assert.deepEqual(layOut([], "right").nodes, []);
});

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function overlap(a: Rectangle, b: Rectangle): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function staysInside({ width, height, nodes, frames, edges }: Box): void {
  for (const { step, x, y, width: w, height: h } of [...nodes, ...frames]) {
    assert.ok(x >= 0 && y >= 0 && x + w <= width + 1 && y + h <= height + 1, step.path);
  }
  for (const { points } of edges) {
    for (const { x, y } of points) {
      assert.ok(x >= -1 && y >= -1 && x <= width + 1 && y <= height + 1, `${x}, ${y}`);
    }
  }
}
