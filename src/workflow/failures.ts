import { listsOf } from "./calls.ts";
import type { CallStep, CatchEntry, Step, Workflow } from "./model.ts";
import { GRPC_CODES } from "./words.ts";

/** What a step may fail with, as far as its definition tells. */
export interface Failures {
  /** gRPC's codes and Maestro's own. */
  readonly codes: ReadonlySet<string>;
  /** Whether one of them may come with a `google.rpc.ErrorInfo`. */
  readonly mayHaveReason: boolean;
}

/** What a step may fail with before its own `catch` is asked. */
export function failuresOf(step: Step, workflow: Workflow): Failures {
  const found = { codes: new Set<string>(), mayHaveReason: false };
  addFailures(step, workflow, found);
  return found;
}

interface Found {
  readonly codes: Set<string>;
  mayHaveReason: boolean;
}

function addFailures(step: Step, workflow: Workflow, found: Found): void {
  const { codes } = found;
  codes.add("EXPRESSION_ERROR"); // of a `when`, a round's items, a service's metadata, …
  if (step.timeout !== null) codes.add("STEP_TIMEOUT");
  switch (step.kind) {
    case "call":
      found.mayHaveReason = true;
      addCall(step, workflow, codes);
      break;
    case "workflow":
      found.mayHaveReason = true;
      codes.add("CHILD_FAILED").add("INVALID_REQUEST");
      if (step.workflow.timeout !== null) codes.add("STEP_TIMEOUT");
      break;
    case "fail":
      codes.add(step.code);
      break;
    case "repeat":
      if (step.maxRounds !== null) codes.add("REPEAT_EXHAUSTED");
      break;
  }
  for (const list of listsOf(step)) for (const child of list) addUncaught(child, workflow, found);
}

function addCall({ service, retry }: CallStep, { services }: Workflow, codes: Set<string>): void {
  for (const code of [...GRPC_CODES, "INVALID_REQUEST"]) codes.add(code);
  const callee = services[service];
  if (callee === undefined || callee.breaker !== null) codes.add("CIRCUIT_OPEN");
  if (callee === undefined || (callee.budget !== null && retry.attempts > 1)) {
    codes.add("RETRY_BUDGET_EXHAUSTED");
  }
}

/** What a step lets out: not what its `catch` takes, but what the steps of that may fail with. */
function addUncaught(step: Step, workflow: Workflow, found: Found): void {
  const own: Found = { codes: new Set(), mayHaveReason: false };
  addFailures(step, workflow, own);
  for (const entry of step.catch) {
    if (isSure(entry)) {
      for (const code of entry.codes.length === 0 ? own.codes : entry.codes) own.codes.delete(code);
    }
  }
  for (const code of own.codes) found.codes.add(code);
  found.mayHaveReason ||= own.mayHaveReason && own.codes.size > 0;
  for (const { steps } of step.catch) {
    for (const child of steps) addUncaught(child, workflow, found);
  }
}

function isSure({ when, reason }: CatchEntry): boolean {
  return when === null && reason === null;
}
