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
import { pathIn, type Rounds } from "../workflow/rounds.ts";
import type { Value } from "../workflow/value.ts";
import type { Board, Scope } from "./board.ts";
import { recordOf, type RunState, type StepRecord } from "./records.ts";

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
  scope: Scope,
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
export function evaluateWhen(
  names: Names,
  scope: Scope,
  when: string,
  extra?: Readonly<Record<string, Value>>,
): boolean {
  return evaluateCondition(when, bindingsOf(names, scope, when, extra));
}

function bindingsOf(
  names: Names,
  scope: Scope,
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

function lookUp({ workflow, visible, state }: Names, scope: Scope, root: string) {
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
  const binding = visible.get(scope.key)?.names.get(root);
  return binding && boundValue(state, binding, scope.rounds);
}

function boundValue(state: RunState, binding: Binding, rounds: Rounds): Value | undefined {
  const { path } = binding;
  switch (binding.kind) {
    case "item":
    case "index":
      return loopValue(state, path, binding.kind, rounds);
    case "error":
      return failureAt(state, pathIn(path, rounds));
    case "answer":
      return recordOf(state, pathIn(path, rounds), "verify")?.output;
    default: {
      const around = binding.previous ? before(path, rounds) : rounds;
      const record = around === null ? undefined : recordAt(state, pathIn(path, around));
      // The first round has none before it: `default(…)` says what is meant then.
      if (binding.previous && record === undefined) return undefined;
      const output = record?.output ?? {};
      if (binding.kind === "output") return output;
      return (output as Readonly<Record<string, Value>>)[binding.field]; // a set step's output is its map of names
    }
  }
}

/** The failure that an entry of a step's `catch` took. */
function failureAt(state: RunState, path: string): Value | undefined {
  const caught = recordAt(state, path)?.caught;
  return caught ? { ...caught.failure } : undefined;
}

/** What a round is about: its item, or its number. */
function loopValue(
  state: RunState,
  path: string,
  loop: "item" | "index",
  rounds: Rounds,
): Value | undefined {
  const round = rounds[depthOf(path)];
  if (round === undefined || loop === "index") return round;
  const items = recordAt(state, pathIn(path, rounds))?.input;
  return Array.isArray(items) ? items[round] : undefined;
}

/** How many loops there are around a step. */
function depthOf(path: string): number {
  return path.split("[]").length - 1;
}

/** The round before of the innermost loop around a step; `null`: this is the first. */
function before(path: string, rounds: Rounds): Rounds | null {
  const around = rounds.slice(0, depthOf(path));
  const round = around.pop();
  return round === undefined || round === 0 ? null : [...around, round - 1];
}

/** A path stands for one step: an action, or a step inside a compensation. */
function recordAt(state: RunState, path: string): StepRecord | undefined {
  return recordOf(state, path) ?? recordOf(state, path, "compensate");
}

/** `.steps`, with the one step that the expression names added. */
function stepsSeen(names: Names, scope: Scope, id: string | undefined, sofar?: Value): Value {
  const views: Record<string, Value> = { ...(sofar as Readonly<Record<string, Value>>) };
  for (const [name, { path, previous }] of names.visible.get(scope.key)?.steps ?? []) {
    if (id !== undefined && id !== name) continue;
    const rounds = previous ? before(path, scope.rounds) : scope.rounds;
    const view = rounds === null ? undefined : viewAt(names.state, pathIn(path, rounds));
    if (view !== undefined) views[name] = view;
  }
  return views;
}

function viewAt(state: RunState, path: string): Value | undefined {
  const record = recordAt(state, path);
  if (record !== undefined) return stepView(record);
  const status = statusOfUnstarted(state, path);
  return status && { status, output: {}, error: null, attempts: 0 };
}

/** What became of a step that never started: the block around it was skipped, or ended before it was its turn. */
function statusOfUnstarted(state: RunState, path: string): "skipped" | "cancelled" | undefined {
  const dot = path.lastIndexOf(".");
  if (dot < 0) return undefined;
  const around = path.slice(0, dot);
  const block = recordAt(state, around);
  if (block === undefined) return statusOfUnstarted(state, around);
  if (block.status === "running") return undefined;
  return block.status === "skipped" && block.form === null ? "skipped" : "cancelled";
}

function stepView(record: StepRecord): Value {
  return {
    status: record.status,
    output: record.output ?? {},
    error: record.failure === null ? null : { ...record.failure },
    attempts: record.attempts,
  };
}
