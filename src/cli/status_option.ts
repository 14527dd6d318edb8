import type { RunStatus } from "../engine/report.ts";
import { RUN_STATUSES } from "../engine/run_statuses.ts";
import { MaestroError } from "../errors.ts";
import { didYouMean } from "../workflow/nearest.ts";

/**
 * Reads `--status`.
 *
 * @throws {MaestroError} `USAGE`
 */
export function parseStatus(text: string): RunStatus {
  const status = RUN_STATUSES.find((known) => known === text);
  if (status !== undefined) return status;
  const guess = didYouMean(text, RUN_STATUSES);
  const remedy = guess === "" ? `; there are ${RUN_STATUSES.join(", ")}` : guess;
  throw new MaestroError("USAGE", `Cannot use --status "${text}": no run stands so${remedy}`);
}
