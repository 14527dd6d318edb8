/** Writes docs/machines.md from the machines themselves: `deno task machines`. A test checks that it is up to date. */
import type { AnyStateMachine, AnyStateNode } from "xstate";
import { blockMachine } from "../src/machines/block.ts";
import { callMachine } from "../src/machines/call.ts";
import { runMachine } from "../src/machines/run.ts";
import { sagaMachine } from "../src/machines/saga.ts";
import { serviceMachine } from "../src/machines/service.ts";

const MACHINES: readonly (readonly [AnyStateMachine, string])[] = [
  [runMachine, "One run: forward, then back where it must, then an end."],
  [blockMachine, "A block of steps: starts its children, hears them end, cancels them."],
  [callMachine, "One call, with its retries; also one compensation, which may be parked."],
  [sagaMachine, "One rollback: one compensation after the other."],
  [serviceMachine, "The circuit breaker of one service."],
];

/** The whole page. */
export function machinesPage(): string {
  const sections = MACHINES.map(([machine, about]) =>
    `## ${machine.id}\n\n${about}\n\n\`\`\`mermaid\n${diagramOf(machine)}\n\`\`\`\n`
  );
  return [
    "# The machines\n",
    "Made by `deno task machines` from the machines in `src/machines/`; do not edit by hand.",
    "An arrow is labelled `event [guard] / actions`; `always` is taken without an event.\n",
    ...sections,
  ].join("\n");
}

function diagramOf(machine: AnyStateMachine): string {
  return ["stateDiagram-v2", ...statesOf(machine.root, "  ")].join("\n");
}

function statesOf(node: AnyStateNode, indent: string): string[] {
  const lines: string[] = [];
  if (node.initial) lines.push(`${indent}[*] --> ${nameOf(node.initial.target[0])}`);
  for (const child of Object.values(node.states)) {
    if (Object.keys(child.states).length > 0) {
      lines.push(
        `${indent}state ${nameOf(child)} {`,
        ...statesOf(child, `${indent}  `),
        `${indent}}`,
      );
    }
    lines.push(...arrowsOf(child, indent));
    if (child.type === "final") lines.push(`${indent}${nameOf(child)} --> [*]`);
  }
  return lines;
}

function arrowsOf(node: AnyStateNode, indent: string): string[] {
  const always = (node.always ?? []).map((transition) => ["always", transition] as const);
  const events = [...node.transitions].flatMap(([event, transitions]) =>
    transitions.map((transition) => [event, transition] as const)
  );
  return [...always, ...events].map(([event, { target, guard, actions }]) => {
    const to = nameOf(target?.[0] ?? node);
    const names = actions.map(nameOfPart).join(", ");
    const label = [event, guard ? `[${nameOfPart(guard)}]` : "", names ? `/ ${names}` : ""]
      .filter((part) => part !== "").join(" ");
    return `${indent}${nameOf(node)} --> ${to}: ${label}`;
  });
}

function nameOf(node: AnyStateNode | undefined): string {
  return node?.key ?? "";
}

/** An action or guard is named in the machine, or is an object with a name in `type`. */
function nameOfPart(part: unknown): string {
  if (typeof part === "string") return part;
  return typeof part === "object" && part !== null && "type" in part ? String(part.type) : "…";
}

if (import.meta.main) {
  await Deno.writeTextFile(new URL("machines.md", import.meta.url), machinesPage());
}
