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

/** The templates of a step itself: not of the steps inside, but of the call that undoes it. */
export function* stepTemplates(step: Step): Generator<Template> {
  if (step.when !== null) yield step.when;
  switch (step.kind) {
    case "call":
      yield* targetTemplates(step);
      if (step.compensate?.kind === "call") yield* targetTemplates(step.compensate);
      break;
    case "switch":
      for (const { when } of step.branches) if (when !== null) yield when;
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

function* targetTemplates({ input, metadata }: CallTarget): Generator<Template> {
  yield input;
  yield metadata;
}

/** The names that expressions take from one root, such as those of `.env.NAME`, sorted. */
export function namesUnder(root: string, workflow: Workflow): readonly string[] {
  const names = new Set<string>();
  for (const template of eachTemplate(workflow)) {
    for (const ref of templateRefs(template)) {
      const [name] = ref.path;
      if (ref.root === root && name !== undefined) names.add(name);
    }
  }
  return [...names].sort();
}
