/** Outputs with a name of their own, and names set, that nothing reads. @module */
import type { Problem } from "../errors.ts";
import { eachStep, listsOf } from "./calls.ts";
import { templateRefs } from "./expression.ts";
import type { LintContext } from "./check_context.ts";
import type { Step, Workflow } from "./model.ts";
import { warningAt } from "./problems.ts";
import { type Binding, bindingsOf } from "./scope.ts";

/** Warns of names that nothing reads. */
export function lintNames(workflow: Workflow, context: LintContext): readonly Problem[] {
  const { where } = context;
  const read = readBindings(context);
  const flowing = new Set<Step>();
  const end = workflow.steps.at(-1);
  if (end !== undefined && workflow.output === null) addFlowing(end, flowing);
  const steps = [...eachStep(workflow.steps)];
  for (const step of steps) if (read.has(outputKey(step.path))) addFlowing(step, flowing);
  return steps.filter((step) => !flowing.has(step)).flatMap((step) => {
    const own = step.kind === "parallel" ? { ...step, branches: [] } : step;
    return [...bindingsOf(own)].flatMap(([name, binding]) => {
      const isWritten = binding.kind === "field" || where.get(step.path, "output") !== undefined;
      if (!isWritten || read.has(keyOf(binding)) || read.has(`${step.path} *`)) return [];
      return [warningAt(where.bound(binding), "unused_output", `Nothing reads .${name}`)];
    });
  });
}

/** A block's result is made of its steps': those are read where the block's is. */
function addFlowing(step: Step, flowing: Set<Step>): void {
  if (flowing.has(step)) return;
  flowing.add(step);
  for (const child of resultOf(step)) addFlowing(child, flowing);
}

function resultOf(step: Step): readonly Step[] {
  const caught = step.catch.filter(({ result }) => result === null)
    .flatMap(({ steps }) => steps.slice(-1));
  if (step.kind === "parallel") return [...step.branches, ...caught];
  if ("result" in step && step.result !== null) return caught;
  return [...listsOf(step).flatMap((steps) => steps.slice(-1)), ...caught];
}

function readBindings({ uses, seen }: LintContext): ReadonlySet<string> {
  const read = new Set<string>();
  for (const { template, scope } of uses) {
    const visible = scope === null ? undefined : seen.get(scope);
    if (visible === undefined) continue;
    for (const { root, path } of templateRefs(template)) {
      const id = path[0];
      const step = root === "steps" && id !== undefined ? visible.steps.get(id) : undefined;
      if (step !== undefined) read.add(outputKey(step.path)).add(`${step.path} *`);
      const binding = visible.names.get(root);
      if (binding === undefined) continue;
      read.add(keyOf(binding));
      if (binding.kind === "output") read.add(`${binding.path} *`); // the map of a set's names
    }
  }
  return read;
}

function keyOf(binding: Binding): string {
  if (binding.kind === "output") return outputKey(binding.path);
  return `${binding.path} ${binding.kind} ${binding.kind === "field" ? binding.field : ""}`;
}

function outputKey(path: string): string {
  return `${path} output`;
}
