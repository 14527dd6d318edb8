import { eachStep } from "./calls.ts";
import { templateRefs } from "./expression.ts";
import type { CallTarget, Service, Step, Template, Workflow } from "./model.ts";

/** Every template of a workflow, those of its services included. */
export function* eachTemplate(workflow: Workflow): Generator<Template> {
  for (const service of Object.values(workflow.services)) yield* serviceTemplates(service);
  for (const step of eachStep(workflow.steps)) yield* stepTemplates(step);
  if (workflow.output !== null) yield workflow.output;
}

/** The templates of a service's settings. */
export function* serviceTemplates({ endpoint, metadata, tls }: Service): Generator<Template> {
  yield endpoint;
  yield metadata;
  if (tls !== null) yield { ...tls };
}

/** The templates of a step itself: not of the steps inside, but of the calls that undo and settle it. */
export function* stepTemplates(step: Step): Generator<Template> {
  if (step.when !== null) yield step.when;
  for (const { when, result } of step.catch) yield* written(when, result);
  if ("compensate" in step && step.compensate?.kind === "call") {
    yield* targetTemplates(step.compensate);
  }
  switch (step.kind) {
    case "call":
      yield* targetTemplates(step);
      if (step.verify === null) break;
      yield* targetTemplates(step.verify);
      yield* written(step.verify.result);
      break;
    case "switch":
      for (const { when } of step.branches) yield* written(when);
      break;
    case "foreach":
      yield step.items;
      yield* written(step.result);
      break;
    case "repeat":
      yield step.until;
      yield* written(step.result);
      break;
    case "wait":
      yield* written(step.until);
      break;
    case "workflow":
      yield step.input;
      break;
    case "set":
      yield step.values;
      break;
    case "fail":
      yield step.message;
      break;
    case "return":
      yield step.value;
      break;
  }
}

/** A `null` that stands for nothing written is no template. */
function* written(...templates: readonly (Template | null)[]): Generator<Template> {
  for (const template of templates) if (template !== null) yield template;
}

function* targetTemplates({ input, metadata }: CallTarget): Generator<Template> {
  yield input;
  yield metadata;
}

/** The names that expressions take from one root, such as those of `.env.NAME`, its children's too, sorted. */
export function namesUnder(root: "env" | "secrets", workflow: Workflow): readonly string[] {
  const names = new Set<string>();
  for (const step of eachStep(workflow.steps)) {
    if (step.kind === "workflow") step.workflow[root].forEach((name) => names.add(name));
  }
  for (const template of eachTemplate(workflow)) {
    for (const ref of templateRefs(template)) {
      const [name] = ref.path;
      if (ref.root === root && name !== undefined) names.add(name);
    }
  }
  return [...names].sort();
}
