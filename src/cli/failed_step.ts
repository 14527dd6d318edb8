/**
 * What a failure is about in the workflow, and what its reader can do.
 *
 * @module
 */
import type { Failure } from "../machines/failure.ts";
import type { Op } from "../machines/facts.ts";
import { formatDuration } from "../workflow/durations.ts";
import type { CallTarget, Step, Workflow } from "../workflow/model.ts";
import { calls } from "./calls_text.ts";
import { findStep, targetOf } from "./find_step.ts";
import type { Place } from "./store_option.ts";

/** How expressions say that the input lacks something. */
const MISSING_INPUT = /: there is no field "([\w-]+)" in \.input((?:\.[\w-]+)*) \(/;

/** What was run. */
export interface Executed {
  readonly workflow: Workflow;
  /** Those that were given in place of the workflow's, by service. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** Where it is kept. */
  readonly store: Place;
}

/** A failure, and what failed: a step's own action, its compensation or what verifies it. */
export interface Failed {
  readonly error: Failure;
  readonly step: Step | undefined;
  /** The workflow that the step is of: that of a child run, where it happened in one. */
  readonly workflow: Workflow;
  /** What was called; `null`: nothing was, so that the mistake is in the workflow. */
  readonly target: CallTarget | null;
  /** Where the run is. */
  readonly store: Place;
}

/** What nothing was sent for. */
const LOCAL: ReadonlySet<string> = new Set(["EXPRESSION_ERROR", "INVALID_REQUEST"]);

/** Finds what a failure is about. */
export function failedStep(
  { workflow, store }: Executed,
  error: Failure,
  path: string,
  op: Op,
): Failed {
  const found = findStep(workflow, path);
  const target = LOCAL.has(error.code) || found === undefined ? null : targetOf(found.step, op);
  return { error, step: found?.step, workflow: found?.workflow ?? workflow, target, store };
}

/** ` (payments.Charge at localhost:50051)`, or ` (order.yaml:12:5)`. */
export function whereOf({ step, target, workflow }: Failed, { endpoints }: Executed): string {
  if (step === undefined) return "";
  if (target !== null) {
    const endpoint = endpoints[target.service] ?? workflow.services[target.service]?.endpoint;
    return ` (${calls(target)}${endpoint === undefined ? "" : ` at ${endpoint}`})`;
  }
  const { file, line, column } = step.place;
  return ` (${file}:${line}:${column})`;
}

/** What goes on a failure's message: what can be done, or changed; or nothing. */
export function remedyOf({ error: { code, message }, target, store }: Failed): string {
  if (code === "EXPRESSION_ERROR") {
    const [, name, parent = ""] = MISSING_INPUT.exec(message) ?? [];
    if (name === undefined) return "";
    const path = [...parent.split(".").slice(1), name].join(".");
    return `; give it with --set ${path}=… or --input`;
  }
  if (target === null) return "";
  if (/^Cannot reach .*: connection refused$/s.test(message)) {
    return typeof store === "string"
      ? `; is it running? --endpoint ${target.service}=host:port names another place`
      : "; is it running? The endpoint is that of the server's own file";
  }
  return code === "DEADLINE_EXCEEDED" &&
      message.endsWith(` within ${formatDuration(target.attemptTimeout)}`)
    ? ' (its "attempt_timeout")'
    : "";
}

/** Whether the service lacks a method that it has by its schema. */
export function isOutdated({ error: { code, message }, target }: Failed): boolean {
  // A web server's 404 is told as what it is.
  return target !== null && code === "UNIMPLEMENTED" && !message.includes(" and no gRPC");
}
