import { Locator } from "../machines/located.ts";
import { definitionDigest } from "../workflow/digest.ts";
import type { Workflow } from "../workflow/model.ts";
import { visibility, type Visible } from "../workflow/scope.ts";

/** What is found out about a workflow once, however often it runs. */
export interface Definition {
  /** Names the definition in a journal. */
  readonly digest: string;
  /** The definition as a journal keeps it. */
  readonly text: string;
  readonly visible: ReadonlyMap<string, Visible>;
  readonly locator: Locator;
}

const definitions = new WeakMap<Workflow, Definition>();

/** A workflow's definition. */
export function definitionOf(workflow: Workflow): Definition {
  let definition = definitions.get(workflow);
  if (definition === undefined) {
    definition = {
      digest: definitionDigest(workflow),
      text: JSON.stringify(workflow),
      visible: visibility(workflow),
      locator: new Locator(workflow),
    };
    definitions.set(workflow, definition);
  }
  return definition;
}
