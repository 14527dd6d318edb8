/** Writes docs/machines.md from the machines themselves: `deno task machines`. A test checks that it is up to date. */
import type { AnyStateMachine, AnyStateNode } from "xstate";
import { blockMachine } from "../src/machines/block.ts";
import { callMachine } from "../src/machines/call.ts";
import { runMachine } from "../src/machines/run.ts";
import { sagaMachine } from "../src/machines/saga.ts";
import { serviceMachine } from "../src/machines/service.ts";

/** As much of a machine's table as is drawn. */
interface Drawn {
  readonly table: {
    readonly id: string;
    readonly initial: string;
    readonly states: Readonly<Record<string, DrawnState>>;
  };
}

interface DrawnState {
  readonly final?: true;
  readonly always?: readonly DrawnArrow[];
  readonly on?: Readonly<Record<string, readonly DrawnArrow[] | undefined>>;
}

interface DrawnArrow {
  readonly guard?: { readonly name: string };
  readonly actions?: readonly { readonly name: string }[];
  readonly target?: string;
}

const MACHINES: readonly (readonly [AnyStateMachine | Drawn, string])[] = [
  [runMachine, "One run: forward, then back where it must, then an end."],
  [blockMachine, "A block of steps: starts its children, hears them end, cancels them."],
  [callMachine, "One call, with its retries; also one compensation, which may be parked."],
  [sagaMachine, "One rollback: one compensation after the other."],
  [serviceMachine, "The circuit breaker of one service."],
];

/** The whole page. */
export function machinesPage(): string {
  const sections = MACHINES.map(([machine, about]) =>
    `## ${"table" in machine ? machine.table.id : machine.id}\n\n${about}\n\n\`\`\`mermaid\n${
      diagramOf(machine)
    }\n\`\`\`\n`
  );
  return [
    "# The machines\n",
    "Made by `deno task machines` from the machines in `src/machines/`; do not edit by hand.",
    "An arrow is labelled `event [guard] / actions`; `always` is taken without an event.\n",
    ...sections,
  ].join("\n");
}

function diagramOf(machine: AnyStateMachine | Drawn): string {
  const lines = "table" in machine ? linesOf(machine.table) : statesOf(machine.root, "  ");
  return ["stateDiagram-v2", ...lines].join("\n");
}

function linesOf({ initial, states }: Drawn["table"]): string[] {
  const lines = Object.entries(states).flatMap(([from, { always = [], on = {}, final }]) => [
    ...always.map((arrow) => lineOf(from, "always", arrow)),
    ...Object.entries(on).flatMap(([event, arrows = []]) =>
      arrows.map((arrow) => lineOf(from, event, arrow))
    ),
    ...(final ? [`  ${from} --> [*]`] : []),
  ]);
  return [`  [*] --> ${initial}`, ...lines];
}

function lineOf(from: string, event: string, { guard, actions = [], target }: DrawnArrow): string {
  const names = actions.map(({ name }) => name);
  return `  ${from} --> ${target ?? from}: ${labelOf(event, guard?.name, names)}`;
}

function labelOf(event: string, guard: string | undefined, actions: readonly string[]): string {
  const parts = [event];
  if (guard !== undefined) parts.push(`[${guard}]`);
  if (actions.length > 0) parts.push(`/ ${actions.join(", ")}`);
  return parts.join(" ");
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
    const label = labelOf(
      event,
      guard ? nameOfPart(guard) : undefined,
      actions.map(nameOfPart),
    );
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
