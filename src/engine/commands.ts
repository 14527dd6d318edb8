import { MaestroError } from "../errors.ts";
import type { Json } from "../workflow/json.ts";
import type { LiveRun } from "./live_run.ts";
import type { RunStatus } from "./report.ts";
import type { Resolution } from "./resolution.ts";

/** What people want of a run: JSON, so that it can travel to the process that has the run. */
export type Command =
  | { readonly kind: "cancel"; readonly by: string | null }
  | { readonly kind: "signal"; readonly name: string; readonly payload: Json; readonly id: string }
  | { readonly kind: "resolve"; readonly resolution: Resolution };

/**
 * Does what is wanted of a run that is awake.
 *
 * @param command `null` where what was asked can't be read
 * @returns the run in which it is on record: a child run has records of its own
 * @throws {MaestroError} `RUN_NOT_ACTIVE` where it can't be, `USAGE` where it is not known what is
 * wanted; why the run was stopped
 */
export function perform(live: LiveRun, command: Command | null): LiveRun {
  switch (command?.kind) {
    case "cancel":
      live.cancel(command.by);
      return live;
    case "signal":
      live.signal(command.name, command.payload, command.id);
      return live;
    case "resolve":
      return live.resolve(command.resolution);
    default:
      throw new MaestroError(
        "USAGE",
        `The process that goes on with run "${live.id}" does not know what is wanted of it; is it of an older version?`,
      );
  }
}

/** Why nothing can be wanted of a run. */
export function notActive(runId: string, status: RunStatus): MaestroError {
  const isOpen = status === "running" || status === "compensating" || status === "needs_attention";
  const why = isOpen ? "is not under way" : `has ended: ${status}`;
  return new MaestroError("RUN_NOT_ACTIVE", `Run "${runId}" ${why}`);
}
