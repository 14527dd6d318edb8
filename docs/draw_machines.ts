/** Writes docs/machines.md from the machines themselves: `deno task machines`. A test checks that it is up to date. */
import { blockMachine } from "../src/machines/block.ts";
import { callMachine } from "../src/machines/call.ts";
import { catchMachine } from "../src/machines/catch.ts";
import { childMachine, childUndoMachine } from "../src/machines/child.ts";
import { pauseMachine } from "../src/machines/pause.ts";
import { runMachine } from "../src/machines/run.ts";
import { sagaMachine } from "../src/machines/saga.ts";
import { serviceMachine } from "../src/machines/service.ts";

/** As much of a machine as is drawn. */
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

/** Guards and actions are named functions. */
interface DrawnArrow {
  readonly guard?: { readonly name: string };
  readonly actions?: readonly { readonly name: string }[];
  readonly target?: string;
}

const MACHINES: readonly (readonly [Drawn, string])[] = [
  [runMachine, "One run: forward, then back where it must, then an end."],
  [
    blockMachine,
    "A block of steps, a loop or a round: starts its children, hears them end, cancels them.",
  ],
  [
    callMachine,
    "One call, with its retries; also what undoes or verifies one, which may be parked.",
  ],
  [pauseMachine, "What waits: for a moment, for a signal, or for an operator."],
  [childMachine, "A child run: another workflow as a step."],
  [catchMachine, "What a `catch` does once it has taken a step's failure."],
  [sagaMachine, "One rollback, of a run or a part of it: one compensation after the other."],
  [childUndoMachine, "Rolls back a child run that had completed."],
  [serviceMachine, "The circuit breaker of one service."],
];

/** The whole page. */
export function machinesPage(): string {
  const sections = MACHINES.map(([{ table }, about]) =>
    `## ${table.id}\n\n${about}\n\n\`\`\`mermaid\n${diagramOf(table)}\n\`\`\`\n`
  );
  return [
    "# The machines\n",
    "Made by `deno task machines` from the machines in `src/machines/`; do not edit by hand.",
    "An arrow is labelled `event [guard] / actions`; `always` is taken without an event.\n",
    ...sections,
  ].join("\n");
}

function diagramOf({ initial, states }: Drawn["table"]): string {
  const lines = Object.entries(states).flatMap(([from, { always = [], on = {}, final }]) => [
    ...always.map((arrow) => lineOf(from, "always", arrow)),
    ...Object.entries(on).flatMap(([event, arrows = []]) =>
      arrows.map((arrow) => lineOf(from, event, arrow))
    ),
    ...(final ? [`  ${from} --> [*]`] : []),
  ]);
  return ["stateDiagram-v2", `  [*] --> ${initial}`, ...lines].join("\n");
}

function lineOf(from: string, event: string, { guard, actions = [], target }: DrawnArrow): string {
  const parts = [event];
  if (guard !== undefined) parts.push(`[${guard.name}]`);
  if (actions.length > 0) parts.push(`/ ${actions.map(({ name }) => name).join(", ")}`);
  return `  ${from} --> ${target ?? from}: ${parts.join(" ")}`;
}

if (import.meta.main) {
  await Deno.writeTextFile(new URL("machines.md", import.meta.url), machinesPage());
}
