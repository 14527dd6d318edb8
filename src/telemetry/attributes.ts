/**
 * How spans and metrics call things: OpenTelemetry's semantic conventions for RPC where they have a
 * word, and `maestro.` for the rest.
 *
 * @module
 */
import { definitionOf } from "../engine/definition.ts";
import type { Workflow } from "../workflow/model.ts";
import { type CallNames, serverAttributes } from "./call_names.ts";
import type { Episode } from "./episodes.ts";
import { targetOf } from "./step_target.ts";

/** Attributes of a span or a measurement. */
export type Attributes = Record<string, string | number>;

/** Of a call: what the conventions for RPC clients say. @returns `null` where the step is no call */
export function callAttributes(
  workflow: Workflow,
  { path, op, status, code }: Episode,
  names: CallNames,
): Attributes | null {
  const target = targetOf(workflow, path, op);
  if (target === null) return null;
  const { method, endpoint } = names.of(workflow, target);
  return {
    "rpc.system.name": "grpc",
    "rpc.method": method,
    "rpc.response.status_code": status,
    "maestro.service": target.service,
    ...serverAttributes(endpoint),
    ...(code !== null && { "error.type": code }),
  };
}

/** A step in whatever round: its path without the numbers of rounds, of which there may be many. */
export function stepName(workflow: Workflow, path: string): string {
  return definitionOf(workflow).locator.find(path)?.step.path ?? path.replaceAll(/\[\d+\]/g, "[]");
}
