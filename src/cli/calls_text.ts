import { formatDuration } from "../workflow/durations.ts";
import type { CallTarget, Step } from "../workflow/model.ts";

/** `payments.Charge`, however the method is written. */
export function calls({ service, method }: CallTarget): string {
  return `${service}.${method.slice(method.lastIndexOf("/") + 1)}`;
}

/** What a step does, in a word or two. */
export function whatOf(step: Step): string {
  switch (step.kind) {
    case "call":
      return step.pivot ? `${calls(step)}, pivot` : calls(step);
    case "set":
      return `set ${Object.keys(step.values).join(", ")}`;
    case "fail":
      return `fail ${step.code}`;
    case "wait":
      return step.duration === null ? "wait" : `wait ${formatDuration(step.duration)}`;
    case "await_signal":
      return `signal ${step.signal}`;
    case "workflow":
      return `workflow ${step.workflow.name}`;
    default:
      return step.kind;
  }
}
