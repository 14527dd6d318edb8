/**
 * What expressions see while a run goes on: the names that `scope.ts` found to be visible, with
 * the values that the run has recorded for them.
 *
 * @module
 */
import { reflect } from "@bufbuild/protobuf/reflect";
import { timestampFromMs, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { evaluateCondition, evaluateTemplate, templateRefs } from "../workflow/expression.ts";
import type { Template } from "../workflow/model.ts";
import type { Binding } from "../workflow/scope.ts";
import type { Value } from "../workflow/value.ts";
import type { Board } from "./board.ts";
import { recordOf, type RunState, type StepRecord } from "./fold.ts";

/** The parts of a board that expressions read. */
export type Names = Pick<Board, "workflow" | "visible" | "state">;

/**
 * Evaluates a template as the step at `scope` sees it.
 *
 * @param extra roots besides the recorded ones, such as `secrets`
 * @throws {MaestroError} `EXPRESSION_ERROR`
 */
export function evaluate(
  names: Names,
  scope: string,
  template: Template,
  extra?: Readonly<Record<string, Value>>,
): Value {
  return evaluateTemplate(template, bindingsOf(names, scope, template, extra));
}

/**
 * Evaluates a `when` as the step at `scope` sees it.
 *
 * @throws {MaestroError} `EXPRESSION_ERROR`, also where it is not a bool
 */
export function evaluateWhen(names: Names, scope: string, when: string): boolean {
  return evaluateCondition(when, bindingsOf(names, scope, when));
}

function bindingsOf(
  names: Names,
  scope: string,
  template: Template,
  extra?: Readonly<Record<string, Value>>,
): Readonly<Record<string, Value>> {
  const refs = refsOf(template);
  const bindings: Record<string, Value> = { ...extra };
  for (const { root, path } of refs) {
    if (root in bindings && root !== "steps") continue;
    const value = root === "steps"
      ? stepsSeen(names, scope, path[0], bindings["steps"])
      : lookUp(names, scope, root);
    if (value !== undefined) bindings[root] = value;
  }
  return bindings;
}

type Refs = ReturnType<typeof templateRefs>;
const refsByTree = new WeakMap<object, Refs>();

/** What a template refers to; for a tree it is found once, since it lives as long as its workflow. */
function refsOf(template: Template): Refs {
  if (template === null || typeof template !== "object") return templateRefs(template);
  let refs = refsByTree.get(template);
  if (refs === undefined) refsByTree.set(template, refs = templateRefs(template));
  return refs;
}

function lookUp({ workflow, visible, state }: Names, scope: string, root: string) {
  const started = state.started;
  switch (root) {
    case "input":
      return started?.input;
    case "env":
      return started?.env;
    case "run":
      return started === null ? undefined : {
        id: started.runId,
        workflow: workflow.name,
        version: workflow.version,
        correlation_id: started.correlationId,
        started_at: reflect(TimestampSchema, timestampFromMs(started.at)),
      };
  }
  const binding = visible.get(scope)?.names.get(root);
  return binding && boundValue(state, binding);
}

function boundValue(state: RunState, binding: Binding): Value | undefined {
  const output = recordAt(state, binding.path)?.output ?? {};
  if (binding.kind !== "field") return output;
  return (output as Readonly<Record<string, Value>>)[binding.field]; // a set step's output is its map of names
}

/** A path stands for one step: an action, or a step inside a compensation. */
function recordAt(state: RunState, path: string): StepRecord | undefined {
  return recordOf(state, path) ?? recordOf(state, path, "compensate");
}

/** `.steps`, with the one step that the expression names added. */
function stepsSeen(names: Names, scope: string, id: string | undefined, sofar?: Value): Value {
  const seen = names.visible.get(scope)?.steps ?? [];
  const views: Record<string, Value> = { ...(sofar as Readonly<Record<string, Value>>) };
  for (const [name, { path }] of seen) {
    if (id !== undefined && id !== name) continue;
    const record = recordAt(names.state, path);
    if (record !== undefined) views[name] = stepView(record);
  }
  return views;
}

function stepView(record: StepRecord): Value {
  return {
    status: record.status,
    output: record.output ?? {},
    error: record.failure === null ? null : { ...record.failure },
    attempts: record.attempts,
  };
}
