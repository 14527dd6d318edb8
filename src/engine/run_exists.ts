import { MaestroError } from "../errors.ts";
import type { Journal } from "./doors.ts";

/** Whether there is a run of that id, open or ended. */
export async function runExists(journal: Pick<Journal, "find">, runId: string): Promise<boolean> {
  try {
    await journal.find(runId);
    return true;
  } catch (thrown) {
    if (MaestroError.from(thrown).code !== "RUN_NOT_FOUND") throw thrown;
    return false;
  }
}
