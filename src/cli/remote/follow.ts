import { MaestroError } from "../../errors.ts";
import { JoinedRun } from "../joined_run.ts";
import type { Stage } from "../stage.ts";
import { type ServerPlace, showCommand } from "../store_option.ts";
import type { StoredRun } from "../stored_run.ts";
import type { Operator, RunsView } from "../views.ts";

/** A server's runs, and what can be wanted of them. */
export interface There {
  readonly journal: RunsView;
  readonly operator: Operator;
  readonly place: ServerPlace;
}

/** Sees a server's run end, or wait for an operator, and prints what it came to. @returns the exit code */
export async function follow(
  stage: Pick<Stage, "finish" | "hear">,
  { journal, operator, place }: There,
  stored: StoredRun,
): Promise<number> {
  const run = new JoinedRun(stage, operator, journal, stored);
  const { view: { workflow }, started: { endpoints } } = stored;
  try {
    return await stage.finish(run, { workflow, endpoints, store: place });
  } catch (thrown) {
    const { code, message } = MaestroError.from(thrown);
    if (code !== "STORE_FAILED") throw thrown;
    const look = showCommand(stored.id, place);
    throw new MaestroError(
      code,
      `${message}; once the server is back, "${look}" says where the run stands`,
    );
  }
}
