/**
 * Warnings: what only the whole workflow can tell, and what is legal but likely
 * to hurt.
 *
 * @module
 */
import type { Problem } from "../errors.ts";
import type { TemplateUse } from "./build_steps.ts";
import { eachStep } from "./calls.ts";
import { formatDuration } from "./durations.ts";
import { templateRefs } from "./expression.ts";
import type { CallStep, RetryRule, Step, Workflow } from "./model.ts";
import { warningAt } from "./problems.ts";
import { onlyReads } from "./reads.ts";
import { type Binding, bindingsOf, visibility } from "./scope.ts";
import type { StepPlaces } from "./step_places.ts";

/** What the warnings go by, besides the workflow. */
export interface LintContext {
  readonly where: StepPlaces;
  /** The services that steps call. */
  readonly used: ReadonlySet<string>;
  readonly uses: readonly TemplateUse[];
}

/** Every warning about a workflow that has no errors, or as far as it has none. */
export function lintWorkflow(workflow: Workflow, context: LintContext): readonly Problem[] {
  return [
    ...unusedServices(workflow, context),
    ...unusedNames(workflow, context),
    ...gapsInCompensation(workflow),
    ...tooShort(workflow.steps, workflow.timeout, context),
  ];
}

/** Included files may hold services that others use. */
function unusedServices({ services }: Workflow, { used, where }: LintContext): Problem[] {
  return Object.values(services)
    .filter(({ name }) => !used.has(name) && where.places.get(["services", name]) !== undefined)
    .map(({ name, place }) => warningAt(place, "unused_service", `No step calls "${name}"`));
}

/** Outputs with a name of their own, and names set, that nothing reads. */
function unusedNames(workflow: Workflow, { where, uses }: LintContext): Problem[] {
  const read = readBindings(workflow, uses);
  const flowing = new Set<Step>();
  const end = workflow.steps.at(-1);
  if (end !== undefined && workflow.output === null) addFlowing(end, flowing);
  const problems: Problem[] = [];
  for (const step of eachStep(workflow.steps)) {
    if (step.output !== null && read.has(outputKey(step.path))) {
      addFlowing(step, flowing);
    }
  }
  for (const step of eachStep(workflow.steps)) {
    if (flowing.has(step)) continue;
    const own = step.kind === "parallel" ? { ...step, branches: [] } : step;
    for (const [name, binding] of bindingsOf(own)) {
      const isWritten = binding.kind === "field" || where.get(step.path, "output") !== undefined;
      if (!isWritten || read.has(keyOf(binding)) || read.has(`${step.path} *`)) continue;
      problems.push(warningAt(where.bound(binding), "unused_output", `Nothing reads .${name}`));
    }
  }
  return problems;
}

/** A block's result is made of its steps': those are read where the block's is. */
function addFlowing(step: Step, flowing: Set<Step>): void {
  if (flowing.has(step)) return;
  flowing.add(step);
  const inside = step.kind === "parallel"
    ? step.branches
    : step.kind === "steps"
    ? step.steps.slice(-1)
    : step.kind === "switch"
    ? step.branches.flatMap(({ steps }) => steps.slice(-1))
    : [];
  for (const child of inside) addFlowing(child, flowing);
}

function readBindings(workflow: Workflow, uses: readonly TemplateUse[]): ReadonlySet<string> {
  const read = new Set<string>();
  const seen = visibility(workflow);
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

/** A step that stays done when those after it are undone. */
function gapsInCompensation({ steps }: Workflow): Problem[] {
  const calls = [...eachCall(steps, [])];
  return calls.flatMap(({ step, branches }, at) => {
    if (step.compensate !== null || onlyReads(step.method)) return []; // nothing to undo
    const later = calls.slice(at + 1).find((other) =>
      other.step.compensate !== null && !exclude(branches, other.branches)
    );
    if (later === undefined) return [];
    const message = `No "compensate", though "${later.step.id}" at line ${later.step.place.line} ` +
      "has one: after a rollback this step alone stays done";
    return [warningAt(step.place, "no_compensation", message)];
  });
}

interface PlacedCall {
  readonly step: CallStep;
  /** The switches around, each with the branch that leads here. */
  readonly branches: readonly (readonly [string, number])[];
}

function* eachCall(
  steps: readonly Step[],
  branches: PlacedCall["branches"],
): Generator<PlacedCall> {
  for (const step of steps) {
    if (step.kind === "call") yield { step, branches };
    else if (step.kind === "steps") yield* eachCall(step.steps, branches);
    else if (step.kind === "parallel") yield* eachCall(step.branches, branches);
    else if (step.kind === "switch") {
      for (const [at, branch] of step.branches.entries()) {
        yield* eachCall(branch.steps, [...branches, [step.path, at]]);
      }
    }
  }
}

/** Whether two calls are in different branches of one switch. */
function exclude(a: PlacedCall["branches"], b: PlacedCall["branches"]): boolean {
  return a.some(([path, at]) => b.some(([other, where]) => path === other && at !== where));
}

/** A timeout that is over before the last retry can begin, even if every call fails at once. */
function tooShort(steps: readonly Step[], limit: number | null, context: LintContext): Problem[] {
  return steps.flatMap((step): Problem[] => {
    const least = smaller(step.timeout, limit);
    switch (step.kind) {
      case "steps":
        return tooShort(step.steps, least, context);
      case "parallel":
        return tooShort(step.branches, least, context);
      case "switch":
        return step.branches.flatMap((branch) => tooShort(branch.steps, least, context));
      case "call": {
        const delays = shortestDelays(step.retry);
        if (least === null || delays < least) return [];
        const message = `A timeout of ${formatDuration(least)} is over before the last of ` +
          `${step.retry.attempts} attempts: the delays alone take at least ${
            formatDuration(delays)
          }`;
        const place = step.timeout === null
          ? step.place
          : context.where.value(step.path, "timeout");
        return [warningAt(place, "timeout_too_short", message)];
      }
      default:
        return [];
    }
  });
}

function smaller(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.min(a, b);
}

/** The delays of all retries, where chance makes each as short as it can be (semantics.md §1). */
function shortestDelays(rule: RetryRule): number {
  let total = 0;
  let delay = rule.initialDelay;
  for (let retry = 1; retry < rule.attempts; retry++) {
    total += Math.min(delay, rule.maxDelay) * (1 - rule.jitter);
    if (total > Number.MAX_SAFE_INTEGER || retry > 10_000) break;
    if (rule.backoff === "exponential") delay = Math.min(delay * rule.multiplier, rule.maxDelay);
  }
  return Math.round(total);
}
