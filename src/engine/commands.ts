import { MaestroError } from "../errors.ts";
import type { Json } from "../workflow/json.ts";
import type { LiveRun, Resolution } from "./live_run.ts";

/** What people want of a run: JSON, so that it can travel to the process that has the run. */
export type Command =
  | { readonly kind: "cancel"; readonly by: string | null }
  | { readonly kind: "signal"; readonly name: string; readonly payload: Json; readonly id: string }
  | { readonly kind: "resolve"; readonly resolution: Resolution };

/**
 * Does what is wanted of a run that is awake.
 *
 * @param command `null` where what was asked can't be read
 * @throws {MaestroError} `RUN_NOT_ACTIVE` where it can't be, `USAGE` where it is not known what is
 * wanted; why the run was stopped
 */
export function perform(live: LiveRun, command: Command | null): void {
  switch (command?.kind) {
    case "cancel":
      return live.cancel(command.by);
    case "signal":
      return live.signal(command.name, command.payload, command.id);
    case "resolve":
      return live.resolve(command.resolution);
    default:
      throw new MaestroError(
        "USAGE",
        `The process that goes on with run "${live.id}" does not know what is wanted of it; is it of an older version?`,
      );
  }
}
